import { expect, test } from 'vitest';
import {
  attempt,
  DAY,
  inputs,
  ISSUED,
  issued,
  openAttempt,
  ref,
} from '../../../test/support/inputs/inputs.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import type { OpenAttempt } from '../../issuance/tinycert/attempt.ts';
import { revocationsDue, revocationsOnDelete, nextRevocationAt } from './revocations-due.ts';

type Given = Parameters<typeof inputs>[0];

const now = ISSUED + 30 * DAY;
const at = (ms: number): string => new Date(ms).toISOString();
const early = { ...ref(3), action: 'Revoke', notBefore: at(now) } as const;
const late = { ...ref(4), action: 'Hold', notBefore: at(now + 1000) } as const;
const both: CertificateStatus = { ...issued, pendingRevocations: [late, early] };
/** A renewal without a result. */
const open: OpenAttempt = { ...openAttempt, attempt: { ...attempt, revision: 2 } };
const bought = { ...open, progress: { is: 'bought', bought: ref(9) } } as const;
const otherSpec = { ...attempt, specHash: 'v1:other' };

const revoked = { spec: { desiredStatus: 'Revoked' } } as const;

test.each<[string, Given, ReturnType<typeof revocationsDue>]>([
  ['nothing', {}, undefined],
  ['what was replaced, at its time', { status: both }, { pending: [early], desired: undefined }],
  ['nothing on the word of a status without its seal', { status: both, sealed: false }, undefined],
  ['nothing that cannot be written down', { status: both, crdsFit: false }, undefined],
  ['a status that the spec asks for', { spec: { desiredStatus: 'Hold' } }, { pending: [], desired: 'Hold' }],
  [
    'nothing once it has been done, whatever happened since',
    {
      spec: { desiredStatus: 'Hold' },
      status: { ...issued, observedDesiredStatus: 'Hold', certificateStatus: 'good' },
    },
    undefined,
  ],
  [
    'to forget it when the spec no longer asks',
    { status: { ...issued, observedDesiredStatus: 'Hold' } },
    { pending: [], desired: null },
  ],
  ['nothing before there is a certificate', { spec: { desiredStatus: 'Hold' }, status: {} }, undefined],
  ['nothing before an open attempt is concluded', { ...revoked, attempt: open }, undefined],
  ['nothing before what an attempt bought is published', { ...revoked, attempt: bought }, undefined],
  ['nothing while nobody knows whether an attempt is open', { ...revoked, hasJournal: false }, undefined],
  ['nothing while nobody can read the attempt', { ...revoked, unreadable: 'key' }, undefined],
  [
    'the status if nothing came of the attempt',
    { ...revoked, attempt: { ...open, progress: { is: 'fruitless' } } },
    { pending: [], desired: 'Revoked' },
  ],
  [
    'the status if nothing of the attempt was sent',
    { ...revoked, attempt: { ...open, progress: { is: 'unsent' } } },
    { pending: [], desired: 'Revoked' },
  ],
  [
    'the status if what the attempt bought is not wanted any more',
    { ...revoked, attempt: { ...bought, attempt: otherSpec } },
    { pending: [], desired: 'Revoked' },
  ],
  [
    'nothing where a revocation would be lifted',
    {
      spec: { desiredStatus: 'Good' },
      status: { ...issued, observedDesiredStatus: 'Revoked', certificateStatus: 'revoked' },
    },
    undefined,
  ],
])('what is due: %s', (_, given, expected) => {
  expect(revocationsDue(inputs({ now, ...given }))).toEqual(expected);
});

test('the next look is at the next replaced certificate that is due', () => {
  expect(nextRevocationAt(inputs({ now, status: both }))).toBe(now + 1000);
  expect(nextRevocationAt(inputs({ now }))).toBeUndefined();
});

type Action = 'None' | 'Hold' | 'Revoke';

const pending = (certificateId: number, action: 'Hold' | 'Revoke') => ({
  ...ref(certificateId),
  action,
  notBefore: '2026-01-01T00:00:00Z',
});

test.each<[string, Action, CertificateStatus | undefined, number[], Record<number, string>]>([
  ['nothing was issued', 'Revoke', undefined, [], {}],
  ['no revocation is pending', 'None', { ...issued, formerCertificates: [ref(3)] }, [4], {}],
  ['it has a certificate', 'Revoke', issued, [], { 7: 'Revoke' }],
  ['it is to be held', 'Hold', issued, [], { 7: 'Hold' }],
  [
    'it had others before',
    'Revoke',
    { ...issued, formerCertificates: [ref(3), ref(5)] },
    [],
    { 3: 'Revoke', 5: 'Revoke', 7: 'Revoke' },
  ],
  ['an attempt turned out to have bought another one', 'Revoke', issued, [9], { 7: 'Revoke', 9: 'Revoke' }],
  [
    'a replaced one still waits, and nothing is pending for the rest',
    'None',
    { ...issued, pendingRevocations: [pending(3, 'Hold')] },
    [],
    { 3: 'Hold' },
  ],
  [
    'a replaced one was to be held, and all are to be revoked',
    'Revoke',
    { ...issued, pendingRevocations: [pending(3, 'Hold')] },
    [],
    { 3: 'Revoke', 7: 'Revoke' },
  ],
  [
    'a replaced one was to be revoked, and all are to be held',
    'Hold',
    { ...issued, formerCertificates: [ref(3)], pendingRevocations: [pending(3, 'Revoke')] },
    [],
    { 3: 'Revoke', 7: 'Hold' },
  ],
])('what is due when it is deleted and %s', (_, onDelete, status, found, expected) => {
  const revocation = { onDelete, onReplace: 'None', delay: '1h', onExternalRevocation: 'Report' } as const;
  const duties = revocationsOnDelete(
    { revocation },
    status,
    found.map((id) => ref(id)),
  );
  expect(
    Object.fromEntries(duties.map(({ certificate, action }) => [certificate.certificateId, action])),
  ).toEqual(expected);
  expect(duties).toHaveLength(Object.keys(expected).length);
});

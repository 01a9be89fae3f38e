import { expect, test } from 'vitest';
import { attempt, DAY, inputs, ISSUED, issued } from '../../../test/support/inputs.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { dutiesOf, nextDutyAt } from './revocations-due.ts';

type Given = Parameters<typeof inputs>[0];

const now = ISSUED + 30 * DAY;
const at = (ms: number): string => new Date(ms).toISOString();
const early = { certificateId: 3, action: 'Revoke', notBefore: at(now) } as const;
const late = { certificateId: 4, action: 'Hold', notBefore: at(now + 1000) } as const;
const both: CertificateStatus = { ...issued, pendingRevocations: [late, early] };
const open: CertificateStatus = { ...issued, attempt };

test.each<[string, Given, ReturnType<typeof dutiesOf>]>([
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
  [
    'nothing before an open attempt is concluded',
    {
      spec: { desiredStatus: 'Revoked' },
      status: open,
      attempt: { quietAt: 0, unsent: false },
    },
    undefined,
  ],
  [
    'the status if nothing came of the attempt',
    {
      spec: { desiredStatus: 'Revoked' },
      status: open,
      attempt: { quietAt: 0, unsent: false, isFruitless: true },
    },
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
  expect(dutiesOf(inputs({ now, ...given }))).toEqual(expected);
});

test('the next look is at the next replaced certificate that is due', () => {
  expect(nextDutyAt(inputs({ now, status: both }))).toBe(now + 1000);
  expect(nextDutyAt(inputs({ now }))).toBeUndefined();
});

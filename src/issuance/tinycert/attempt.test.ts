import { expect, test } from 'vitest';
import {
  attempt,
  ISSUED,
  issued,
  authority,
  otherAccount,
  ref,
} from '../../../test/support/inputs/inputs.ts';
import type { Attempt, CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { floorOf, isOpen, newAttempt } from './attempt.ts';
import { requestHash } from './request.ts';

const names = { commonName: 'www.example.com', dns: ['www.example.com'], ip: [], uri: [], email: [] };
const request = { authorityId: 1, names, subject: { country: 'NL', organization: 'Example' } };
const wish = {
  authority,
  operation: 'New',
  request,
  specHash: 'v1:x',
  reason: 'DoesNotExist',
  afterId: 9,
  dates: { since: ISSUED - 1_000, until: ISSUED + 46_000 },
} as const;
const open = {
  ...attempt,
  requestHash: requestHash(request),
  until: '2026-01-01T00:00:46.000Z',
};
/** The same wish, `ms` later. */
const later = (ms: number): typeof wish => ({
  ...wish,
  dates: { since: ISSUED + ms - 1_000, until: ISSUED + ms + 46_000 },
});

test('a first attempt is number one and reaches back to the highest known id', () => {
  expect(newAttempt(wish, undefined, 'pod', ISSUED)).toMatchObject({
    number: 1,
    afterId: 9,
    startTime: '2026-01-01T00:00:00.000Z',
    since: '2025-12-31T23:59:59.000Z',
    until: '2026-01-01T00:00:46.000Z',
    commonName: 'www.example.com',
  });
});

test('keepAfterId: an attempt that replaces an open one reaches as far back', () => {
  expect(newAttempt(later(46_000), { attempt: open }, 'pod', ISSUED + 46_000)).toMatchObject({
    number: 2,
    afterId: 5,
    since: open.since,
    until: '2026-01-01T00:01:32.000Z',
  });
});

test('keepAfterId: after a gap it reaches back in ids, but not in time', () => {
  expect(newAttempt(later(3_600_000), { attempt: open }, 'pod', ISSUED + 3_600_000)).toMatchObject({
    afterId: 5,
    since: '2026-01-01T00:59:59.000Z',
  });
});

test('keepAfterId: a clock that was set back does not shorten the reach', () => {
  expect(newAttempt(later(-60_000), { attempt: open }, 'pod', ISSUED)).toMatchObject({
    since: '2025-12-31T23:58:59.000Z',
  });
});

test.each([
  ['a closed one', { ...ref(7), attempt: { ...open, certificateId: 7 } }],
  ['one for another request', { attempt: { ...open, requestHash: 'v1:other' } }],
  ['one at another account', { attempt: { ...open, account: otherAccount } }],
  ['one at another authority', { attempt: { ...open, authorityId: 2 } }],
])('an attempt after %s reaches back to the highest known id', (_, status) => {
  expect(newAttempt(wish, status, 'pod', ISSUED)).toMatchObject({
    afterId: 9,
    since: '2025-12-31T23:59:59.000Z',
  });
});

test('only a reissue names the certificate to reissue', () => {
  expect(newAttempt({ ...wish, previousId: 7 }, undefined, 'pod', ISSUED)).not.toHaveProperty('previousId');
  expect(
    newAttempt({ ...wish, operation: 'Reissue', previousId: 7 }, undefined, 'pod', ISSUED).previousId,
  ).toBe(7);
});

test('two attempts never share an id', () => {
  expect(newAttempt(wish, undefined, 'pod', ISSUED).id).not.toBe(
    newAttempt(wish, undefined, 'pod', ISSUED).id,
  );
});

test.each([
  ['no attempt', {}, false],
  ['one without an answer', { attempt }, true],
  [
    'one whose certificate is not in status yet',
    { ...ref(6), attempt: { ...attempt, certificateId: 7 } },
    true,
  ],
  [
    'one whose id status has, for a certificate of another account',
    { ...issued, attempt: { ...attempt, account: otherAccount, certificateId: 7 } },
    true,
  ],
  ['one whose certificate is in status', issued, false],
  ['one that the CA refused', { attempt: { ...attempt, outcome: 'Refused' } }, false],
] as const)('the status with %s has an open attempt: %s', (_, status, want) => {
  expect(isOpen(status)).toBe(want);
});

test.each([
  ['a new certificate', attempt, 5],
  ['a reissue', { ...attempt, operation: 'Reissue', previousId: 6, afterId: 20 }, 6],
  ['a reissue from nothing', { ...attempt, operation: 'Reissue' }, 5],
] as const)(
  'aboveAfterId: the floor is the highest known id, or the certificate to reissue: %s',
  (_, of, want) => {
    expect(floorOf(of)).toBe(want);
  },
);

test.each<[string, Partial<Attempt>, CertificateStatus, number | undefined]>([
  ['keeps the count for the same request', {}, {}, 1],
  ['keeps it after a refusal too', { outcome: 'Refused' }, {}, 1],
  ['begins anew for another request', { requestHash: 'v1:other' }, {}, undefined],
  ['begins anew after a success', { certificateId: 8 }, { certificateId: 8 }, undefined],
])('replyOnce: an attempt after an answer in doubt %s', (_, before, status, doubts) => {
  const attempt = { ...open, doubts: 1, ...before };
  expect(newAttempt(wish, { ...status, attempt }, 'pod', ISSUED).doubts).toBe(doubts);
});

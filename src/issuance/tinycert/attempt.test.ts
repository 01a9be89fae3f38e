import { describe, expect, test } from 'vitest';
import {
  account,
  attempt,
  authority,
  ISSUED,
  openAttempt,
  otherAccount,
  ref,
} from '../../../test/support/inputs/inputs.ts';
import type { Subject } from '../../api/tinycert/subject.ts';
import { BOUNDS } from '../../journal/bounds.ts';
import { bytesOf } from '../../journal/contents.ts';
import { entryKey } from '../../journal/layout.ts';
import {
  accountOfOwner,
  type Attempt,
  attemptOwner,
  type AttemptWish,
  boughtIn,
  floorOf,
  groupOf,
  nameHash,
  newAttempt,
  previousOf,
  readAttempt,
  requestKey,
  uidOfOwner,
} from './attempt.ts';
import { markerOf } from './marker.ts';
import { requestHash } from './request.ts';

const names = { commonName: 'www.example.com', dns: ['www.example.com'], ip: [], uri: [], email: [] };
const subject: Subject = { country: 'NL', organization: 'Example' };
const request = { authorityId: 1, names, subject };
const { resource, issuer } = attempt;
const wish: AttemptWish = {
  authority,
  operation: 'New',
  request,
  specHash: 'v1:x',
  reason: 'DoesNotExist',
  resource,
  issuer,
  revision: 1,
  afterId: 9,
  dates: { since: ISSUED - 1_000, until: ISSUED + 46_000 },
};
const open: Attempt = { ...attempt, requestHash: requestHash(request) };

/** The same wish, `ms` later, in place of an open attempt. */
function replacing(change: Partial<Attempt> = {}, ms = 0, boughtNothing = false): AttemptWish {
  const { since, until } = wish.dates;
  const dates = { since: since + ms, until: until + ms };
  return { ...wish, dates, replaced: { attempt: { ...open, ...change }, boughtNothing } };
}

test('a first attempt reaches back to the highest known id, and says what it asks for and whose it is', () => {
  expect(newAttempt(wish, ISSUED)).toEqual({
    ...authority,
    operation: 'New',
    startTime: '2026-01-01T00:00:00.000Z',
    specHash: 'v1:x',
    requestHash: requestHash(request),
    nameHash: nameHash('www.example.com'),
    resource,
    issuer,
    isMarked: false,
    revision: 1,
    afterId: 9,
    since: '2025-12-31T23:59:59.000Z',
    until: '2026-01-01T00:00:46.000Z',
    reason: 'DoesNotExist',
  });
});

describe('an attempt that replaces an open one for the same request', () => {
  test('freshAfterId: reaches as far back', () => {
    expect(newAttempt(replacing({}, 46_000), ISSUED + 46_000)).toMatchObject({
      afterId: 5,
      since: open.since,
      until: '2026-01-01T00:01:32.000Z',
    });
  });

  test('freshAfterId: reaches back in time alone if a recovery found that that one bought nothing', () => {
    expect(newAttempt(replacing({}, 46_000, true), ISSUED + 46_000)).toMatchObject({
      afterId: 9,
      since: open.since,
    });
  });

  test('freshAfterId: after a gap reaches back in ids, but not in time', () => {
    expect(newAttempt(replacing({}, 3_600_000), ISSUED + 3_600_000)).toMatchObject({
      afterId: 5,
      since: '2026-01-01T00:59:59.000Z',
    });
  });

  test('freshAfterId: is not shortened in its reach by a clock that was set back', () => {
    expect(newAttempt(replacing({}, -60_000), ISSUED)).toMatchObject({ since: '2025-12-31T23:58:59.000Z' });
  });

  test('freshAfterId: does not begin above what is known now', () => {
    expect(newAttempt(replacing({ afterId: 12 }), ISSUED)).toMatchObject({ afterId: 9 });
  });

  test.each([
    ['the certificate that that one was to reissue', { operation: 'Reissue', previousId: 3 }, 3],
    ['the one in status, if that one was to reissue none', { operation: 'Reissue' }, 7],
    ['the one in status, if that one asked for a new one', {}, 7],
  ] as const)('againAsItWas: reissues %s', (_, before, previousId) => {
    const again = { ...replacing(before), operation: 'Reissue', previousId: 7 } as const;
    expect(newAttempt(again, ISSUED)).toMatchObject({ operation: 'Reissue', previousId });
  });

  test('replyOnce: keeps the count of answers in doubt', () => {
    expect(newAttempt(replacing({ doubts: 1 }), ISSUED).doubts).toBe(1);
    expect(newAttempt(replacing(), ISSUED)).not.toHaveProperty('doubts');
  });

  test('bought nothing yet', () => {
    expect(newAttempt(replacing({ certificateId: 8 }), ISSUED)).not.toHaveProperty('certificateId');
  });
});

test.each<[string, Partial<Attempt>]>([
  ['another request', { requestHash: 'v1:other' }],
  ['another account', { account: otherAccount }],
  ['another authority', { authorityId: 2 }],
])('an attempt in place of one for %s begins anew', (_, change) => {
  const before = { operation: 'Reissue', previousId: 3, doubts: 1, ...change } as const;
  expect(newAttempt(replacing(before), ISSUED)).toEqual(newAttempt(wish, ISSUED));
});

test('only a reissue names the certificate to reissue', () => {
  expect(newAttempt({ ...wish, previousId: 7 }, ISSUED)).not.toHaveProperty('previousId');
  expect(newAttempt({ ...wish, operation: 'Reissue', previousId: 7 }, ISSUED).previousId).toBe(7);
  expect(newAttempt({ ...wish, operation: 'Reissue' }, ISSUED)).not.toHaveProperty('previousId');
});

describe('oneOpen: of two open attempts for the same request', () => {
  const organizationalUnit = markerOf('issuer-uid', 'uid');
  const marked = { ...wish, request: { ...request, subject: { ...subject, organizationalUnit } } };

  test('one waits, unless the marker tells their purchases apart', () => {
    const plain = newAttempt(wish, ISSUED);
    expect(plain.isMarked).toBe(false);
    expect(requestKey(authority, plain)).toBe(requestKey(authority, newAttempt(wish, ISSUED + 1)));
    const other = newAttempt(marked, ISSUED);
    expect(other.isMarked).toBe(true);
    expect(requestKey(authority, other)).toBeUndefined();
  });

  test('none waits for one at another account or authority', () => {
    const keys = [authority, { ...authority, authorityId: 2 }, { ...authority, account: otherAccount }].map(
      (each) => requestKey(each, open),
    );
    expect(new Set(keys).size).toBe(3);
  });
});

describe('fixedSize: an attempt', () => {
  const long = 'tenant'.repeat(1_000);
  const asked = newAttempt(
    {
      ...wish,
      operation: 'Reissue',
      previousId: Number.MAX_SAFE_INTEGER,
      afterId: Number.MAX_SAFE_INTEGER,
      revision: Number.MAX_SAFE_INTEGER,
      request: {
        ...request,
        names: { ...names, commonName: `${long}.example.com`, dns: [`${long}.example.com`] },
        subject: { ...subject, organization: long },
      },
      specHash: requestHash(request),
      reason: 'R'.repeat(1_000),
    },
    ISSUED,
  );

  test('holds no text of a tenant', () => {
    expect(JSON.stringify(asked)).not.toContain('tenant');
  });

  test('fits into an entry, whatever is asked for and with all that is written into it later', () => {
    const entry = { ...asked, doubts: 99, certificateId: Number.MAX_SAFE_INTEGER };
    const digest = 'd'.repeat(32);
    const stored = { id: 'i'.repeat(36), group: digest, request: digest, isPutBack: true, entry };
    const key = entryKey('tinycert', attemptOwner('u'.repeat(64), account));
    expect(bytesOf(key, JSON.stringify(stored))).toBeLessThanOrEqual(BOUNDS.entryBytes);
  });
});

test('an attempt is read as it was written, and nothing else is', () => {
  const whole = { ...open, previousId: 3, doubts: 1, certificateId: 8 };
  expect(readAttempt(structuredClone(open))).toEqual(open);
  expect(readAttempt(structuredClone(whole))).toEqual(whole);
  // A later version's field is left out, and the rest counts (docs/upgrade.md).
  expect(readAttempt({ ...open, later: 1 })).toEqual(open);
  expect(readAttempt({ ...open, afterId: '5' })).toBeUndefined();
  expect(readAttempt({ ...open, operation: 'Other' })).toBeUndefined();
  expect(readAttempt(undefined)).toBeUndefined();
});

test('a resource has an attempt of its own at each account', () => {
  const owners = [account, otherAccount].map((each) => attemptOwner('uid', each));
  expect(new Set(owners.map((owner) => entryKey('tinycert', owner))).size).toBe(2);
  expect(owners.map(accountOfOwner)).toEqual([account, otherAccount]);
  expect(owners.map(uidOfOwner)).toEqual(['uid', 'uid']);
});

test('attempts share their room by account and namespace', () => {
  const groups = [
    groupOf({ account }, 'a'),
    groupOf({ account }, 'b'),
    groupOf({ account: otherAccount }, 'a'),
    groupOf({ account }, undefined),
  ];
  expect(new Set(groups).size).toBe(4);
  expect(groupOf(ref(7), 'a')).toBe(groups[0]);
});

test('a name stands for itself in any spelling, and for no other', () => {
  expect(nameHash('WWW.Example.COM')).toBe(nameHash('www.example.com'));
  expect(nameHash('other.example.com')).not.toBe(nameHash('www.example.com'));
});

test.each([
  ['a new certificate', open, 5],
  ['a reissue', { ...open, operation: 'Reissue', previousId: 6, afterId: 20 }, 6],
  ['a reissue from nothing', { ...open, operation: 'Reissue' }, 5],
] as const)(
  'replyAboveFloor: the floor is the highest known id, or the certificate to reissue: %s',
  (_, of, want) => {
    expect(floorOf(of)).toBe(want);
  },
);

test('the certificate to reissue is one of the account and authority of the attempt', () => {
  expect(previousOf({ ...open, account: otherAccount, previousId: 6 })).toEqual(
    ref(6, { account: otherAccount }),
  );
  expect(previousOf(open)).toBeUndefined();
});

describe('an open attempt is known to have bought', () => {
  const noted = { ...openAttempt, attempt: { ...attempt, certificateId: 8 } };

  test.each([
    ['nothing, if there is none', undefined, undefined],
    ['nothing, while nobody knows', openAttempt, undefined],
    ['nothing, if a recovery found nothing', { ...openAttempt, progress: { is: 'fruitless' } }, undefined],
    ['what its entry says', noted, ref(8)],
    [
      'what its entry says, at its account',
      { ...noted, attempt: { ...noted.attempt, account: otherAccount } },
      ref(8, { account: otherAccount }),
    ],
    [
      'what the CA answered, before what its entry says',
      { ...noted, progress: { is: 'bought', bought: ref(9) } },
      ref(9),
    ],
    [
      'what the CA answered, even if the journal was put back',
      { ...noted, isPutBack: true, progress: { is: 'bought', bought: ref(9) } },
      ref(9),
    ],
    [
      'putBackUnsure: nothing, if the entry that says it was put back',
      { ...noted, isPutBack: true },
      undefined,
    ],
  ] as const)('%s', (_, known, want) => {
    expect(boughtIn(known)).toEqual(want);
  });
});

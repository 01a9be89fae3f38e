import { describe, expect, test } from 'vitest';
import {
  attempt,
  certificate,
  issued,
  authority,
  otherAccount,
  ref,
} from '../../../../test/support/inputs/inputs.ts';
import type { TinyCertCertificate } from '../../../api/kinds.ts';
import type { CertificateStatus } from '../../../api/tinycert/certificate-status.ts';
import type { CertificateSummary, ReportedStatus } from '../../../tinycert/index.ts';
import { type Attempt, nameHash, placeHash } from '../attempt.ts';
import type { Abandoned, RecordsOf, Released } from '../records.ts';
import { Census, Evidence, type Source, claimsIn, knownStatuses, unclaimed } from './census.ts';
import type { Facts } from './facts.ts';

const CN = 'www.example.com';

function line(id: number, status: ReportedStatus = 'good', commonName = CN): CertificateSummary {
  return { id, status, commonName, expires: 2_000_000_000 };
}

function resource(change: Partial<CertificateStatus> = {}): TinyCertCertificate {
  return certificate({ status: { ...issued, ...change } });
}

/** An attempt in the journal. */
function trying(change: Partial<Attempt> = {}): Attempt {
  return { ...attempt, ...change };
}

function census(resources: TinyCertCertificate[], lines: CertificateSummary[]): Census {
  const result = new Census(knownStatuses(resources, authority));
  for (const each of lines) result.add(each);
  return result;
}

function left(
  resources: TinyCertCertificate[],
  lines: CertificateSummary[],
  attempts: Attempt[] = [],
  released: Released[] = [],
): number[] {
  const { others, unlisted } = census(resources, lines);
  const claims = claimsIn(resources, { attempts, released }, authority, unlisted);
  return unclaimed(others, claims).map(({ id }) => id);
}

describe('a census', () => {
  test('counts by status, and leaves out an unknown one', () => {
    const { counts } = census(
      [],
      [line(1), line(2, 'revoked'), line(3, 'hold'), line(4, 'expired'), line(5), line(6, 'unknown')],
    );
    expect(counts).toEqual({ good: 2, hold: 1, revoked: 1, expired: 1 });
  });

  test('keeps of the certificates of resources only those with another status than known', () => {
    const { others, changed, unlisted } = census(
      [
        resource({ certificateId: 1 }),
        resource({ certificateId: 2 }),
        resource({ certificateId: 3, certificateStatus: 'hold' }),
        resource({ certificateId: 4 }),
        resource({ certificateId: 5, authorityId: 2 }),
        resource({ certificateId: 6, account: otherAccount }),
      ],
      [line(1), line(2, 'revoked'), line(3), line(5), line(6, 'revoked'), line(9)],
    );
    expect(others.map(({ id }) => id)).toEqual([5, 6, 9]);
    expect([...changed]).toEqual([
      [2, { from: 'good', to: 'revoked' }],
      [3, { from: 'hold', to: 'good' }],
    ]);
    expect([...unlisted]).toEqual([[4, 'good']]);
  });
});

describe('a resource claims', () => {
  test.each<[string, TinyCertCertificate]>([
    ['its certificate', resource({ certificateId: 9 })],
    ['its former certificates', resource({ formerCertificates: [ref(8), ref(9)] })],
    [
      'what it has yet to revoke',
      resource({
        pendingRevocations: [{ ...ref(9), action: 'Revoke', notBefore: '2026-01-01T00:00:00Z' }],
      }),
    ],
    ['what it has at an account that it left', resource({ account: otherAccount, formerAccounts: [ref(9)] })],
    [
      'possible successors of its certificate, if the CA no longer lists that',
      resource({ certificateId: 8 }),
    ],
  ])('%s', (_, claimant) => {
    expect(left([claimant], [line(9)])).toEqual([]);
  });

  test.each<[string, TinyCertCertificate]>([
    ['certificates of another authority', resource({ certificateId: 9, authorityId: 2 })],
    [
      'former certificates of another account',
      resource({ certificateStatus: 'obsolete', formerCertificates: [ref(9, { account: otherAccount })] }),
    ],
    [
      'what it has yet to revoke at another account',
      resource({
        certificateStatus: 'obsolete',
        pendingRevocations: [
          { ...ref(9, { account: otherAccount }), action: 'Revoke', notBefore: '2026-01-01T00:00:00Z' },
        ],
      }),
    ],
    [
      'successors of a certificate that is known to be obsolete',
      resource({ certificateId: 8, certificateStatus: 'obsolete' }),
    ],
  ])('but not %s', (_, claimant) => {
    expect(left([claimant], [line(9)])).toEqual([9]);
  });

  test('or not, only good certificates and those on hold are reported as unclaimed', () => {
    expect(left([], [line(1, 'revoked'), line(2, 'expired'), line(3, 'hold'), line(4, 'unknown')])).toEqual([
      3,
    ]);
  });
});

describe('an open attempt claims', () => {
  test.each<[string, Attempt]>([
    ['what it may have bought', trying({ afterId: 8 })],
    ['what it may have bought as a reissue', trying({ operation: 'Reissue', previousId: 8, afterId: 20 })],
    ['what it is known to have bought', trying({ afterId: 9, certificateId: 9 })],
    [
      'what it is known to have bought, whatever its name',
      trying({ nameHash: nameHash('other.example.com'), certificateId: 9 }),
    ],
  ])('%s', (_, open) => {
    expect(left([], [line(9)], [open])).toEqual([]);
  });

  test.each<[string, Attempt]>([
    ['certificates of another account', trying({ afterId: 8, certificateId: 9, account: otherAccount })],
    ['certificates of another authority', trying({ afterId: 8, certificateId: 9, authorityId: 2 })],
    ['certificates older than it', trying({ afterId: 9 })],
    ['certificates of another name', trying({ afterId: 8, nameHash: nameHash('other.example.com') })],
  ])('but not %s', (_, open) => {
    expect(left([], [line(9)], [open])).toEqual([9]);
  });

  test('but not what is on record as undecided, which it cannot adopt by its name: it is shown on as an orphan', () => {
    const given: Released = { is: 'released', ...ref(9), issuer: placeHash('ca') };
    const open = [trying({ afterId: 8 })];
    expect(left([], [line(9)], open, [{ ...given, cause: 'Undecided' }])).toEqual([9]);
    expect(left([], [line(9)], open, [given])).toEqual([]);
    const known = [trying({ afterId: 8, certificateId: 9 })];
    expect(left([], [line(9)], known, [{ ...given, cause: 'Undecided' }])).toEqual([]);
  });

  test('a name in any spelling', () => {
    expect(left([], [line(9, 'good', 'WWW.Example.COM')], [trying({ afterId: 8 })])).toEqual([]);
  });

  test('as far back as any other for its name', () => {
    const attempts = [20, 8, 30].map((afterId) => trying({ afterId }));
    expect(left([], [line(8), line(9)], attempts)).toEqual([8]);
  });
});

describe('an unclaimed certificate', () => {
  const since = Date.parse('2026-01-01T00:00:00.700Z');
  const abandoned: Abandoned = {
    is: 'abandoned',
    ...authority,
    uid: 'u',
    resource: placeHash('ns/web'),
    issuer: placeHash('ca'),
    requestHash: 'v1:same',
    nameHash: nameHash(CN),
    afterId: 5,
    since: '2026-01-01T00:00:00.700Z',
    until: '2026-01-01T00:00:45Z',
  };
  const facts: Facts = {
    organizationalUnit: '',
    requestHash: 'v1:same',
    namesHash: 'v1:names',
    notBefore: Math.floor(since / 1000) * 1000,
    notAfter: since + 1,
    serialNumber: '01',
  };
  const given = (cause: Released['cause'], issuer = 'ca'): Released => ({
    is: 'released',
    ...ref(9),
    issuer: placeHash(issuer),
    ...(cause === undefined ? {} : { cause }),
  });
  const sourcesOf = (orphans: Source['orphans'], mark?: string): Source[] => [
    { key: 'other', mark, orphans: [] },
    { key: 'ca', mark: undefined, orphans },
  ];
  /** What is found out about a certificate from the records of the journal, and from what the issuer `ca` shows. */
  const finding = (
    { released = [], abandoned = [], orphans = [] }: Partial<RecordsOf> & Partial<Pick<Source, 'orphans'>>,
    id: number,
    known?: Facts,
    mark?: string,
  ) => new Evidence(sourcesOf(orphans, mark), { released, abandoned }).of(line(id), known);

  test('without any evidence is foreign, and needs no facts', () => {
    expect(finding({}, 9)).toBe('foreign');
    const other = { ...abandoned, nameHash: nameHash('other.example.com') };
    expect(finding({ abandoned: [other] }, 9)).toBe('foreign');
    expect(finding({ abandoned: [abandoned] }, 5)).toBe('foreign');
  });

  test('whose owner could not be determined is an orphan of that issuer', () => {
    expect(finding({ released: [given('Undecided')] }, 9)).toEqual({ orphanOf: 'ca' });
  });

  test('that is reported already is an orphan of that issuer', () => {
    expect(finding({ orphans: [ref(9)] }, 9)).toEqual({ orphanOf: 'ca' });
  });

  test.each([
    ['was deleted with its resource', 'Deleted'],
    ['its resource had no more room for', undefined],
  ] as const)('that %s is released, whatever the other evidence', (_, cause) => {
    const released = [given(cause)];
    expect(finding({ released, abandoned: [abandoned], orphans: [ref(9)] }, 9, facts)).toBe('released');
  });

  test('of an issuer that is gone is an orphan of another one of the authority', () => {
    const gone = { ...abandoned, issuer: placeHash('gone') };
    expect(finding({ released: [given('Undecided', 'gone')] }, 9)).toEqual({ orphanOf: 'other' });
    expect(finding({ abandoned: [gone] }, 9, facts)).toEqual({ orphanOf: 'other' });
    const none = new Evidence([], { released: [given('Undecided')], abandoned: [gone] });
    expect(none.of(line(9), facts)).toBe('foreign');
  });

  test('that an abandoned attempt may have bought needs facts, and is an orphan if its request is the same', () => {
    expect(finding({ abandoned: [abandoned] }, 9)).toBe('needs facts');
    expect(finding({ abandoned: [abandoned] }, 9, facts)).toEqual({ orphanOf: 'ca' });
  });

  test('that was issued after the window of its attempt is still an orphan', () => {
    const late = { ...facts, notBefore: since + 60_000 };
    expect(finding({ abandoned: [abandoned] }, 9, late)).toEqual({ orphanOf: 'ca' });
  });

  test.each<[string, Partial<Facts>]>([
    ['comes from another request', { requestHash: 'v1:other' }],
    ['is older than the attempt', { notBefore: since - 4_000 }],
    ['is more than an hour younger than the window of the attempt', { notBefore: since + 3_700_000 }],
  ])('that %s is foreign', (_, change) => {
    expect(finding({ abandoned: [abandoned] }, 9, { ...facts, ...change })).toBe('foreign');
  });

  test('needs facts if an issuer marks certificates, and its mark identifies the issuer', () => {
    const mark = 'tinycert-operator:012345:';
    const marked = { ...facts, organizationalUnit: `${mark}6789` };
    expect(finding({}, 9, undefined, mark)).toBe('needs facts');
    expect(finding({}, 9, marked, mark)).toEqual({ orphanOf: 'other' });
    expect(finding({}, 9, facts, mark)).toBe('foreign');
    expect(finding({}, 9, { ...marked, organizationalUnit: 'tinycert-operator:543210:6789' }, mark)).toBe(
      'foreign',
    );
  });
});

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
import type { Attempt, CertificateStatus } from '../../../api/tinycert/certificate-status.ts';
import type { CertificateSummary, ReportedStatus } from '../../../tinycert/index.ts';
import type { Abandoned } from '../released.ts';
import { Census, Evidence, type Facts, type Source, claimsIn, knownStatuses, unclaimed } from './census.ts';

const CN = 'www.example.com';

function line(id: number, status: ReportedStatus = 'good', commonName = CN): CertificateSummary {
  return { id, status, commonName, expires: 2_000_000_000 };
}

function resource(change: Partial<CertificateStatus> = {}): TinyCertCertificate {
  const { certificateId = 7 } = change;
  return certificate({ status: { ...issued, attempt: { ...attempt, certificateId }, ...change } });
}

/** A resource with an open attempt, and perhaps a certificate. */
function trying(change: Partial<Attempt> = {}, status: Partial<CertificateStatus> = {}): TinyCertCertificate {
  const { certificateId: _, ...none } = issued;
  return certificate({ status: { ...none, ...status, attempt: { ...attempt, ...change } } });
}

function census(resources: TinyCertCertificate[], lines: CertificateSummary[]): Census {
  const result = new Census(knownStatuses(resources, authority));
  for (const each of lines) result.add(each);
  return result;
}

function left(resources: TinyCertCertificate[], lines: CertificateSummary[]): number[] {
  const { others, unlisted } = census(resources, lines);
  const claims = claimsIn(resources, authority, unlisted);
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
    ['what its attempt bought', trying({ certificateId: 9 }, { certificateId: 7 })],
    ['its former certificates', resource({ formerCertificates: [ref(8), ref(9)] })],
    [
      'what it has yet to revoke',
      resource({
        pendingRevocations: [{ ...ref(9), action: 'Revoke', notBefore: '2026-01-01T00:00:00Z' }],
      }),
    ],
    ['what an open attempt may have bought', trying({ afterId: 8 })],
    ['what an open reissue may have bought', trying({ operation: 'Reissue', previousId: 8, afterId: 20 })],
    [
      'possible successors of its certificate, if the CA no longer lists that',
      resource({ certificateId: 8 }),
    ],
  ])('%s', (_, claimant) => {
    expect(left([claimant], [line(9)])).toEqual([]);
  });

  test.each<[string, TinyCertCertificate]>([
    [
      'certificates of another authority',
      resource({
        certificateId: 9,
        authorityId: 2,
        attempt: { ...attempt, certificateId: 9, authorityId: 2 },
      }),
    ],
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
      'what an open attempt may have bought at another account',
      trying({ afterId: 8, account: otherAccount }),
    ],
    ['certificates older than its attempt', trying({ afterId: 9 })],
    ['certificates of another name', trying({ afterId: 8, commonName: 'other.example.com' })],
    ['what a closed attempt did not buy', trying({ afterId: 8, outcome: 'Refused' })],
    [
      'successors of a certificate that is known to be obsolete',
      resource({ certificateId: 8, certificateStatus: 'obsolete' }),
    ],
  ])('but not %s', (_, claimant) => {
    expect(left([claimant], [line(9)])).toEqual([9]);
  });

  test('a name in any spelling', () => {
    expect(left([trying({ afterId: 8 })], [line(9, 'good', 'WWW.Example.COM')])).toEqual([]);
  });

  test('or not, only good certificates and those on hold are reported as unclaimed', () => {
    expect(left([], [line(1, 'revoked'), line(2, 'expired'), line(3, 'hold'), line(4, 'unknown')])).toEqual([
      3,
    ]);
  });
});

describe('an unclaimed certificate', () => {
  const since = Date.parse('2026-01-01T00:00:00.700Z');
  const abandoned: Abandoned = {
    attemptId: 'a',
    ...authority,
    uid: 'u',
    requestHash: 'v1:same',
    commonName: CN,
    afterId: 5,
    since: '2026-01-01T00:00:00.700Z',
    until: '2026-01-01T00:00:45Z',
  };
  const facts: Facts = {
    organizationalUnit: '',
    requestHash: 'v1:same',
    notBefore: Math.floor(since / 1000) * 1000,
    notAfter: since + 1,
    serialNumber: '01',
  };
  const finding = (status: Source['status'], id: number, known?: Facts, mark?: string) =>
    new Evidence([
      { key: 'other', mark, status: {} },
      { key: 'ca', mark: undefined, status },
    ]).of(line(id), known);

  test('without any evidence is foreign, and needs no facts', () => {
    expect(finding({}, 9)).toBe('foreign');
    expect(finding({ abandoned: [{ ...abandoned, commonName: 'other.example.com' }] }, 9)).toBe('foreign');
    expect(finding({ abandoned: [abandoned] }, 5)).toBe('foreign');
  });

  test.each<[string, Source['status']]>([
    ['whose owner could not be determined', { released: [{ ...ref(9), cause: 'Undecided' }] }],
    ['that is reported already', { orphans: [ref(9)] }],
  ])('%s is an orphan of that issuer', (_, status) => {
    expect(finding(status, 9)).toEqual({ orphanOf: 'ca' });
  });

  test('that was deleted with its resource is released, whatever the other evidence', () => {
    const released = [{ ...ref(9), cause: 'Deleted' } as const];
    expect(finding({ released, abandoned: [abandoned], orphans: [ref(9)] }, 9, facts)).toBe('released');
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

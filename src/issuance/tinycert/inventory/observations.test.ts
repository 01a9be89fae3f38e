import { describe, expect, test } from 'vitest';
import { certificate, issued, authority, otherAccount, ref } from '../../../../test/support/inputs/inputs.ts';
import type { CertificateStatus } from '../../../api/tinycert/certificate-status.ts';
import type { TinyCertCertificate } from '../../../api/kinds.ts';
import type { CertificateSummary, ReportedStatus } from '../../../tinycert/index.ts';
import { Census, claimsIn, knownStatuses } from './census.ts';
import { observe, type Observation, Observations } from './observations.ts';

const CN = 'www.example.com';
const KEY = 'ns/web';

function line(id: number, status: ReportedStatus = 'good', commonName = CN): CertificateSummary {
  return { id, status, commonName, expires: 2_000_000_000 };
}

function resource(change: Partial<CertificateStatus> = {}): TinyCertCertificate {
  return certificate({ status: { ...issued, ...change } });
}

/** The news from a list about `now`, which was `before` when the list was requested, by key. */
function newsOf(
  lines: CertificateSummary[],
  now: TinyCertCertificate[],
  before: TinyCertCertificate[] = now,
  isOpen = false,
): Map<string, Observation> {
  const census = new Census(knownStatuses(before, authority));
  for (const each of lines) census.add(each);
  const claims = claimsIn(now, { attempts: [], released: [] }, authority, census.unlisted);
  return observe(census, now, claims, authority, () => isOpen);
}

/** The same about one resource. */
function observed(
  lines: CertificateSummary[],
  now: TinyCertCertificate = resource(),
  before: TinyCertCertificate = now,
): Observation | undefined {
  return newsOf(lines, [now], [before]).get(KEY);
}

describe('the news about a certificate is', () => {
  test.each<[ReportedStatus, CertificateStatus['certificateStatus']]>([
    ['revoked', 'good'],
    ['hold', 'good'],
    ['good', 'hold'],
    ['expired', 'good'],
    ['good', undefined],
  ])('that it is %s while its resource knows %s', (to, from) => {
    const { certificateStatus: _, ...rest } = issued;
    const own = certificate({ status: { ...rest, ...(from ? { certificateStatus: from } : {}) } });
    expect(observed([line(7, to)], own)).toEqual({ certificate: ref(7), from, to, candidates: [] });
  });

  test('that it is not listed, with its possible successors, the newest first', () => {
    const lines = [
      line(6),
      line(8),
      line(10, 'hold'),
      line(9, 'good', 'WWW.example.com'),
      line(11, 'revoked'),
      line(12, 'good', 'other.example.com'),
    ];
    expect(observed(lines)).toEqual({
      certificate: ref(7),
      from: 'good',
      to: 'unlisted',
      candidates: [ref(10), ref(9), ref(8)],
    });
  });
});

describe('no news about a certificate is', () => {
  test.each<[string, CertificateSummary[], TinyCertCertificate, TinyCertCertificate?]>([
    ['a status that its resource knows', [line(7, 'hold')], resource({ certificateStatus: 'hold' })],
    ['an unknown status', [line(7, 'unknown')], resource()],
    ['the absence of an obsolete one', [line(8)], resource({ certificateStatus: 'obsolete' })],
    ['a list from before it was issued', [line(7)], resource({ certificateId: 8 }), resource()],
    [
      'a list from before its resource changed',
      [line(7)],
      resource({ certificateStatus: 'hold' }),
      resource(),
    ],
    ['the list of another authority', [line(7, 'revoked')], resource({ authorityId: 2 })],
    ['the list of another account', [line(7, 'revoked')], resource({ account: otherAccount })],
  ])('%s', (_, lines, now, before) => {
    expect(observed(lines, now, before)).toBeUndefined();
  });

  test('what an open attempt may have done', () => {
    for (const lines of [[line(8)], [line(7, 'revoked')]]) {
      expect(newsOf(lines, [resource()]).size).toBe(1);
      expect(newsOf(lines, [resource()], [resource()], true).size).toBe(0);
    }
  });

  test('a nearly empty list, except for a few', () => {
    const many = Array.from({ length: 500 }, (_, i) => {
      const own = resource({ certificateId: i + 1 });
      return { ...own, metadata: { ...own.metadata, name: `web-${i}` } };
    });
    expect(newsOf([], many).size).toBe(50);
  });
});

describe('the news for a resource', () => {
  const news: Observation = { certificate: ref(7), from: 'good', to: 'revoked', candidates: [] };

  test('lasts until its status has it, or the next list has none', () => {
    const observations = new Observations();
    const told: string[] = [];
    const stop = observations.onObserved((key) => told.push(key));
    observations.replace(authority, new Map([[KEY, news]]));

    expect(told).toEqual([KEY]);
    expect(observations.of(resource())).toEqual(news);
    expect(observations.of(resource({ certificateStatus: 'revoked' }))).toBeUndefined();
    expect(observations.of(resource({ certificateId: 8 }))).toBeUndefined();

    // The authority of another account has the same id.
    observations.replace({ ...authority, account: otherAccount }, new Map());
    observations.replace({ ...authority, authorityId: 2 }, new Map());
    expect(observations.of(resource())).toEqual(news);
    expect(observations.of(resource({ account: otherAccount }))).toBeUndefined();
    observations.replace(authority, new Map());
    expect(observations.of(resource())).toBeUndefined();
    stop();
    observations.replace(authority, new Map([[KEY, news]]));
    expect(told).toEqual([KEY]);
  });

  test('is forgotten once it proves wrong', () => {
    const observations = new Observations();
    observations.replace(authority, new Map([[KEY, news]]));
    observations.forget('ns/web');
    expect(observations.of(resource())).toBeUndefined();
  });
});

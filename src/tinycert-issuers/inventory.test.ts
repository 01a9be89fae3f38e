import { afterAll, describe, expect, test } from 'vitest';
import { accountOf, issuer as build } from '../../test/support/inputs/accounts.ts';
import { certificate, issued, authority, otherAccount, ref } from '../../test/support/inputs/inputs.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { Vectors } from '../../test/support/x509/x509-vectors.ts';
import type { TinyCertCertificate, TinyCertIssuer } from '../api/kinds.ts';
import { isSameCertificate } from '../api/tinycert/identity.ts';
import type { IssuerStatus } from '../api/tinycert/issuer-status.ts';
import type { LeftoverCertificate } from '../issuance/tinycert/inventory/leftover-secrets.ts';
import type { Observation } from '../issuance/tinycert/inventory/observations.ts';
import { IssuerDirectory, type ReadyIssuer } from '../issuance/tinycert/issuer-directory.ts';
import { markerOf } from '../issuance/tinycert/marker.ts';
import type { ReleasedAddition } from '../issuance/tinycert/released.ts';
import {
  type CertificateSummary,
  type ReportedStatus,
  type TinyCertClient,
  TinyCertError,
} from '../tinycert/index.ts';
import { Inventory, LIST_SHARED_MS } from './inventory.ts';

const vectors = new Vectors();
afterAll(() => vectors.remove());
const { cert } = vectors.make({ subject: '/CN=www.example.com', curve: 'P-256' });

const KEY = 'TinyCertIssuer:ns/ca';
const OTHER = 'TinyCertIssuer:ns/other';
const { signal } = new AbortController();
const marking = (status: IssuerStatus = {}): TinyCertIssuer =>
  build({
    spec: { ownershipMarker: 'OrganizationalUnit' },
    status: { authority: { id: 1, account: authority.account, name: 'Example' }, ...status },
  });

function line(id: number, status: ReportedStatus = 'good'): CertificateSummary {
  return { id, status, commonName: 'www.example.com', expires: 2_000_000_000 };
}

/** A resource that has a certificate. */
function owner(certificateId: number, account = authority.account): TinyCertCertificate {
  const named = ref(certificateId, { account });
  return certificate({
    status: { ...issued, ...named, attempt: { ...issued.attempt!, ...named } },
  });
}

function setup(
  options: {
    lines?: CertificateSummary[];
    /** Ids of certificates that carry the issuer's mark. */
    marked?: number[];
    /** Ids that the CA no longer has. */
    gone?: number[];
    status?: IssuerStatus;
    leftovers?: LeftoverCertificate[];
    live?: TinyCertCertificate[];
    /** What the first list ends with. */
    failure?: Error;
  } = {},
) {
  const { lines = [], marked = [], gone = [], leftovers = [], live = [] } = options;
  const clock = new VirtualClock('2026-01-01T00:00:00Z');
  const calls: string[] = [];
  let { failure } = options;
  const missing = (call: string): Error => new TinyCertError('NotFound', { call });
  const account = accountOf(clock, {
    streamCertificates: async (_, __, onLine) => {
      calls.push('list');
      for (const each of lines) onLine(each);
      if (failure) {
        const error = failure;
        failure = undefined;
        throw error;
      }
      return lines.length;
    },
    getCertificateDetails: async (id) => {
      calls.push(`details ${id}`);
      if (gone.includes(id)) throw missing('cert/details');
      const organizationalUnit = marked.includes(id) ? markerOf('issuer-uid', 'uid') : 'Sales';
      return {
        id,
        status: 'good',
        subject: { commonName: 'www.example.com', organizationalUnit },
        alternativeNames: [],
        otherNames: [],
      };
    },
    getCertificate: (async () => cert) as unknown as TinyCertClient['getCertificate'],
  });
  const resources: TinyCertCertificate[] = [];
  const given: ReleasedAddition[] = [];
  const observed: Map<string, Observation>[] = [];
  const inventory = new Inventory({
    clock,
    directory: new IssuerDirectory(),
    resources: () => resources,
    issuers: () => [{ key: KEY, issuer: marking(options.status) }],
    listCertificates: async () => {
      calls.push('live');
      return live;
    },
    releasedStore: {
      read: async () => ({ released: [], abandoned: [] }),
      add: async (_, change) => void given.push(change),
    },
    leftoverSecrets: {
      of: async (asked) =>
        leftovers.filter((left) => asked.some((each) => isSameCertificate(each, left.certificate))),
    },
    observations: { replace: (_, found) => void observed.push(found) },
  });
  const ready = { key: KEY, account, authority: { ...authority, name: 'Example' } } as ReadyIssuer;
  return {
    clock,
    account,
    calls,
    resources,
    given,
    observed,
    list: (by = KEY) => inventory.list(account, authority, by, signal),
    found: (key = KEY) => inventory.found({ ...ready, key }, signal),
  };
}

describe('the list of an authority', () => {
  test.each([
    ['the highest id on it', [line(5), line(9), line(7)], 9],
    ['zero if it is empty', [], 0],
  ])('gives the account %s', async (_, lines, highest) => {
    const { account, list } = setup({ lines });
    expect(account.highestId(1)).toBeUndefined();
    await list();
    expect(account.highestId(1)).toBe(highest);
  });

  test('is taken once by two issuers whose checks are close together', async () => {
    const { clock, calls, list } = setup();
    await Promise.all([list(KEY), list(OTHER)]);
    await clock.advance(LIST_SHARED_MS - 1);
    await list(OTHER);
    expect(calls).toEqual(['list']);
    await clock.advance(1);
    await list(OTHER);
    expect(calls).toEqual(['list', 'list']);
  });

  test('is taken by each check of one issuer', async () => {
    const { calls, list } = setup();
    await list();
    await list();
    expect(calls).toEqual(['list', 'list']);
  });

  test('reports to a resource the status that it does not know yet', async () => {
    const { resources, observed, list } = setup({ lines: [line(7, 'revoked')] });
    resources.push(owner(7));
    await list();
    expect(observed.map((found) => [...found])).toEqual([
      [['ns/web', { certificate: ref(7), from: 'good', to: 'revoked', candidates: [] }]],
    ]);
  });
});

describe('an issuer shows', () => {
  test('nothing before the first list', async () => {
    expect(await setup().found()).toBeUndefined();
  });

  test('all certificates by status, and as foreign those that no one here bought', async () => {
    const lines = [line(7), line(8), line(9, 'hold'), line(10, 'revoked'), line(11, 'expired')];
    const { resources, list, found } = setup({ lines });
    resources.push(owner(7));
    await list();
    expect(await found()).toEqual({
      counts: { good: 2, hold: 1, revoked: 1, expired: 1 },
      foreignCount: 2,
      orphans: [],
    });
  });

  test('a certificate as foreign whose id a resource has of another account', async () => {
    const { resources, observed, list, found } = setup({ lines: [line(7, 'revoked'), line(8)] });
    for (const id of [7, 8]) resources.push(owner(id, otherAccount));
    await list();
    expect(observed.map((news) => news.size)).toEqual([0]);
    expect(await found()).toMatchObject({ foreignCount: 1, orphans: [] });
  });

  test('no orphan because of what another account has under its id', async () => {
    const status = {
      orphans: [ref(7, { account: otherAccount })],
      released: [{ ...ref(7, { account: otherAccount }), cause: 'Undecided' as const }],
    };
    const { list, found } = setup({ lines: [line(7)], status });
    await list();
    expect(await found()).toMatchObject({ foreignCount: 1, orphans: [] });
  });

  test('no certificate that a resource claimed after the list was taken', async () => {
    const { resources, list, found } = setup({ lines: [line(7)], marked: [7] });
    await list();
    resources.push(owner(7));
    expect(await found()).toMatchObject({ foreignCount: 0, orphans: [] });
  });

  test('an orphan with its facts, on the issuer that bought it alone', async () => {
    const { calls, list, found } = setup({ lines: [line(7)], marked: [7] });
    await list();
    expect(await found()).toMatchObject({
      foreignCount: 0,
      orphans: [
        {
          ...ref(7),
          commonName: 'www.example.com',
          serialNumber: '07',
          observedTime: '2026-01-01T00:00:00Z',
        },
      ],
    });
    expect((await found(OTHER))?.orphans).toEqual([]);
    expect(calls).toEqual(['list', 'details 7', 'live']);
  });

  test('no orphan that a resource claims in the live list', async () => {
    const { list, found } = setup({ lines: [line(7)], marked: [7], live: [owner(7)] });
    await list();
    expect((await found())?.orphans).toEqual([]);
  });

  test('an orphan that status shows already without asking again', async () => {
    const status = { orphans: [ref(7)] };
    const { calls, list, found } = setup({ lines: [line(7)], status });
    await list();
    expect(await found()).toMatchObject({ orphans: [ref(7)] });
    expect(calls).toEqual(['list']);
  });

  test('no certificate that was released on purpose', async () => {
    const status: IssuerStatus = { released: [{ ...ref(7), cause: 'Deleted' }] };
    const { calls, list, found } = setup({ lines: [line(7)], marked: [7], status });
    await list();
    expect(await found()).toMatchObject({ foreignCount: 0, orphans: [] });
    expect(calls).toEqual(['list']);
  });

  test('no certificate that the CA has lost since the list', async () => {
    const { list, found } = setup({ lines: [line(7)], gone: [7] });
    await list();
    expect(await found()).toMatchObject({ foreignCount: 0, orphans: [] });
  });
});

test('the facts of a certificate are read once, in however many passes', async () => {
  const { calls, list, found } = setup({ lines: [line(7), line(8)] });
  for (let i = 0; i < 3; i += 1) {
    await list();
    await found();
  }
  expect(calls.filter((call) => call.startsWith('details')).sort()).toEqual(['details 7', 'details 8']);
});

test('of many unknown certificates the newest 200 are read, and all are counted', async () => {
  const lines = Array.from({ length: 250 }, (_, i) => line(i + 1));
  const { calls, list, found } = setup({ lines });
  await list();
  expect((await found())?.foreignCount).toBe(250);
  const read = calls.filter((call) => call.startsWith('details'));
  expect(read).toHaveLength(200);
  expect(read).not.toContain('details 50');
  expect(read).toContain('details 51');
});

test('a certificate that a leftover Secret proves is recorded as released, and is no orphan', async () => {
  const leftover = { certificate: ref(7), issuerKey: KEY, namespace: 'ns', name: 'web' };
  const { given, list, found } = setup({ lines: [line(7)], marked: [7], leftovers: [leftover] });
  await list();
  expect(await found()).toMatchObject({ foreignCount: 0, orphans: [] });
  expect(given).toEqual([
    {
      released: [
        {
          ...ref(7),
          namespace: 'ns',
          name: 'web',
          releaseTime: '2026-01-01T00:00:00Z',
          cause: 'Deleted',
        },
      ],
    },
  ]);
});

test('a list that fails is not used, and the next check takes another one', async () => {
  const failure = new TinyCertError('ConnectionLost', { call: 'cert/list' });
  const { calls, observed, list, found } = setup({ lines: [line(7)], failure });
  await expect(list(OTHER)).rejects.toBe(failure);
  expect(await found()).toBeUndefined();
  expect(observed).toEqual([]);
  await list(KEY);
  expect(calls).toEqual(['list', 'list']);
  expect(await found()).toMatchObject({ counts: { good: 1 } });
});

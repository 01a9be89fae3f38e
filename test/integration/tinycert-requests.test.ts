import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type AlternativeName,
  createTinyCertSession,
  maybeExecuted,
  type TinyCertClient,
} from '../../src/tinycert/index.ts';
import { type DevServer, startDevServer } from '../../tools/dev-server/index.ts';
import {
  aClient,
  arrived,
  aService,
  failureOf,
  holdings,
  latest,
  webServer,
} from '../support/world/tinycert-service.ts';

const rules = ['php', 'raw'] as const;

/** Every character that escaping could get wrong. */
const signs = `~*!'()&=%+/?#[]@:;,"\\<> Zoë €`;

describe.each(rules)('a service that checks signatures by the rule %s', (strictSignature) => {
  let service: DevServer;
  beforeAll(async () => {
    const passphrase = `pass  phrase ${signs}`;
    const email = 'user+tag@example.com';
    const apiKey = `key ${signs}`;
    const keys = { keyPool: 2, keyPoolReuse: true };
    service = await startDevServer({ strictSignature, passphrase, email, apiKey, ...keys });
  });
  afterAll(() => service.stop());

  test('accepts all thirteen calls', async () => {
    const since = latest(service);
    const client = aClient(service);
    await client.connect();
    await client.listAuthorities();
    const input = { country: 'NL', organization: signs, locality: signs, province: signs };
    const authorityId = await client.createAuthority({ ...input, hashAlgorithm: 'sha256' });
    await client.getAuthority(authorityId);
    await client.getAuthorityCertificate(authorityId);
    const id = await client.createCertificate(webServer({ authorityId }));
    await client.listCertificates(authorityId);
    await client.setCertificateStatus(id, 'hold');
    const next = await client.reissueCertificate(id);
    await client.getCertificateDetails(next);
    await client.getCertificate(next, 'chain');
    await client.deleteAuthority(authorityId);
    await client.disconnect();

    expect(service.journal(since).map(({ call, httpStatus }) => [call, httpStatus])).toEqual(
      [
        ['connect', 'ca/list', 'ca/new', 'ca/details', 'ca/get', 'cert/new', 'cert/list'],
        ['cert/status', 'cert/reissue', 'cert/details', 'cert/get', 'ca/delete', 'disconnect'],
      ]
        .flat()
        .map((call) => [call, 200]),
    );
  });

  test('gets twelve names of all types in the given order', async () => {
    const client = aClient(service);
    const alternativeNames: AlternativeName[] = [
      { type: 'DNS', value: '*.example.com' },
      { type: 'URI', value: `https://example.org/~a*b/?c=d&e=%20+f!'()` },
      { type: 'email', value: "o'hara+tag~*!@example.com" },
      { type: 'IP', value: '::1' },
      ...Array.from({ length: 8 }, (_, at) => ({ type: 'DNS' as const, value: `h${11 - at}.example.com` })),
    ];

    const id = await client.createCertificate(webServer(service, { alternativeNames }));

    expect(await client.getCertificateDetails(id)).toMatchObject({ alternativeNames });
    expect(service.certificates().find((made) => made.id === id)?.names).toEqual(alternativeNames);
  });

  test('gets any text unchanged', async () => {
    const client = aClient(service);
    const text = (maxLength: number) =>
      fc
        .oneof(
          fc.string({ unit: 'grapheme', minLength: 1, maxLength }),
          fc.string({ unit: fc.constantFrom(...signs.split('')), minLength: 1, maxLength }),
        )
        .filter((value) => value.length <= maxLength);
    const subjects = fc.record({
      commonName: text(64),
      country: fc.constantFrom('NL', 'US'),
      organization: text(64),
      organizationalUnit: text(64),
      locality: text(128),
      province: text(128),
    });

    await fc.assert(
      fc.asyncProperty(subjects, async (subject) => {
        const id = await client.createCertificate(webServer(service, { subject }));
        expect(await client.getCertificateDetails(id)).toMatchObject({ subject });
      }),
      { numRuns: 40 },
    );
  });
});

describe('a session', () => {
  test('is opened once, ended by disconnect, and opened again when needed', async () => {
    const service = await aService();
    const client = aClient(service);
    await client.connect();
    await client.connect();
    await client.listAuthorities();
    await client.disconnect();
    await client.disconnect();
    expect(service.counts().sessions).toBe(0);
    await client.listAuthorities();
    await client.close({ disconnect: true });

    const once = ['connect', 'ca/list', 'disconnect'];
    expect(arrived(service)).toEqual([...once, ...once]);
    expect(service.counts().sessions).toBe(0);
  });

  test('that expires during concurrent calls is reopened once, and each call acts once', async () => {
    const service = await aService({ keyPool: 2, keyPoolReuse: true, otherCustomers: 0 });
    const client = aClient(service);
    await client.connect();
    service.expireSessions();
    const since = latest(service);
    // All of them arrive with the old session before the first is refused.
    service.addFault({ call: 'cert/new', kind: 'hold', times: 12 });
    const calls = Array.from({ length: 12 }, () => client.createCertificate(webServer(service)));
    await service.waitForCall(() => service.counts().held === 12);
    service.release();

    const ids = await Promise.all(calls);

    const answers = service.journal(since).map(({ call, httpStatus }) => `${call} ${httpStatus}`);
    expect(Object.groupBy(answers, (answer) => answer)).toEqual({
      'cert/new 403': expect.objectContaining({ length: 12 }),
      'connect 200': expect.objectContaining({ length: 1 }),
      'cert/new 200': expect.objectContaining({ length: 12 }),
    });
    const kept = service.certificates().map(({ id }) => id);
    expect(ids.toSorted((a, b) => a - b)).toEqual(kept);
  });

  test('that expires is reopened by the next call', async () => {
    let now = Date.UTC(2026, 0, 1);
    const service = await aService({ sessionTtl: '1h', now: () => now });
    const client = aClient(service);
    await client.listAuthorities();
    now += 3_600_000;

    await client.listAuthorities();

    expect(arrived(service)).toEqual(['connect', 'ca/list', 'ca/list', 'connect', 'ca/list']);
    // It is undocumented what the service would do with the old token.
    expect(service.journal().at(3)?.body).not.toContain('token');
  });

  test('that two clients share is reopened once for both', async () => {
    const service = await aService();
    const { endpoint, caPem: ca, email, passphrase, apiKey } = service;
    const session = createTinyCertSession({ endpoint, ca, credentials: { email, passphrase, apiKey } });
    const clients = [aClient(service, { session }), aClient(service, { session })];
    await clients[0]?.connect();
    service.expireSessions();
    const since = latest(service);

    await Promise.all([...clients, ...clients].map((client) => client.listAuthorities()));

    expect(arrived(service, since).filter((call) => call === 'connect')).toHaveLength(1);
    expect(service.counts().sessions).toBe(1);
  });
});

type Invoke = (client: TinyCertClient, beforeSend: () => void) => Promise<unknown>;

describe('a send gate that throws', () => {
  const refusal = new Error('not now');
  const refuse = (): never => {
    throw refusal;
  };
  let service: DevServer;
  let certificateId: number;
  beforeAll(async () => {
    service = await startDevServer({ keyPool: 2, keyPoolReuse: true });
    ({ id: certificateId } = await service.issueByHand({ cn: 'www.example.com' }));
  });
  afterAll(() => service.stop());

  const input = { country: 'NL', organization: 'ACME', hashAlgorithm: 'sha256' } as const;
  const invocations: Record<string, Invoke> = {
    'ca/list': (client, beforeSend) => client.listAuthorities({ beforeSend }),
    'ca/details': (client, beforeSend) => client.getAuthority(service.authorityId, { beforeSend }),
    'ca/get': (client, beforeSend) => client.getAuthorityCertificate(service.authorityId, { beforeSend }),
    'ca/new': (client, beforeSend) => client.createAuthority(input, { beforeSend }),
    'ca/delete': (client, beforeSend) => client.deleteAuthority(service.authorityId, { beforeSend }),
    'cert/list': (client, beforeSend) => client.listCertificates(service.authorityId, 15, { beforeSend }),
    'cert/details': (client, beforeSend) => client.getCertificateDetails(certificateId, { beforeSend }),
    'cert/get': (client, beforeSend) => client.getCertificate(certificateId, 'key.dec', { beforeSend }),
    'cert/new': (client, beforeSend) => client.createCertificate(webServer(service), { beforeSend }),
    'cert/reissue': (client, beforeSend) => client.reissueCertificate(certificateId, { beforeSend }),
    'cert/status': (client, beforeSend) =>
      client.setCertificateStatus(certificateId, 'revoked', { beforeSend }),
    disconnect: async (client, beforeSend) => {
      await client.connect();
      await client.disconnect({ beforeSend });
    },
  };

  test.each(Object.entries(invocations))('keeps every %s from arriving', async (_, invoke) => {
    const before = holdings(service);
    const since = latest(service);
    const client = aClient(service);

    const error = await failureOf(invoke(client, refuse));
    await client.listAuthorities();

    expect(error).toBe(refusal);
    expect(maybeExecuted(error)).toBe(false);
    expect(new Set(arrived(service, since))).toEqual(new Set(['connect', 'ca/list']));
    expect(service.journal(since).filter(({ call }) => call === 'ca/list')).toHaveLength(1);
    expect(holdings(service)).toEqual(before);
  });

  test('at the repetition keeps every call from acting', async () => {
    const client = aClient(service);
    await client.connect();
    service.expireSessions();
    const before = holdings(service);
    const since = latest(service);
    let asked = 0;

    const error = await failureOf(
      client.createCertificate(webServer(service), {
        beforeSend: () => {
          asked += 1;
          if (asked === 2) refuse();
        },
      }),
    );

    expect(error).toBe(refusal);
    expect(maybeExecuted(error)).toBe(false);
    expect(arrived(service, since)).toEqual(['cert/new', 'connect']);
    expect(holdings(service)).toEqual(before);
  });
});

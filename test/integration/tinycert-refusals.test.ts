import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TinyCertClient, TinyCertErrorKind, UpstreamErrorCode } from '../../src/tinycert/index.ts';
import { type DevServer, startDevServer } from '../../tools/dev-server/index.ts';
import { STATUS_OF_CODE } from '../../tools/dev-server/service-error.ts';
import { aClient, failureOf, holdings, latest, webServer } from '../support/world/tinycert-service.ts';

let service: DevServer;
beforeAll(async () => {
  service = await startDevServer({ keyPool: 2, keyPoolReuse: true });
});
afterAll(() => service.stop());

const { passphrase, apiKey } = { passphrase: 'the passphrase', apiKey: 'the key' };
beforeEach(async () => {
  service.clearFaults();
  await service.setOptions({ passphrase, apiKey, sessionTtl: '1h', rateLimit: null, retryAfter: null });
});

interface Refusal {
  kind: TinyCertErrorKind;
  status: number;
  /** The call that is refused. */
  call: string;
  maybeExecuted?: true;
  /** The other fields of the error. */
  details?: object;
  /** Prepares the service, and makes the call that it then refuses. */
  provoke: (client: TinyCertClient) => Promise<() => Promise<unknown>>;
}

const account = (): { passphrase: string; apiKey: string; email: string } => ({
  email: service.email,
  passphrase,
  apiKey,
});

/** The refusals of the reference, section 4, each with its cause. */
const refusals: Record<UpstreamErrorCode, Refusal> = {
  AccessDenied: {
    kind: 'not-found',
    status: 403,
    call: 'cert/new',
    provoke: async (client) => () => client.createCertificate(webServer(service.otherAccount)),
  },
  AccountError: {
    kind: 'passing',
    status: 500,
    call: 'cert/new',
    maybeExecuted: true,
    provoke: (client) => struckBy('AccountError', client),
  },
  AccountNotFound: {
    kind: 'credentials',
    status: 404,
    call: 'connect',
    provoke: async () => () => issueWith({ ...account(), email: 'nobody@example.com' }),
  },
  AccountNotLoaded: {
    kind: 'passing',
    status: 500,
    call: 'cert/new',
    maybeExecuted: true,
    provoke: (client) => struckBy('AccountNotLoaded', client),
  },
  ApiKeyMismatch: {
    kind: 'credentials',
    status: 403,
    call: 'connect',
    provoke: async () => () => issueWith({ ...account(), apiKey: 'another' }),
  },
  InputFailure: {
    kind: 'input',
    status: 400,
    call: 'cert/new',
    details: { parameter: 'SANs' },
    provoke: async (client) => () => {
      const alternativeNames = [{ type: 'DNS', value: 'al*.example.com' }] as const;
      return client.createCertificate(webServer(service, { alternativeNames }));
    },
  },
  InvalidToken: {
    kind: 'passing',
    status: 403,
    call: 'cert/new',
    provoke: async (client) => {
      await service.setOptions({ sessionTtl: 0 });
      return () => client.createCertificate(webServer(service));
    },
  },
  MethodDisallowed: {
    kind: 'protocol',
    status: 400,
    call: 'cert/new',
    provoke: (client) => struckBy('MethodDisallowed', client),
  },
  MissingParameter: {
    kind: 'input',
    status: 400,
    call: 'cert/new',
    details: { parameter: 'O' },
    provoke: (client) => struckBy('MissingParameter', client, { text: "The parameter 'O' is missing" }),
  },
  NotFound: {
    kind: 'not-found',
    status: 404,
    call: 'cert/new',
    provoke: async (client) => () => client.createCertificate(webServer({ authorityId: 999_999 })),
  },
  NotLatest: {
    kind: 'input',
    status: 400,
    call: 'cert/reissue',
    provoke: async (client) => {
      const { id } = await service.issueByHand({ cn: 'www.example.com' });
      await client.reissueCertificate(id);
      return () => client.reissueCertificate(id);
    },
  },
  PassphraseFailure: {
    kind: 'credentials',
    status: 403,
    call: 'connect',
    provoke: async () => () => issueWith({ ...account(), passphrase: 'another' }),
  },
  RateLimitExceeded: {
    kind: 'rate-limit',
    status: 429,
    call: 'cert/new',
    details: { retryAfterMs: 7_000 },
    provoke: async (client) => {
      await service.setOptions({ rateLimit: 0, retryAfter: 7 });
      return () => client.createCertificate(webServer(service));
    },
  },
  SessionError: {
    kind: 'passing',
    status: 403,
    call: 'cert/new',
    provoke: (client) => struckBy('SessionError', client, { times: 2 }),
  },
  SignatureFailure: {
    kind: 'credentials',
    status: 403,
    call: 'cert/new',
    provoke: (client) => struckBy('SignatureFailure', client, { times: 2 }),
  },
  StatusDisallowed: {
    kind: 'input',
    status: 400,
    call: 'cert/status',
    provoke: async (client) => {
      const { id } = await service.issueByHand({ cn: 'www.example.com' });
      await client.reissueCertificate(id);
      return () => client.setCertificateStatus(id, 'revoked');
    },
  },
  UnknownError: {
    kind: 'passing',
    status: 500,
    call: 'cert/new',
    maybeExecuted: true,
    provoke: (client) => struckBy('UnknownError', client),
  },
};

/** For refusals that this service never sends, or that the client's own checks prevent. */
async function struckBy(
  code: UpstreamErrorCode,
  client: TinyCertClient,
  fault: { text?: string; times?: number } = {},
): Promise<() => Promise<unknown>> {
  service.addFault({ call: 'cert/new', kind: 'error', code, ...fault });
  return () => client.createCertificate(webServer(service));
}

function issueWith(credentials: { email: string; passphrase: string; apiKey: string }): Promise<unknown> {
  return aClient(service, { credentials }).createCertificate(webServer(service));
}

describe('the refusal', () => {
  test.each(Object.entries(refusals))(
    '%s is reported as such, and the service did not act',
    async (code, refusal) => {
      const call = await refusal.provoke(aClient(service));
      const before = holdings(service);

      const error = await failureOf(call());

      const { kind, status, maybeExecuted = false, details = {} } = refusal;
      expect(error).toMatchObject({
        name: 'TinyCertError',
        code,
        kind,
        status,
        call: refusal.call,
        maybeExecuted,
        text: expect.any(String),
        ...details,
      });
      expect(service.journal().at(-1)).toMatchObject({ call: refusal.call, code, httpStatus: status });
      expect(holdings(service)).toEqual(before);
    },
  );

  test('of a session is invisible if a new login then works', async () => {
    const client = aClient(service);
    const since = latest(service);
    await struckBy('SessionError', client);

    const id = await client.createCertificate(webServer(service));

    expect(service.journal(since).map(({ call, code }) => [call, code])).toEqual([
      ['connect', undefined],
      ['cert/new', 'SessionError'],
      ['connect', undefined],
      ['cert/new', undefined],
    ]);
    expect(service.certificates().at(-1)).toMatchObject({ id });
  });

  test('with an unknown code is reported with that code', async () => {
    const client = aClient(service);
    service.addFault({ call: 'cert/new', kind: 'error', code: 'QuotaReached', status: 403 });

    const error = await failureOf(client.createCertificate(webServer(service)));

    expect(error).toMatchObject({
      code: 'UnrecognizedCode',
      upstreamCode: 'QuotaReached',
      kind: 'credentials',
      status: 403,
      maybeExecuted: true,
    });
  });

  test('is known to the client for each code of the service, and for no other', () => {
    expect(Object.keys(refusals).sort()).toEqual(Object.keys(STATUS_OF_CODE).sort());
    expect(Object.keys(refusals)).toHaveLength(17);
  });

  test('of every code can come from a login, and then never leaves anything open', async () => {
    const since = latest(service);
    for (const code of Object.keys(refusals)) {
      service.addFault({ call: 'connect', kind: 'error', code });
      const error = await failureOf(aClient(service).createCertificate(webServer(service)));
      expect(error).toMatchObject({ code, call: 'connect', maybeExecuted: false });
    }
    expect(service.journal(since).filter(({ call }) => call !== 'connect')).toEqual([]);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { maybeExecuted, type TinyCertClient, TinyCertError } from '../../src/tinycert/index.ts';
import type { TinyCertErrorCode, TinyCertErrorKind } from '../../src/tinycert/index.ts';
import {
  type CallName,
  type DevServer,
  type FaultEffect,
  type JournalEntry,
  startDevServer,
} from '../../tools/dev-server/index.ts';
import {
  aClient,
  arrived,
  failureOf,
  holdings,
  latest,
  webServer,
} from '../support/world/tinycert-service.ts';
import { settle, VirtualClock } from '../support/virtual-clock.ts';

const HOUR = 3_600_000;
/** The default deadline of a call. */
const DEADLINE = 20_000;

let service: DevServer;
let certificateId: number;
beforeAll(async () => {
  service = await startDevServer({ keyPool: 2, keyPoolReuse: true });
});
afterAll(() => service.stop());
beforeEach(async () => {
  service.clearFaults();
  ({ id: certificateId } = await service.issueByHand({ cn: 'www.example.com' }));
});

/** Calls that change something. */
const calls = {
  'cert/new': (client) => client.createCertificate(webServer(service)),
  'cert/reissue': (client) => client.reissueCertificate(certificateId),
  'cert/status': (client) => client.setCertificateStatus(certificateId, 'revoked'),
} as const satisfies Partial<Record<CallName, (client: TinyCertClient) => Promise<unknown>>>;

type Acting = keyof typeof calls;

interface Case {
  fault: FaultEffect;
  code: TinyCertErrorCode;
  kind: TinyCertErrorKind;
  status?: number;
  detail?: string;
  /** Whether the service acts before the client learns of the failure, later, or never. */
  acts: 'before' | 'later' | 'never';
  /** The call ends by its deadline, which passes at this stage of the request. */
  until?: (entry: JournalEntry) => boolean;
  maybeExecuted: boolean;
}

const outage = { kind: 'passing', maybeExecuted: true } as const;
const nonsense = { code: 'ProtocolError', kind: 'protocol', maybeExecuted: true } as const;
const silence = { code: 'DeadlineExceeded', ...outage, until: (): boolean => true } as const;
const broken = { code: 'ConnectionLost', ...outage } as const;
const location = 'https://elsewhere.example/';
const tooLong = { ...nonsense, status: 200, detail: 'The reply is longer than 1048576 bytes.' } as const;
const moved = { ...nonsense, detail: 'The endpoint answered with a redirect.' } as const;

const cases: Record<string, Case> = {
  silence: { fault: { kind: 'hang' }, acts: 'never', ...silence },
  'a long delay': { fault: { kind: 'delay', ms: HOUR }, acts: 'never', ...silence },
  'a call executed after the client gave up': {
    fault: { kind: 'late', ms: 0 },
    acts: 'later',
    ...silence,
  },
  'a call executed after the connection broke': {
    fault: { kind: 'late', ms: 0, cut: true },
    acts: 'later',
    ...broken,
  },
  'a call that stops before it acts': {
    fault: { kind: 'hold' },
    acts: 'later',
    ...silence,
    until: ({ held }) => held === true,
  },
  'a call that stops after it acted': {
    fault: { kind: 'hold', when: 'after' },
    acts: 'before',
    ...silence,
    until: ({ held }) => held === true,
  },
  'an answer of one byte an hour': {
    fault: { kind: 'trickle', ms: HOUR },
    acts: 'before',
    ...silence,
    until: ({ httpStatus }) => httpStatus === 200,
  },
  'a reset before acting': { fault: { kind: 'reset-before' }, acts: 'never', ...broken },
  'a reset after acting': { fault: { kind: 'reset-after' }, acts: 'before', ...broken },
  'a truncated answer': { fault: { kind: 'truncated' }, acts: 'before', ...broken, status: 200 },
  'an answer without its last byte': {
    fault: { kind: 'truncated', bytes: 1000 },
    acts: 'before',
    ...broken,
    status: 200,
  },
  'a huge answer': { fault: { kind: 'huge' }, acts: 'never', ...tooLong },
  'a huge answer after acting': {
    fault: { kind: 'huge', acts: true },
    acts: 'before',
    ...tooLong,
  },
  'a redirect': { fault: { kind: 'redirect', location }, acts: 'never', ...moved, status: 302 },
  'a redirect that keeps the method, after acting': {
    fault: { kind: 'redirect', location, status: 307, acts: true },
    acts: 'before',
    ...moved,
    status: 307,
  },
  'a page of a gateway': {
    fault: { kind: 'html' },
    acts: 'never',
    code: 'UnexpectedStatus',
    ...outage,
    status: 502,
  },
  'a page of a gateway that lost the answer': {
    fault: { kind: 'html', status: 504, acts: true },
    acts: 'before',
    code: 'UnexpectedStatus',
    ...outage,
    status: 504,
  },
  'a page of a firewall that withholds the answer': {
    fault: { kind: 'html', status: 403, acts: true },
    acts: 'before',
    code: 'UnexpectedStatus',
    kind: 'protocol',
    maybeExecuted: true,
    status: 403,
  },
  'a page of a proxy that limits requests': {
    fault: { kind: 'html', status: 429 },
    acts: 'never',
    code: 'RateLimitExceeded',
    kind: 'rate-limit',
    maybeExecuted: false,
    status: 429,
  },
  'a page with status 200': {
    fault: { kind: 'html', status: 200 },
    acts: 'never',
    ...nonsense,
    status: 200,
  },
  'an error without a reason, after acting': {
    fault: { kind: 'error', code: 'UnknownError', acts: true },
    acts: 'before',
    code: 'UnknownError',
    ...outage,
    status: 500,
  },
  'an error without a reason and with an odd status, after acting': {
    fault: { kind: 'error', code: 'UnknownError', status: 400, acts: true },
    acts: 'before',
    code: 'UnknownError',
    ...outage,
    status: 400,
  },
  'an outage without JSON, after acting': {
    fault: { kind: 'not-json', status: 500, acts: true },
    acts: 'before',
    code: 'UnexpectedStatus',
    ...outage,
    status: 500,
  },
};

const matrix = Object.entries(cases).flatMap(([name, given]) =>
  (Object.keys(calls) as Acting[]).map((call) => ({ name, call, ...given })),
);

describe('a call that changes something', () => {
  test.each(matrix)('fails with the correct error: $call met by $name', async ({ call, ...given }) => {
    const clock = new VirtualClock();
    const client = aClient(service, { clock });
    await client.connect();
    const since = latest(service);
    const before = holdings(service);
    service.addFault({ call, ...given.fault });

    const outcome = failureOf(calls[call](client));
    if (given.until) await pass(clock, since, given.until);
    const error = await outcome;

    expect(error).toMatchObject({
      name: 'TinyCertError',
      code: given.code,
      kind: given.kind,
      call,
      maybeExecuted: given.maybeExecuted,
      ...(given.status === undefined ? {} : { status: given.status }),
      ...(given.detail === undefined ? {} : { detail: given.detail }),
    });
    const hasActed = (): boolean => JSON.stringify(holdings(service)) !== JSON.stringify(before);
    if (given.acts === 'later') {
      service.release();
      await service.waitForCall(({ seq, late }) => seq > since && late === true);
    }
    expect(hasActed()).toBe(given.acts !== 'never');
    // A call reported as without effect must have had none, and nothing is ever sent twice.
    expect(hasActed() && !maybeExecuted(error)).toBe(false);
    expect(arrived(service, since)).toEqual([call]);
  });

  test.each(['cert/new', 'cert/reissue'] as const)(
    'does not accept a body that is no JSON as a result: %s',
    async (call) => {
      const client = aClient(service);
      const before = service.certificates().length;
      service.addFault({ call, kind: 'not-json', acts: true });

      await expect(calls[call](client)).rejects.toMatchObject({ ...nonsense, status: 200 });
      expect(service.certificates().length).toBeGreaterThan(before);
    },
  );

  test.each<[string, FaultEffect]>([
    ['a delay', { kind: 'delay', ms: 20 }],
    ['an answer in single bytes', { kind: 'trickle', ms: 1 }],
  ])('tolerates %s within its deadline', async (_, fault) => {
    const client = aClient(service);
    service.addFault({ call: 'cert/new', ...fault });

    const id = await client.createCertificate(webServer(service));

    expect(service.certificates().at(-1)).toMatchObject({ id });
  });
});

const reads = {
  'cert/get': (client) => client.getCertificate(certificateId, 'key.dec'),
  'cert/list': (client) => client.listCertificates(service.authorityId),
  'ca/list': (client) => client.listAuthorities(),
} as const satisfies Partial<Record<CallName, (client: TinyCertClient) => Promise<unknown>>>;

describe('a call that only reads', () => {
  const spoiled: [keyof typeof reads, FaultEffect, object][] = [
    ['cert/get', { kind: 'huge' }, tooLong],
    // Its limit is higher, but a body that is no list is refused at its first byte.
    [
      'cert/list',
      { kind: 'huge' },
      { ...nonsense, detail: 'The list cannot be read: unexpected byte at 0.' },
    ],
    ['ca/list', { kind: 'huge' }, tooLong],
  ];
  for (const call of ['cert/get', 'cert/list', 'ca/list'] as const) {
    spoiled.push([call, { kind: 'truncated' }, broken]);
    spoiled.push([call, { kind: 'reset-after' }, broken]);
    spoiled.push([call, { kind: 'not-json' }, nonsense]);
    spoiled.push([call, { kind: 'html', status: 200 }, nonsense]);
    spoiled.push([call, { kind: 'redirect', location }, { ...moved, status: 302 }]);
    spoiled.push([call, { kind: 'html', status: 404 }, { code: 'UnexpectedStatus', kind: 'protocol' }]);
  }

  test.each(spoiled)(
    'fails with the correct error, and then works: %s met by %j',
    async (call, fault, expected) => {
      const client = aClient(service);
      service.addFault({ call, ...fault });

      await expect(reads[call](client)).rejects.toMatchObject({ call, ...expected });

      await expect(reads[call](client)).resolves.toBeDefined();
    },
  );
});

describe('a login', () => {
  test.each(Object.entries(cases))('met by %s makes its call fail without any doubt', async (_, given) => {
    const clock = new VirtualClock();
    const client = aClient(service, { clock });
    const since = latest(service);
    const before = holdings(service);
    service.addFault({ call: 'connect', ...given.fault });

    const outcome = failureOf(client.createCertificate(webServer(service)));
    if (given.until) await pass(clock, since, given.until);
    const error = await outcome;
    service.release();

    expect(error).toBeInstanceOf(TinyCertError);
    expect(error).toMatchObject({ code: given.code, maybeExecuted: false });
    expect(arrived(service, since)).toEqual(['connect']);
    expect(holdings(service)).toEqual(before);
  });
});

describe('an endpoint that cannot be reached', () => {
  test('fails before anything arrives, and works again when it is back', async () => {
    const client = aClient(service);
    const since = latest(service);
    await service.setOptions({ listening: false });

    await expect(client.createCertificate(webServer(service))).rejects.toMatchObject({
      code: 'ConnectionFailed',
      kind: 'passing',
      maybeExecuted: false,
    });
    expect(arrived(service, since)).toEqual([]);

    await service.setOptions({ listening: true });
    await client.createCertificate(webServer(service));
    expect(arrived(service, since)).toEqual(['connect', 'cert/new']);
  });

  test('fails if it is not trusted', async () => {
    const client = aClient(service, { ca: undefined });
    const since = latest(service);

    await expect(client.createCertificate(webServer(service))).rejects.toMatchObject({
      code: 'TlsFailure',
      kind: 'protocol',
      maybeExecuted: false,
    });
    expect(arrived(service, since)).toEqual([]);
  });
});

/** Lets the deadline pass as soon as the latest request has reached `until`. */
async function pass(
  clock: VirtualClock,
  since: number,
  until: (entry: JournalEntry) => boolean,
): Promise<void> {
  await service.waitForCall((entry) => entry.seq > since && until(entry));
  await settle();
  await clock.advance(DEADLINE);
}

import { beforeEach, describe, expect, test } from 'vitest';
import { attempt, certificate, inputs, issued, ref } from '../../../test/support/inputs/inputs.ts';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { AttemptMemory } from '../../issuance/attempt/memory.ts';
import { SendRefused } from '../../issuance/attempt/send-gate.ts';
import { MaterialError } from '../../issuance/secret/check-material.ts';
import { conditionOf } from '../../issuance/status/conditions.ts';
import { LastWritten } from '../../issuance/status/last-written.ts';
import { RateLimiter } from '../../issuance/status/rate-limit.ts';
import { StatusWriter } from '../../issuance/status/writer.ts';
import { tinycertKind } from '../../issuance/tinycert/kind.ts';
import { sealOf } from '../../issuance/tinycert/seal.ts';
import { ApiError } from '../../kube/errors.ts';
import { AppError } from '../../lib/errors.ts';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { Attempt } from '../../api/tinycert/certificate-status.ts';
import type { KubeClient } from '../../kube/client.ts';
import { TinyCertError } from '../../tinycert/index.ts';
import type { Inputs } from '../context/inputs.ts';
import type { Work } from '../context/work.ts';
import type { Publication } from '../decide/types.ts';
import { afterFailedCall, afterFailedPublication, afterFailedRead, afterFailedSync } from './failure.ts';

const timing = { sendWindow: 5_000, callDeadline: 20_000, lateExecution: 20_000 };
const QUIET_MS = 45_000;
const { signal } = new AbortController();

/** What a step did to the world around it. */
interface World {
  work: Work;
  /** Status writes, as patches. */
  writes: TinyCertCertificate[];
  /** What the account's gate and the directory were told, and what was warned of. */
  told: string[];
}

let clock: VirtualClock;
beforeEach(() => {
  clock = new VirtualClock();
});

function aWorld(
  given: Partial<Inputs> & { status?: TinyCertCertificate['status']; ca?: object } = {},
): World {
  const { status = { attempt }, ca: _, ...rest } = given;
  const sealer = {
    sealCodes: ({ length }: string) => ({ installation: `of ${length}`, apiKey: `and ${length}` }),
  };
  const resource = certificate({ status: { ...status, seal: sealOf(sealer, 'uid', status) } });
  const writes: TinyCertCertificate[] = [];
  const told: string[] = [];
  const kube = {
    mergePatch: (_: unknown, __: unknown, patch: TinyCertCertificate) => {
      // As a JSON merge patch does: null removes a field of the attempt.
      const entries = Object.entries(patch.status?.attempt ?? {}).filter(([, value]) => value !== null);
      const next = { ...patch.status, attempt: Object.fromEntries(entries) as unknown as Attempt };
      writes.push({ ...patch, status: next });
      return Promise.resolve({ ...resource, status: { ...resource.status, ...next } });
    },
  } as unknown as KubeClient;
  const crds = { fit: true, check: () => Promise.resolve() };
  const written = new LastWritten<TinyCertCertificate>({ clock });
  const account = {
    ...sealer,
    gate: {
      failed: (_: string, epoch: number, { reason }: { reason: string }) =>
        told.push(`failed ${epoch} ${reason}`),
      limited: (ms: number | undefined) => told.push(`limited ${ms}`),
      park: (_: object, afterMs?: number) => told.push(`park ${afterMs ?? 0}`),
    },
  };
  Object.assign(account, { client: given.ca, digest: attempt.account });
  const issuer = { key: 'k', account, authority: { id: 1, name: 'Example' } } as unknown as Work['issuer'];
  const deps = {
    clock,
    timing,
    attempts: new AttemptMemory<number>(),
    repairLimiter: new RateLimiter(clock),
    metrics: { issuances: { inc: ({ outcome }: { outcome: string }) => told.push(`counted ${outcome}`) } },
    warn: (_: object, reason: string) => told.push(`warned ${reason}`),
    wake: () => undefined,
    directory: {
      get: () => ({ ready: false }),
      fault: (_: object, { reason }: { reason: string }) => told.push(`issuer faulted ${reason}`),
    },
    statuses: new StatusWriter({ kube, clock, kind: tinycertKind, crds, written }),
  } as unknown as Work['deps'];
  const all = inputs({ secret: { state: 'absent' }, ...rest, certificate: resource });
  return {
    work: { deps, inputs: all, issuer, signal, log: {} as Work['log'] },
    writes,
    told,
  };
}

function issuing({ writes }: World): string | undefined {
  const written = writes.at(-1)?.status?.conditions;
  const condition = conditionOf(written, 'Issuing');
  return condition && `${condition.status} ${condition.reason}`;
}

const fault = (code: ConstructorParameters<typeof TinyCertError>[0], more: object = {}) =>
  new TinyCertError(code, { call: 'cert/new', ...more });

describe('after a purchase that returned no id', () => {
  test.each<[string, Error, { told: string[]; issuing?: string; outcome?: string; result: object }]>([
    [
      'an outage before the CA acted stops the account, and the certificate waits at its gate',
      fault('UnknownError', { maybeExecuted: false }),
      {
        told: ['counted failure', 'failed 0 UnknownError', 'park 0'],
        issuing: 'False IssuerNotReady',
        outcome: 'Refused',
        result: {},
      },
    ],
    [
      'an outage after which the CA may have acted leaves the attempt open until it is quiet',
      fault('UnknownError', { maybeExecuted: true }),
      {
        told: ['counted abandoned', 'failed 0 UnknownError', `park ${QUIET_MS}`],
        result: { requeueAfterMs: QUIET_MS },
      },
    ],
    [
      'a refused login stops the issuer, which wakes the certificate',
      new TinyCertError('PassphraseFailure', { call: 'connect', maybeExecuted: false }),
      {
        told: ['counted failure', 'issuer faulted PassphraseFailure'],
        issuing: 'False IssuerNotReady',
        outcome: 'Refused',
        result: {},
      },
    ],
    [
      'a rate limit pauses the gate for as long as the CA asks',
      fault('RateLimitExceeded', { retryAfterMs: 7_000, maybeExecuted: false }),
      {
        told: ['counted failure', 'limited 7000', 'park 0'],
        issuing: 'False RateLimitExceeded',
        outcome: 'Refused',
        result: {},
      },
    ],
    [
      'a refused request waits for another spec',
      fault('InputFailure', { maybeExecuted: false }),
      {
        told: ['counted failure', 'warned InputFailure'],
        issuing: 'False InputFailure',
        outcome: 'Refused',
        result: { requeueAfterMs: undefined },
      },
    ],
    [
      'a certificate that somebody else reissued is recovered',
      new TinyCertError('NotLatest', { call: 'cert/reissue', maybeExecuted: false }),
      { told: ['counted abandoned'], result: { requeueAfterMs: QUIET_MS } },
    ],
  ])('%s', async (_, error, want) => {
    const world = aWorld();
    const result = await afterFailedCall(world.work, attempt, error);

    expect(world.told).toEqual(want.told);
    expect(issuing(world)).toBe(want.issuing);
    expect(world.writes.at(-1)?.status?.attempt?.outcome).toBe(want.outcome);
    expect(result).toMatchObject(want.result);
  });

  test('a request that never left may be sent again at once, and nothing is written', async () => {
    const world = aWorld();
    world.work.deps.attempts.prepared(attempt.id, 0, 'uid');
    world.work.deps.attempts.sent(attempt.id);
    const refused = new SendRefused('TooLate', '');
    expect(await afterFailedCall(world.work, attempt, refused)).toEqual({ requeueAfterMs: 200 });
    const { progress } = world.work.deps.attempts.knowledgeOf(attempt.id, 0, timing, 'uid');
    expect([progress, world.writes, world.told]).toEqual([{ is: 'unsent' }, [], []]);
  });

  test('a second refusal in a row during a trial is not written again', async () => {
    const conditions = [
      {
        type: 'Ready',
        status: 'False',
        reason: 'IssuerNotReady',
        message:
          'TinyCertIssuer ca is not ready; its own conditions say why. The operator continues by itself as soon as it is.',
        lastTransitionTime: '2026-01-01T00:00:00Z',
        observedGeneration: 1,
      },
    ] as const;
    const [ready] = conditions;
    const status = { attempt, conditions: [ready, { ...ready, type: 'Issuing' }] };
    const world = aWorld({ status, turn: { phase: 'trial', epoch: 3 } });
    await afterFailedCall(world.work, attempt, fault('UnknownError', { maybeExecuted: false }));
    expect(world.writes).toEqual([]);
    expect(world.told).toContain('failed 3 UnknownError');
  });

  describe('because the CA has no certificate to reissue', () => {
    const reissue = { ...attempt, operation: 'Reissue', previousId: 7 } as const;
    const error = new TinyCertError('NotFound', { call: 'cert/reissue', maybeExecuted: false });
    const denied = new TinyCertError('NotFound', { call: 'cert/details' });
    const busy = new TinyCertError('UnknownError', { call: 'cert/details' });

    test.each<[string, (Error | undefined)[], string]>([
      ['the next one is new if the details say so twice, too', [denied, denied], 'NotFound'],
      ['it is asked for again if the details show the certificate', [undefined], 'Refused'],
      ['it is asked for again if the second answer shows it', [denied, undefined], 'Refused'],
      ['it is asked for again if the details cannot be read', [busy], 'Refused'],
    ])('%s', async (_, answers, outcome) => {
      const getCertificateDetails = () => {
        const answer = answers.shift();
        return answer ? Promise.reject(answer) : Promise.resolve({ id: 7, status: 'good' });
      };
      const world = aWorld({ ca: { getCertificateDetails } });
      await afterFailedCall(world.work, reissue, error);
      expect(world.writes.at(-1)?.status?.attempt?.outcome).toBe(outcome);
      expect(answers).toEqual([]);
    });
  });

  test.each(['InputFailure', 'NotFound', 'UnrecognizedCode'] as const)(
    'with %s after which the CA may have acted, the attempt stays open and is looked up after a backoff',
    async (code) => {
      const world = aWorld();
      const result = await afterFailedCall(
        world.work,
        attempt,
        fault(code, { status: 400, maybeExecuted: true }),
      );
      expect(world.told).toEqual(['counted abandoned', `warned ${code}`]);
      expect(world.writes.at(-1)?.status?.attempt).not.toHaveProperty('outcome');
      expect(result.requeueAfterMs).toBeGreaterThan(QUIET_MS);
    },
  );

  test.each<[string, Error]>([
    ['an error of our own', new Error('bug')],
    ['a conflict of the API server', conflict()],
  ])('%s is rethrown', async (_, error) => {
    await expect(afterFailedCall(aWorld().work, attempt, error)).rejects.toBe(error);
  });
});

function conflict(): ApiError {
  return new ApiError({ status: 409, reason: 'Conflict', message: '', verb: 'patch', resource: 'secrets' });
}

describe('after a certificate could not be published', () => {
  const publication = { certificate: ref(9), outcome: 'success' } as const;

  test.each<[string, Error, string[], string | undefined]>([
    [
      'one that fails the checks is fetched again after a backoff',
      new MaterialError('InvalidKeyPair', 'The key does not fit.'),
      ['warned InvalidKeyPair'],
      'False InvalidKeyPair',
    ],
    [
      'one whose Secret cannot be written is written again after a backoff',
      new ApiError({ status: 403, reason: 'Forbidden', message: 'no', verb: 'create', resource: 'secrets' }),
      ['warned SecretNotWritten'],
      'False SecretNotWritten',
    ],
    [
      'one that an outage interrupts waits at the gate',
      new TinyCertError('UnknownError', { call: 'cert/get', maybeExecuted: false }),
      ['failed 0 UnknownError', 'park 0'],
      'False IssuerNotReady',
    ],
    ['one whose Secret another process wrote is decided again at once', conflict(), [], undefined],
  ])('%s, and its id is kept', async (_, error, told, want) => {
    const world = aWorld();
    await afterFailedPublication(world.work, publication, error);
    expect(world.told).toEqual(told);
    expect(issuing(world)).toBe(want);
    expect(world.writes.at(-1)?.status?.attempt?.certificateId).toBe(9);
  });

  describe('the count of refusals in a row', () => {
    const material = new MaterialError('InvalidKeyPair', 'The key does not fit.');
    const denied = new TinyCertError('NotFound', { call: 'cert/get' });
    const access = new TinyCertError('AccessDenied', { call: 'cert/get' });
    const gone = new AppError('CertificateGone', '');
    const before = (certificateId: number) => ({ ...ref(certificateId), count: 3, confirmed: true });

    test.each<[string, Error, number | undefined, object | null | undefined]>([
      ['begins with the first', denied, undefined, { ...ref(9), count: 1, confirmed: false }],
      ['goes on with the next', access, 9, { ...ref(9), count: 4, confirmed: false }],
      ['begins anew with another certificate', denied, 8, { ...ref(9), count: 1, confirmed: false }],
      ['notes that the certificate does not exist', gone, 9, { ...ref(9), count: 4, confirmed: true }],
      ['ends once the CA hands something out', material, 9, null],
      ['is not written where there is none', material, undefined, undefined],
      ['is not changed by an outage', new TinyCertError('UnknownError', { call: 'cert/get' }), 9, undefined],
    ])('%s', async (_, error, of, want) => {
      const status = { attempt, ...(of === undefined ? {} : { refusedFetches: before(of) }) };
      const world = aWorld({ status });
      await afterFailedPublication(world.work, publication, error);
      expect(world.writes.at(-1)?.status?.refusedFetches).toEqual(want);
    });
  });

  test('one that status names already leaves the attempt as it is', async () => {
    const world = aWorld({ status: issued });
    const error = new MaterialError('InvalidKeyPair', 'The key does not fit.');
    await afterFailedPublication(world.work, { certificate: ref(7), outcome: 'republished' }, error);
    expect(world.writes.at(-1)?.status?.attempt).toMatchObject({ certificateId: 7 });
    expect(world.writes.at(-1)?.status?.failedAttempts).toBe(1);
  });
});

test.each<[string, Publication['outcome'], TinyCertCertificate['status'], boolean]>([
  ['a new certificate', 'success', { attempt }, true],
  ['one that a recovery found', 'adopted', { attempt }, true],
  ['one that is restored after a failure', 'republished', { ...issued, failedAttempts: 1 }, true],
  ['one that is restored, which was counted before', 'republished', issued, false],
])(
  'a Secret that others write whenever %s is written to it is fetched for ever more rarely',
  async (_, outcome, status, isCounted) => {
    const world = aWorld({ status });
    const { repairLimiter } = world.work.deps;
    const waits: number[] = [];
    for (let i = 0; i < 5; i += 1) {
      await afterFailedPublication(world.work, { certificate: ref(9), outcome }, conflict());
      waits.push(repairLimiter.delay('uid'));
    }
    expect(waits.map((ms) => ms > 0)).toEqual([false, false, isCounted, isCounted, isCounted]);
    expect(world.told).toEqual(isCounted ? ['warned SecretContested'] : []);
  },
);

describe('after a Secret could not be completed', () => {
  const refused = (status: number) =>
    new ApiError({ status, reason: 'Invalid', message: 'no', verb: 'PATCH', resource: 'secrets' });

  test('it is reported and tried again after a backoff, and a broken seal stays with what it names', async () => {
    const world = aWorld({ status: issued });
    const { work } = world;
    const { certificate } = work.inputs;
    const broken = { ...certificate, status: { ...certificate.status, seal: 'broken' } };
    const task = { ...work, inputs: { ...work.inputs, certificate: broken } };
    const { requeueAfterMs } = await afterFailedSync(task, refused(422));
    expect(requeueAfterMs).toBeGreaterThan(50_000);
    expect(world.told).toEqual(['warned SecretNotWritten']);
    expect(issuing(world)).toBe('False SecretNotWritten');
    expect(world.writes.at(-1)?.status).toMatchObject({
      failedAttempts: 1,
      seal: 'broken',
      certificateId: issued.certificateId,
    });
  });

  test('a conflict is rethrown', async () => {
    const error = refused(409);
    await expect(afterFailedSync(aWorld().work, error)).rejects.toBe(error);
  });
});

describe('after a read at the CA that failed before any attempt', () => {
  test('a fault of the account is waited for', async () => {
    const world = aWorld();
    await afterFailedRead(world.work, new TinyCertError('UnknownError', { call: 'ca/get' }));
    expect(world.told).toEqual(['failed 0 UnknownError', 'park 0']);
  });

  test.each<[string, Error]>([
    ['an error that concerns nobody else', new TinyCertError('NotFound', { call: 'cert/details' })],
    ['an error of our own', new Error('bug')],
  ])('%s is rethrown', async (_, error) => {
    await expect(afterFailedRead(aWorld().work, error)).rejects.toBe(error);
  });
});

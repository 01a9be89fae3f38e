import { describe, expect, test } from 'vitest';
import { aWorld, found, issuing } from '../../../test/support/inputs/failure-world.ts';
import { issued, ref } from '../../../test/support/inputs/inputs.ts';
import { SendRefused } from '../../issuance/attempt/send-gate.ts';
import { ApiError } from '../../kube/errors.ts';
import { TinyCertError } from '../../tinycert/index.ts';
import { afterFailedCall, afterFailedRead, afterFailedSync } from './failure.ts';

const QUIET_MS = 45_000;

const fault = (code: ConstructorParameters<typeof TinyCertError>[0], more: object = {}) =>
  new TinyCertError(code, { call: 'cert/new', ...more });

describe('after a purchase that returned no id', () => {
  test.each<[string, Error, { told: string[]; issuing?: string; isOver?: true; result: object }]>([
    [
      'an outage before the CA acted stops the account, and the certificate waits at its gate',
      fault('UnknownError', { maybeExecuted: false }),
      {
        told: ['counted failure', 'failed 0 UnknownError', 'park 0'],
        issuing: 'False IssuerNotReady',
        isOver: true,
        result: {},
      },
    ],
    [
      'an outage after which the CA may have acted stops the account, and the attempt is recovered',
      fault('UnknownError', { maybeExecuted: true }),
      {
        told: ['counted abandoned', 'failed 0 UnknownError'],
        result: { requeueAfterMs: 0 },
      },
    ],
    [
      'a refused login stops the issuer, which wakes the certificate',
      new TinyCertError('PassphraseFailure', { call: 'connect', maybeExecuted: false }),
      {
        told: ['counted failure', 'issuer faulted PassphraseFailure'],
        issuing: 'False IssuerNotReady',
        isOver: true,
        result: {},
      },
    ],
    [
      'a rate limit pauses the gate for as long as the CA asks',
      fault('RateLimitExceeded', { retryAfterMs: 7_000, maybeExecuted: false }),
      {
        told: ['counted failure', 'limited 7000', 'park 0'],
        issuing: 'False RateLimitExceeded',
        isOver: true,
        result: {},
      },
    ],
    [
      'a refused request waits for another spec',
      fault('InputFailure', { maybeExecuted: false }),
      {
        told: ['counted failure', 'warned InputFailure'],
        issuing: 'False InputFailure',
        isOver: true,
        result: { requeueAfterMs: undefined },
      },
    ],
    [
      'a certificate that somebody else reissued is recovered',
      new TinyCertError('NotLatest', { call: 'cert/reissue', maybeExecuted: false }),
      { told: ['counted abandoned'], result: { requeueAfterMs: 0 } },
    ],
  ])('%s', async (_, error, want) => {
    const world = await aWorld();
    const result = await afterFailedCall(world.work, world.open, error);

    expect(world.told).toEqual(want.told);
    expect(issuing(world)).toBe(want.issuing);
    expect(result).toMatchObject(want.result);
    // What the CA refused is over. Whatever else becomes of the attempt, its purchase is looked for.
    expect(found(world)).toEqual(want.isOver ? undefined : world.open);
    await world.clock.advance(1_000);
    expect(world.journal.entryKeys).toHaveLength(want.isOver ? 0 : 1);
  });

  test('a request that never left may be sent again at once, and nothing is written', async () => {
    const world = await aWorld();
    const refused = new SendRefused('TooLate', '');
    expect(await afterFailedCall(world.work, world.open, refused)).toEqual({ requeueAfterMs: 200 });
    expect(found(world)).toEqual({ ...world.open, progress: { is: 'unsent' } });
    expect([world.writes, world.told]).toEqual([[], []]);
  });

  test.each<[string, Error]>([
    ['a refusal of the request', fault('InputFailure', { maybeExecuted: false })],
    ['an outage before the CA acted', fault('UnknownError', { maybeExecuted: false })],
  ])('replyOnce: %s keeps the count of answers in doubt, and the attempt is made again', async (_, error) => {
    const world = await aWorld({ asked: { doubts: 1 } });
    await afterFailedCall(world.work, world.open, error);
    await world.clock.advance(1_000);
    expect(found(world)).toMatchObject({ attempt: { doubts: 1 }, progress: { is: 'unsent' } });
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
    const status = { conditions: [ready, { ...ready, type: 'Issuing' }] };
    const world = await aWorld({ status, turn: { phase: 'trial', epoch: 3 } });
    await afterFailedCall(world.work, world.open, fault('UnknownError', { maybeExecuted: false }));
    expect(world.writes).toEqual([]);
    expect(world.told).toContain('failed 3 UnknownError');
  });

  describe('because the CA has no certificate to reissue', () => {
    const asked = { operation: 'Reissue', previousId: 7 } as const;
    const gone = (count: number) => ({ ...ref(7), count, confirmed: true });
    const error = new TinyCertError('NotFound', { call: 'cert/reissue', maybeExecuted: false });
    const denied = new TinyCertError('NotFound', { call: 'cert/details' });
    const busy = new TinyCertError('UnknownError', { call: 'cert/details' });

    test.each<[string, (Error | undefined)[], object | undefined]>([
      ['the next one is new if the details say so twice, too', [denied, denied], gone(1)],
      ['it is asked for again if the details show the certificate', [undefined], undefined],
      ['it is asked for again if the second answer shows it', [denied, undefined], undefined],
      ['it is asked for again if the details cannot be read', [busy], undefined],
    ])('%s', async (_, answers, refusedFetches) => {
      const getCertificateDetails = () => {
        const answer = answers.shift();
        return answer ? Promise.reject(answer) : Promise.resolve({ id: 7, status: 'good' });
      };
      const world = await aWorld({ ca: { getCertificateDetails }, asked });
      await afterFailedCall(world.work, world.open, error);
      expect(world.writes.at(-1)?.status?.refusedFetches).toEqual(refusedFetches);
      expect(found(world)).toBeUndefined();
      expect(answers).toEqual([]);
    });

    test.each([
      ['goes on', 7, 3],
      ['begins anew after another certificate', 6, 1],
    ])('the count of refusals %s', async (_, certificateId, count) => {
      const ca = { getCertificateDetails: () => Promise.reject(denied) };
      const before = { ...ref(certificateId), count: 2, confirmed: false };
      const world = await aWorld({ ca, asked, status: { refusedFetches: before } });
      await afterFailedCall(world.work, world.open, error);
      expect(world.writes.at(-1)?.status?.refusedFetches).toEqual(gone(count));
    });
  });

  test.each(['InputFailure', 'NotFound', 'UnrecognizedCode'] as const)(
    'with %s after which the CA may have acted, the attempt stays open and is looked up after a backoff',
    async (code) => {
      const world = await aWorld();
      const result = await afterFailedCall(
        world.work,
        world.open,
        fault(code, { status: 400, maybeExecuted: true }),
      );
      expect(world.told).toEqual(['counted abandoned', `warned ${code}`]);
      expect(found(world)).toEqual(world.open);
      expect(result.requeueAfterMs).toBeGreaterThan(QUIET_MS);
    },
  );

  test.each<[string, Error]>([
    ['an error of our own', new Error('bug')],
    ['a conflict of the API server', refusal(409)],
  ])('%s is rethrown', async (_, error) => {
    const world = await aWorld();
    await expect(afterFailedCall(world.work, world.open, error)).rejects.toBe(error);
    expect(found(world)).toEqual(world.open);
  });
});

function refusal(status: number): ApiError {
  return new ApiError({ status, reason: 'Invalid', message: 'no', verb: 'PATCH', resource: 'secrets' });
}

describe('after a Secret could not be completed', () => {
  test('it is reported and tried again after a backoff, and a broken seal stays with what it names', async () => {
    const world = await aWorld({ status: issued });
    const { work } = world;
    const { certificate } = work.inputs;
    const broken = { ...certificate, status: { ...certificate.status, seal: 'broken' } };
    const task = { ...work, inputs: { ...work.inputs, certificate: broken } };
    const { requeueAfterMs } = await afterFailedSync(task, refusal(422));
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
    const error = refusal(409);
    const { work } = await aWorld();
    await expect(afterFailedSync(work, error)).rejects.toBe(error);
  });
});

describe('after a read at the CA that failed before any attempt', () => {
  test('a fault of the account is waited for', async () => {
    const world = await aWorld();
    await afterFailedRead(world.work, new TinyCertError('UnknownError', { call: 'ca/get' }));
    expect(world.told).toEqual(['failed 0 UnknownError', 'park 0']);
  });

  test.each<[string, Error]>([
    ['an error that concerns nobody else', new TinyCertError('NotFound', { call: 'cert/details' })],
    ['an error of our own', new Error('bug')],
  ])('%s is rethrown', async (_, error) => {
    const { work } = await aWorld();
    await expect(afterFailedRead(work, error)).rejects.toBe(error);
  });
});

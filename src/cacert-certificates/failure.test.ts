import { describe, expect, test } from 'vitest';
import { attempt, brandNew, condition, issued, pendingKey } from '../../test/support/inputs/cacert-inputs.ts';
import { CAcertStage } from '../../test/support/inputs/cacert-step.ts';
import { ApiError } from '../kube/errors.ts';
import { secrets } from '../kube/objects.ts';
import type { CAcertErrorCode } from '../cacert/error-codes.ts';
import { CAcertError, type CAcertErrorDetails } from '../cacert/errors.ts';
import { SendRefused } from '../issuance/attempt/send-gate.ts';
import { conditionOf } from '../issuance/status/conditions.ts';
import { CAcertLogin } from '../account/cacert-account.ts';
import { cacertCertificates } from '../api/kinds.ts';
import { UNCERTAIN_WAIT_MS } from './backoffs.ts';
import { afterFailedCall, afterRefusedSecret } from './failure.ts';

function error(code: CAcertErrorCode, details: Partial<CAcertErrorDetails> = {}): CAcertError {
  return new CAcertError(code, { call: 'ccsr.php', ...details });
}

/** What the failure stopped: everybody who uses the account, its login, or nobody. */
function stoppedBy({ gate, deps, account }: CAcertStage): string {
  if (gate.breaker.state === 'open') return 'account';
  if (gate.pausedFor > 0) return 'pause';
  return deps.directory.get(account.key)?.ready ? 'nobody' : 'login';
}

/** What a failed call leaves behind. */
async function after(thrown: unknown, change: Parameters<CAcertStage['work']>[0] = {}) {
  const stage = new CAcertStage();
  stage.deps.attempts.prepared(attempt.id, stage.clock.monotonic(), 'uid');
  stage.deps.attempts.sent(attempt.id);
  const work = stage.work({ ...brandNew, status: { attempt }, pending: pendingKey(), ...change });
  const result = await afterFailedCall(work, attempt, thrown);
  const { status } = stage.stored();
  return {
    stage,
    result,
    status,
    issuing: conditionOf(status?.conditions, 'Issuing'),
    stops: stoppedBy(stage),
  };
}

const refusals: [CAcertErrorCode, Partial<CAcertErrorDetails>][] = [
  ['EmailRefused', { status: 200 }],
  ['KeyRefused', { status: 200, refusal: 'KeyTooSmall' }],
  ['CsrRefused', { status: 200 }],
  ['InvalidInput', {}],
  ['Aborted', {}],
];

describe('a refusal of the request', () => {
  test.each(refusals)('(%s) waits for another spec, and is an event', async (code, details) => {
    const { stage, result, status, issuing, stops } = await after(error(code, details));

    expect(status).toMatchObject({ attempt: { outcome: 'Refused' }, failedAttempts: 1 });
    expect(status).not.toHaveProperty('nextAttemptTime');
    expect(issuing).toMatchObject({ status: 'False', reason: code });
    expect(result).toEqual({ requeueAfterMs: undefined, requeueAt: undefined });
    expect(stage.events).toEqual([code]);
    expect(stops).toBe('nobody');
    expect(await stage.counted('failure')).toBe(1);
  });

  test('shows the detail behind its sentence', async () => {
    const { issuing } = await after(error('InvalidInput', { detail: 'csr is empty.' }));
    expect(issuing?.message).toMatch(/\. \(csr is empty\.\)$/);
  });
});

describe('a fault of the account', () => {
  test.each<[CAcertErrorCode, Partial<CAcertErrorDetails>, string]>([
    ['CredentialsRejected', { status: 200 }, 'login'],
    ['TlsFailure', {}, 'login'],
    ['Closed', {}, 'login'],
    ['ConnectionFailed', {}, 'account'],
    ['DeadlineExceeded', {}, 'account'],
    ['UnexpectedStatus', { status: 404 }, 'account'],
    ['ProtocolError', { status: 200 }, 'account'],
    ['UnexpectedStatus', { status: 429 }, 'pause'],
  ])('(%s %j) stops: %s; it has no event or wait of its own', async (code, details, whom) => {
    const { stage, result, status, issuing, stops } = await after(error(code, details));

    expect(stops).toBe(whom);
    expect(status).toMatchObject({ attempt: { outcome: 'Refused' } });
    expect(status).not.toHaveProperty('failedAttempts');
    expect(issuing).toMatchObject({ status: 'False', reason: 'AccountNotReady' });
    expect(result).toEqual({ requeueAt: undefined });
    expect(stage.events).toEqual([]);
    // The directory signals a login that works again; the gate calls in the other cases.
    expect(stage.gate.load.parked).toBe(whom === 'login' ? 0 : 1);
  });

  test('pauses it for the time that the answer names', async () => {
    const { stage } = await after(error('UnexpectedStatus', { status: 429, retryAfterMs: 90_000 }));
    expect(stage.gate.pausedFor).toBe(90_000);
  });

  test('comes again soon if the account got other credentials during the call', async () => {
    const stage = new CAcertStage();
    const work = stage.work({ ...brandNew, status: { attempt } });
    const login = new CAcertLogin(stage.account.account.client, stage.gate);
    stage.deps.directory.set(stage.account.key, {
      ready: true,
      issuer: { ...stage.account, account: login },
    });

    expect(await afterFailedCall(work, attempt, error('Closed'))).toEqual({ requeueAfterMs: 200 });

    expect(stage.deps.directory.get(stage.account.key)?.ready).toBe(true);
  });

  test('still reports when the served certificate expires', async () => {
    const stage = new CAcertStage();
    const served = { status: { ...issued, attempt } };
    const result = await afterFailedCall(stage.work(served), attempt, error('ConnectionFailed'));
    expect(result).toEqual({ requeueAt: Date.parse(issued.notAfter ?? '') });
  });
});

describe('an unknown outcome', () => {
  test.each<[CAcertErrorCode, Partial<CAcertErrorDetails>, string]>([
    ['IssuanceUncertain', { maybeExecuted: true, status: 200 }, 'nobody'],
    ['ConnectionLost', { maybeExecuted: true }, 'account'],
    ['DeadlineExceeded', { maybeExecuted: true }, 'account'],
    ['ProtocolError', { maybeExecuted: true, status: 200 }, 'account'],
    ['Closed', { maybeExecuted: true }, 'login'],
  ])('(%s %j) waits a quarter of an hour, is an event, and stops: %s', async (code, details, whom) => {
    const { stage, result, status, issuing, stops } = await after(error(code, details));

    expect(status).toMatchObject({ attempt: { outcome: 'Uncertain' }, failedAttempts: 1 });
    expect(Date.parse(status?.nextAttemptTime ?? '') - stage.clock.now()).toBeGreaterThanOrEqual(
      UNCERTAIN_WAIT_MS,
    );
    expect(result.requeueAfterMs).toBeGreaterThanOrEqual(UNCERTAIN_WAIT_MS);
    expect(issuing).toMatchObject({ status: 'False', reason: 'IssuanceUncertain' });
    expect(stage.events).toEqual(['IssuanceUncertain']);
    expect(stops).toBe(whom);
    expect(await stage.counted('uncertain')).toBe(1);
  });

  test('records the number of the request, and names its page', async () => {
    const { status, issuing } = await after(error('IssuanceUncertain', { requestId: 288_123 }));

    expect(status?.attempt).toMatchObject({ requestId: '288123' });
    expect(issuing?.message).toContain('account.php?id=6&cert=288123');
  });

  test('waits longer after each failure', async () => {
    const status = { attempt, failedAttempts: 8, conditions: [condition('Issuing', 'True', 'Issuing')] };
    const { result } = await after(error('IssuanceUncertain'), { status });

    expect(result.requeueAfterMs).toBeGreaterThan(2 * UNCERTAIN_WAIT_MS);
  });
});

describe('a failed call', () => {
  test('that was never sent writes nothing, and may be made again at once', async () => {
    const { stage, result } = await after(new SendRefused('TooLate', 'late'));

    expect(result).toEqual({ requeueAfterMs: 200 });
    expect(stage.kube.writes).toEqual([]);
    expect(stage.remembered(attempt.id)).toMatchObject({ progress: { is: 'unsent' } });
  });

  test('is recorded although somebody edited the resource during the call', async () => {
    const stage = new CAcertStage();
    const work = stage.work({ ...brandNew, status: { attempt } });
    const stored = stage.stored();
    const metadata = { ...stored.metadata, generation: 2, resourceVersion: '2' };
    stage.kube.put(cacertCertificates, { ...stored, metadata });

    await afterFailedCall(work, attempt, error('CsrRefused'));

    const { status } = stage.stored();
    expect(status?.attempt?.outcome).toBe('Refused');
    expect(conditionOf(status?.conditions, 'Issuing')?.observedGeneration).toBe(1);
  });

  test.each([
    ['an error that is not CAcert’s', new Error('a bug'), false],
    ['any error after the reconcile was aborted', error('Aborted', { maybeExecuted: true }), true],
  ])('rethrows %s, and writes nothing', async (_, thrown, isAborted) => {
    const stage = new CAcertStage();
    const work = stage.work({ ...brandNew, status: { attempt } });
    if (isAborted) stage.abort.abort();

    await expect(afterFailedCall(work, attempt, thrown)).rejects.toBe(thrown);

    expect(stage.kube.writes).toEqual([]);
  });

  test('is forgotten by this process once it is recorded', async () => {
    const { stage } = await after(error('IssuanceUncertain'));
    expect(stage.deps.attempts.size).toBe(0);
  });
});

describe('after the API server refused a Secret', () => {
  const refused = (status: number, resource = 'secrets') =>
    new ApiError({ status, reason: 'Invalid', message: 'data: Too long.', verb: 'PATCH', resource });
  const pendingSecret = { namespace: 'ns', name: 'mail-pending-uid' };

  /** Handles the refusal while this process alone has what CAcert signed. */
  async function afterRefusal(thrown: Error, onWrite: (path: string) => void = () => undefined) {
    const stage = new CAcertStage();
    const { attempts } = stage.deps;
    attempts.prepared(attempt.id, stage.clock.monotonic(), 'uid');
    attempts.sent(attempt.id);
    attempts.bought(attempt.id, 'signed');
    const known = stage.remembered(attempt.id);
    const status = { attempt };
    const work = stage.work({ ...brandNew, status, pending: pendingKey(), attempt: known });
    stage.kube.onWrite = (_, path) => onWrite(path);
    const result = await afterRefusedSecret(work, 'mail-tls', thrown);
    return { stage, result };
  }

  test('it is reported with the cure, and what CAcert signed is kept beside its key', async () => {
    const { stage, result } = await afterRefusal(refused(422));

    expect(stage.kube.now(secrets, pendingSecret)).toMatchObject({
      data: { 'tls.crt': Buffer.from('signed').toString('base64') },
    });
    const { status } = stage.stored();
    expect(status).toMatchObject({ attempt, failedAttempts: 1 });
    expect(status?.attempt).not.toHaveProperty('outcome');
    expect(conditionOf(status?.conditions, 'Issuing')).toMatchObject({
      status: 'False',
      reason: 'SecretNotWritten',
      message:
        'The Secret mail-tls could not be written: data: Too long. Remove from the Secret what makes it invalid or too large. The operator tries again by itself.',
    });
    expect(stage.events).toEqual(['SecretNotWritten']);
    expect(result.requeueAfterMs).toBeGreaterThan(50_000);
  });

  test('it is reported even if the certificate cannot be kept, which this process still has', async () => {
    const { stage } = await afterRefusal(refused(403), (path) => {
      if (path.startsWith('secrets')) throw refused(403);
    });

    expect(stage.events).toEqual(['SecretNotWritten']);
    expect(stage.remembered(attempt.id)).toMatchObject({ progress: { is: 'bought' } });
  });

  test.each<[string, Error]>([
    ['a conflict', refused(409)],
    ['a Secret that is gone', refused(404)],
    ['a connection without an answer', refused(0)],
    ['a refused status', refused(422, 'cacertcertificates')],
    ['an error of our own', new Error('bug')],
  ])('%s is rethrown', async (_, thrown) => {
    await expect(afterRefusal(thrown)).rejects.toBe(thrown);
  });
});

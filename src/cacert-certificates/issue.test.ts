import { createHash } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import {
  attempt,
  brandNew,
  CAcertVectors,
  certificate,
  issued,
  pendingKey,
} from '../../test/support/inputs/cacert-inputs.ts';
import { CAcertStage, kubeError } from '../../test/support/inputs/cacert-step.ts';
import { CAcertError } from '../cacert/errors.ts';
import { turnOf } from '../issuance/decide/gate-turn.ts';
import { conditionOf } from '../issuance/status/conditions.ts';
import { secrets } from '../kube/objects.ts';
import { verifySigningRequest } from '../x509/signing-request.ts';
import { issue } from './issue.ts';

const ca = new CAcertVectors();
afterAll(() => ca.remove());

const { privateKey } = ca.sign();
const why = { reason: 'DoesNotExist', message: 'No certificate has been issued yet.' };
const pendingSecret = { namespace: 'ns', name: 'mail-pending-uid' };
const withKey = { ...brandNew, pending: pendingKey({ key: privateKey }) };
const unanswered = new CAcertError('ConnectionLost', { call: 'ccsr.php', maybeExecuted: true });

describe('before the first byte is sent', () => {
  test('the key is stored, and then the attempt', async () => {
    const stage = new CAcertStage();
    stage.answer = () => {
      stage.kube.writes.push('send');
      return 'signed';
    };

    await issue(stage.work(brandNew), why);

    expect(stage.kube.writes).toEqual([
      'create secrets ns/mail-pending-uid',
      'patch cacertcertificates ns/mail',
      'send',
    ]);
  });

  test('the attempt has everything that a person or another process needs', async () => {
    const stage = new CAcertStage();
    await issue(stage.work({ ...withKey, status: { attempt } }), why);

    const { status } = stage.stored();
    const startTime = new Date(stage.clock.now()).toISOString();
    expect(status?.attempt).toEqual({
      number: 2,
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      holder: 'pod',
      startTime,
      specHash: attempt.specHash,
      pendingSecretName: 'mail-pending-uid',
      publicKeyHash: createHash('sha256').update(privateKey.toPublicKey()).digest('hex'),
      reason: 'DoesNotExist',
    });
    expect(status?.attemptTimes).toEqual([startTime]);
    expect(conditionOf(status?.conditions, 'Issuing')).toMatchObject({ status: 'True', ...why });
  });

  test.each([
    ['the key cannot be stored', brandNew, 'create secrets ns/mail-pending-uid'],
    ['the attempt cannot be recorded', withKey, 'patch cacertcertificates ns/mail'],
  ])('nothing is sent if %s', async (_, change, failing) => {
    const stage = new CAcertStage();
    let isSent = false;
    stage.answer = () => {
      isSent = true;
      return 'signed';
    };
    const work = stage.work(change);
    stage.kube.onWrite = (verb, path) => {
      if (`${verb} ${path}` === failing) throw kubeError(503, 'ServiceUnavailable');
    };

    await expect(issue(work, why)).rejects.toMatchObject({ status: 503 });

    expect(isSent).toBe(false);
    expect(stage.gate.load.inside).toBe(0);
  });

  test('an attempt is remembered as not sent if the answer to its write is lost, and not at all after a conflict', async () => {
    for (const [status, reason, remembered] of [
      [503, 'ServiceUnavailable', 1],
      [409, 'Conflict', 0],
    ] as const) {
      const stage = new CAcertStage();
      const work = stage.work(withKey);
      stage.kube.onWrite = () => {
        throw kubeError(status, reason);
      };

      await expect(issue(work, why)).rejects.toMatchObject({ status });

      expect(stage.deps.attempts.size).toBe(remembered);
    }
  });
});

describe('the key', () => {
  const served = { ...issued, attempt: { ...attempt, serialNumber: '0a' } };

  test.each([
    ['that is pending is used again', withKey, true],
    [
      'for another account is replaced',
      { ...brandNew, pending: pendingKey({ key: privateKey, account: 'you' }) },
      false,
    ],
    ['that somebody damaged is replaced', { ...brandNew, pending: pendingKey() }, false],
    [
      'of another size is replaced',
      { ...withKey, spec: { privateKey: { size: 3072, rotationPolicy: 'Always' } } } as const,
      false,
    ],
    ['is new at each renewal', { status: served }, false],
  ])('%s', async (_, change, isSame) => {
    const stage = new CAcertStage();
    let csr = '';
    stage.answer = (input) => {
      csr = input.csr;
      return 'signed';
    };

    await issue(stage.work(change), why);

    expect(verifySigningRequest(csr).equals(privateKey.toPublicKey())).toBe(isSame);
  });

  test('that is pending loses the unfit certificate beside it', async () => {
    const stage = new CAcertStage();
    const pending = pendingKey({ key: privateKey, certificate: 'pem' });
    await issue(stage.work({ ...brandNew, pending }), why);

    const stored = stage.kube.now(secrets, pendingSecret);
    expect(stored?.data?.['tls.crt']).toBe('');
    expect(Buffer.from(stored?.data?.['tls.key'] ?? '', 'base64').toString()).toBe(privateKey.toPkcs8());
  });
});

describe('the request', () => {
  test('asks for what the spec asks for, in the encoding of the account', async () => {
    const stage = new CAcertStage();
    const asked: unknown[] = [];
    stage.answer = (input) => {
      asked.push(input);
      return 'signed';
    };
    const spec = {
      commonName: 'Jane Doe',
      codeSigning: true,
      emailAddresses: ['a@example.org', 'A@example.org'],
    };
    await issue(stage.work({ ...withKey, spec }), why);

    expect(asked).toMatchObject([
      { name: 'Jane Doe', codeSigning: true, emails: ['a@example.org'], encoding: 'utf8' },
    ]);
  });
});

describe('the answer', () => {
  test('is remembered until the next reconcile publishes it', async () => {
    const stage = new CAcertStage();

    expect(await issue(stage.work(withKey), why)).toEqual({ requeueAfterMs: 0 });

    const { attempt: made } = stage.stored().status ?? {};
    expect(stage.remembered(made?.id ?? '')).toMatchObject({ progress: { is: 'bought', bought: 'signed' } });
    expect(stage.gate.load.inside).toBe(0);
  });

  test('that is lost leaves key and attempt, and an unknown outcome', async () => {
    const stage = new CAcertStage();
    stage.answer = () => Promise.reject(unanswered);

    await issue(stage.work(withKey), why);

    expect(stage.stored().status?.attempt?.outcome).toBe('Uncertain');
    expect(stage.kube.now(secrets, pendingSecret)).toBeDefined();
    expect(stage.gate.load.inside).toBe(0);
  });
});

describe('a send that is aborted', () => {
  test.each([
    [
      'this process no longer leads',
      (stage: CAcertStage) => {
        stage.leads = false;
      },
    ],
    [
      'the attempt was written too long ago',
      (stage: CAcertStage) => {
        stage.clock.jump(stage.deps.timing.sendWindow);
      },
    ],
  ])('because %s leaves an attempt that may be made again at once', async (_, abort) => {
    const stage = new CAcertStage();
    const work = stage.work(withKey);
    stage.kube.onWrite = () => abort(stage);

    expect(await issue(work, why)).toEqual({ requeueAfterMs: 200 });

    const { attempt: made } = stage.stored().status ?? {};
    expect(made).not.toHaveProperty('outcome');
    expect(stage.remembered(made?.id ?? '')).toMatchObject({ progress: { is: 'unsent' } });
    expect(stage.gate.load.inside).toBe(0);
  });

  test('by a shutdown leaves an open attempt that this process knows was sent', async () => {
    const stage = new CAcertStage();
    stage.answer = () => {
      stage.abort.abort();
      return Promise.reject(new CAcertError('Aborted', { call: 'ccsr.php', maybeExecuted: true }));
    };

    await expect(issue(stage.work(withKey), why)).rejects.toMatchObject({ code: 'Aborted' });

    const { attempt: made } = stage.stored().status ?? {};
    expect(made).not.toHaveProperty('outcome');
    expect(stage.remembered(made?.id ?? '')).toMatchObject({ progress: { is: 'open' } });
    expect(stage.gate.load.inside).toBe(0);
  });
});

describe('at the gate', () => {
  test('a stopped account parks the certificate with its key stored and no attempt', async () => {
    const stage = new CAcertStage();
    stage.gate.failed('other', 0, { reason: 'x', message: 'x' });
    const work = stage.work({ ...withKey, turn: turnOf(stage.gate, 'x') });

    expect(await issue(work, why)).toEqual({ requeueAt: undefined });

    const { status } = stage.stored();
    expect(status).not.toHaveProperty('attempt');
    expect(conditionOf(status?.conditions, 'Issuing')).toMatchObject({ reason: 'AccountNotReady' });
    expect(stage.gate.load.parked).toBe(1);
  });

  test('a rate limit parks it without a write', async () => {
    const stage = new CAcertStage();
    stage.gate.limited(1_000);

    expect(await issue(stage.work(withKey), why)).toEqual({ requeueAt: undefined });

    expect(stage.kube.writes).toEqual([]);
    expect(stage.stored().status).toEqual(certificate({ status: {} }).status);
    expect(stage.gate.load.parked).toBe(1);
  });
});

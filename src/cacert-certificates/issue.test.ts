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
import { BOUNDS } from '../journal/bounds.ts';
import type { JournalFate } from '../../test/support/kube/journal-api.ts';
import { conditionOf, rfc3339 } from '../issuance/status/conditions.ts';
import { SHOW_AFTER_MS } from '../issuance/status/show-later.ts';
import { secrets } from '../kube/objects.ts';
import { readCertificate } from '../x509/certificate.ts';
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
  test('the key is stored, and then the attempt, which costs no write of the resource', async () => {
    const stage = new CAcertStage();
    stage.journal.onStored = () => stage.kube.writes.push('journal');
    stage.answer = () => {
      stage.kube.writes.push('send');
      return 'signed';
    };

    await issue(stage.work(brandNew), why);

    expect(stage.kube.writes).toEqual(['create secrets ns/mail-pending-uid', 'journal', 'send']);
  });

  test('the attempt has everything that a person or another process needs', async () => {
    const stage = new CAcertStage();
    const work = stage.work(withKey);
    await issue(work, why);

    expect(stage.found()).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      entry: {
        startTime: new Date(stage.clock.now()).toISOString(),
        specHash: work.inputs.specHash,
        publicKeyHash: createHash('sha256').update(privateKey.toPublicKey()).digest('hex'),
        reason: 'DoesNotExist',
      },
    });
    // No text of a tenant goes into the journal.
    expect(JSON.stringify(stage.journal.data)).not.toMatch(/mail|jane|DoesNotExist,/);
  });

  test('nothing is sent if the key cannot be stored', async () => {
    const failing = 'create secrets ns/mail-pending-uid';
    const stage = new CAcertStage();
    let isSent = false;
    stage.answer = () => {
      isSent = true;
      return 'signed';
    };
    const work = stage.work(brandNew);
    stage.kube.onWrite = (verb, path) => {
      if (`${verb} ${path}` === failing) throw kubeError(503, 'ServiceUnavailable');
    };

    await expect(issue(work, why)).rejects.toMatchObject({ status: 503 });

    expect(isSent).toBe(false);
    expect(stage.gate.load.inside).toBe(0);
  });

  test.each<[string, JournalFate, string, boolean]>([
    ['the journal was changed', 'answered', 'TermOver', false],
    ['the answer of its write is lost', 'reply lost', 'TermOver', true],
    ['the API server refuses it', { refused: 403 }, 'JournalRefused', false],
  ])('nothing is sent if the attempt cannot be written: %s', async (_, fate, code, isStored) => {
    const stage = new CAcertStage();
    let isSent = false;
    stage.answer = () => {
      isSent = true;
      return 'signed';
    };
    const work = stage.work(withKey);
    if (fate === 'answered') stage.journal.change({ other: 'x' });
    stage.journal.fate = () => fate;

    await expect(issue(work, why)).rejects.toMatchObject({ code });

    expect(isSent).toBe(false);
    expect(stage.gate.load.inside).toBe(0);
    expect(stage.journal.entryKeys).toHaveLength(isStored ? 1 : 0);
  });

  test('an attempt whose write was not answered is known as not sent', async () => {
    const stage = new CAcertStage();
    stage.journal.fate = () => 'reply lost';
    await expect(issue(stage.work(withKey), why)).rejects.toMatchObject({ code: 'TermOver' });

    const [stored = ''] = Object.values(stage.journal.data);
    const { id } = JSON.parse(stored) as { id: string };
    const { attempts, timing } = stage.deps;
    expect(attempts.knowledgeOf('uid', id, stage.clock.monotonic(), timing).progress).toEqual({
      is: 'unsent',
    });
  });

  test('one that was not sent is replaced by the next', async () => {
    const stage = new CAcertStage();
    const before = await stage.opened();
    stage.deps.attempts.prepared('uid', before.id, stage.clock.monotonic());
    await issue(stage.work({ ...withKey, attempt: stage.found() }), why);

    expect(stage.found()?.id).not.toBe(before.id);
    expect(stage.journal.entryKeys).toHaveLength(1);
  });

  test('a certificate that the journal has no room for waits, and says so', async () => {
    const stage = new CAcertStage();
    const make = () => attempt().entry!;
    for (let i = 0; i < BOUNDS.groupEntries; i += 1)
      await stage.view.open({ owner: `uid-${i}`, group: stage.account.key, make });

    expect(await issue(stage.work(withKey), why)).toEqual({ requeueAt: undefined });

    expect(conditionOf(stage.stored().status?.conditions, 'Issuing')).toMatchObject({
      reason: 'JournalFull',
    });
    expect(stage.gate.load.inside).toBe(0);
  });
});

describe('a call that takes', () => {
  /** What the conditions say after `ms` of a call. */
  async function sayingAfter(ms: number): Promise<string | undefined> {
    const stage = new CAcertStage();
    let answer: (pem: string) => void = () => undefined;
    let issued: Promise<unknown> = Promise.resolve();
    await new Promise<void>((asked) => {
      stage.answer = () => {
        asked();
        return new Promise((resolve) => (answer = resolve));
      };
      issued = issue(stage.work(withKey), why);
    });
    await stage.clock.advance(ms);
    const issuing = conditionOf(stage.stored().status?.conditions, 'Issuing');
    answer('signed');
    await issued;
    return issuing?.message;
  }

  test('longer than a moment is shown', async () => {
    expect(await sayingAfter(SHOW_AFTER_MS)).toBe(why.message);
  });

  test('a moment costs no write', async () => {
    expect(await sayingAfter(SHOW_AFTER_MS - 1)).toBeUndefined();
  });
});

describe('the key', () => {
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
    ['is new at each renewal', { status: issued }, false],
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

    expect(stage.found()).toMatchObject({ progress: { is: 'bought', bought: 'signed' } });
    expect(stage.gate.load.inside).toBe(0);
  });

  test('that is lost leaves the key, and an unknown outcome that counts as an attempt', async () => {
    const stage = new CAcertStage();
    stage.answer = () => Promise.reject(unanswered);

    await issue(stage.work(withKey), why);

    const { status } = stage.stored();
    expect(status?.unserved?.outcome).toBe('Uncertain');
    expect(status?.attemptTimes).toEqual([new Date(stage.clock.now()).toISOString()]);
    expect(stage.found()).toBeUndefined();
    expect(stage.kube.now(secrets, pendingSecret)).toBeDefined();
    expect(stage.gate.load.inside).toBe(0);
  });
});

describe('an answer with the key of the certificate before', () => {
  const one = ca.sign();
  const had = readCertificate(one.cert);
  const pending = pendingKey({ key: one.privateKey });
  const later = rfc3339(had.notBefore + 1_000);

  test.each<[string, object, 'Uncertain' | undefined]>([
    [
      'is that certificate',
      { serialNumber: had.serialNumber, notBefore: rfc3339(had.notBefore) },
      'Uncertain',
    ],
    ['is older', { serialNumber: '77', notBefore: later }, 'Uncertain'],
    ['is its successor', { serialNumber: '77', notBefore: rfc3339(had.notBefore) }, undefined],
  ])('that %s (status %o) has the outcome %s', async (_, before, outcome) => {
    const stage = new CAcertStage();
    stage.answer = () => one.cert;

    await issue(stage.work({ ...withKey, status: { ...issued, ...before }, pending }), why);

    expect(stage.stored().status?.unserved?.outcome).toBe(outcome);
    expect(stage.found()?.progress.is).toBe(outcome ? undefined : 'bought');
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
    stage.beforeSend = () => abort(stage);

    expect(await issue(work, why)).toEqual({ requeueAfterMs: 200 });

    expect(stage.stored().status).not.toHaveProperty('attemptId');
    expect(stage.found()).toMatchObject({ progress: { is: 'unsent' } });
    expect(stage.gate.load.inside).toBe(0);
  });

  test('by a shutdown leaves an open attempt that this process knows was sent', async () => {
    const stage = new CAcertStage();
    stage.answer = () => {
      stage.abort.abort();
      return Promise.reject(new CAcertError('Aborted', { call: 'ccsr.php', maybeExecuted: true }));
    };

    await expect(issue(stage.work(withKey), why)).rejects.toMatchObject({ code: 'Aborted' });

    expect(stage.stored().status).not.toHaveProperty('attemptId');
    expect(stage.found()).toMatchObject({ progress: { is: 'open' } });
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
    expect(stage.found()).toBeUndefined();
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

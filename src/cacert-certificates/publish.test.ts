import { afterAll, describe, expect, test } from 'vitest';
import {
  brandNew,
  CAcertVectors,
  inputs,
  issued,
  pendingKey,
  secretWith,
  unserved,
} from '../../test/support/inputs/cacert-inputs.ts';
import { CAcertStage, kubeError } from '../../test/support/inputs/cacert-step.ts';
import { cacertCertificates } from '../api/kinds.ts';
import { conditionOf, rfc3339 } from '../issuance/status/conditions.ts';
import { secrets } from '../kube/objects.ts';
import { fingerprintOf, readCertificate } from '../x509/certificate.ts';
import { checkIssued } from './checks.ts';
import { adopt, publish, refuse } from './publish.ts';
import { SERVED } from './readiness.ts';

const ca = new CAcertVectors();
afterAll(() => ca.remove());

const signed = ca.sign();
const leaf = readCertificate(signed.cert);
const now = leaf.notBefore + 60_000;
const { spec } = inputs().certificate;
const source = checkIssued(signed.cert, signed.privateKey, { spec, bundle: ca.bundle, now });
const publicKeyHash = leaf.publicKeyFingerprint;
const pending = pendingKey({ key: signed.privateKey });
const stageNow = () => new CAcertStage({ now, account: { bundle: ca.bundle } });
const ownSecret = { namespace: 'ns', name: 'mail-tls' };
const pendingSecret = { namespace: 'ns', name: 'mail-pending-uid' };

describe('publishing a certificate', () => {
  test('writes the Secret, then the result, and then deletes the pending key', async () => {
    const stage = stageNow();
    const attempt = await stage.opened({ publicKeyHash, startTime: new Date(now).toISOString() });
    const work = stage.work({ ...brandNew, attempt, status: { failedAttempts: 2 }, pending });

    const result = await publish(work, { source, isLate: false });

    expect(stage.kube.writes).toEqual([
      'create secrets ns/mail-tls',
      'patch cacertcertificates ns/mail',
      'delete secrets ns/mail-pending-uid',
    ]);
    const { uid, resourceVersion } = stage.kube.now(secrets, ownSecret)?.metadata ?? {};
    const { status } = stage.stored();
    expect(status).toMatchObject({
      serialNumber: leaf.serialNumber,
      fingerprint: fingerprintOf(leaf),
      issuer: 'CA Cert Signing Authority',
      notBefore: rfc3339(leaf.notBefore),
      notAfter: rfc3339(leaf.notAfter),
      revision: 1,
      specHash: work.inputs.specHash,
      secretUID: uid,
      secretResourceVersion: resourceVersion,
      secretGeneration: 1,
      attemptId: attempt.id,
      attemptTimes: [attempt.entry?.startTime],
    });
    expect(stage.found()).toBeUndefined();
    expect(status).not.toHaveProperty('failedAttempts');
    expect(conditionOf(status?.conditions, 'Ready')).toMatchObject(SERVED);
    expect(conditionOf(status?.conditions, 'Issuing')).toBeUndefined();
    expect(result.requeueAt).toBe(Date.parse(status?.renewalTime ?? ''));
  });

  test.each([
    ['success', false],
    ['adopted', true],
  ])('counts as %s', async (outcome, isLate) => {
    const stage = stageNow();
    await publish(stage.work({ ...brandNew, pending }), { source, isLate });

    expect(await stage.counted(outcome)).toBe(1);
  });

  test.each(['Uncertain', 'Mismatched'] as const)(
    'clears what status says of the key (%s)',
    async (outcome) => {
      const stage = stageNow();
      const status = { unserved: unserved({ outcome, publicKeyHash }) };
      await publish(stage.work({ ...brandNew, status, pending }), { source, isLate: true });

      expect(stage.stored().status).not.toHaveProperty('unserved');
    },
  );

  test('leaves an attempt for another key as it is', async () => {
    const stage = stageNow();
    const attempt = await stage.opened();
    const status = { unserved: unserved() };
    await publish(stage.work({ ...brandNew, attempt, status, pending }), { source, isLate: true });

    expect(stage.stored().status).toMatchObject(status);
    expect(stage.stored().status).not.toHaveProperty('attemptId');
    expect(stage.found()).toMatchObject({ id: attempt.id });
  });

  test.each([
    ['the only one for its key', {}, true],
    [
      'one for a key that had another attempt without a certain end',
      { unserved: unserved({ publicKeyHash }) },
      false,
    ],
  ])('dates a renewal by the attempt if that was %s', async (_, status, isDated) => {
    const stage = stageNow();
    const startTime = new Date(now).toISOString();
    const attempt = await stage.opened({ publicKeyHash, startTime });
    await publish(stage.work({ ...brandNew, attempt, status, pending }), { source, isLate: false });

    const written = stage.stored().status;
    expect(written?.attemptTime).toBe(isDated ? startTime : undefined);
    expect(Date.parse(written?.renewalTime ?? '')).toBeLessThan(leaf.notAfter);
  });

  test.each([
    ['warns of the replaced certificate while it is valid', rfc3339(now + 1_000), ['ReplacedNotRevoked']],
    ['does not warn of an expired one', rfc3339(now), []],
  ])('%s', async (_, notAfter, events) => {
    const stage = stageNow();
    const status = { ...issued, notAfter };
    await publish(stage.work({ ...brandNew, status, pending }), { source, isLate: false });

    expect(stage.events).toEqual(events);
    expect(stage.stored().status?.revision).toBe(2);
  });

  test.each([
    ['the Secret cannot be written', 'create secrets ns/mail-tls', []],
    ['the result cannot be written', 'patch cacertcertificates ns/mail', ['create secrets ns/mail-tls']],
  ])('keeps the pending key if %s', async (_, failing, writes) => {
    const stage = stageNow();
    const attempt = await stage.opened({ publicKeyHash });
    const work = stage.work({ ...brandNew, attempt, pending });
    stage.kube.onWrite = (verb, path) => {
      if (`${verb} ${path}` === failing) throw kubeError(503, 'ServiceUnavailable');
    };

    await expect(publish(work, { source, isLate: false })).rejects.toMatchObject({ status: 503 });

    expect(stage.kube.writes).toEqual(writes);
    expect(stage.kube.now(secrets, pendingSecret)).toBeDefined();
    expect(stage.found()).toMatchObject({ id: attempt.id });
  });

  describe('of a resource that somebody edited meanwhile', () => {
    /** Publishes after the resource got another version, with this revision in status. */
    function publishOver(revision: number | undefined): { stage: CAcertStage; published: Promise<unknown> } {
      const stage = stageNow();
      const work = stage.work({ ...brandNew, pending });
      const { metadata, ...rest } = stage.stored();
      const edited = { ...metadata, resourceVersion: '2' };
      const status = revision === undefined ? {} : { revision };
      stage.kube.put(cacertCertificates, { ...rest, metadata: edited, status });
      return { stage, published: publish(work, { source, isLate: false }) };
    }

    test('writes the result all the same', async () => {
      const { stage, published } = publishOver(undefined);
      await published;
      expect(stage.stored().status?.serialNumber).toBe(leaf.serialNumber);
    });

    test('does not write it over a later result', async () => {
      const { stage, published } = publishOver(1);
      await expect(published).rejects.toMatchObject({ reason: 'Conflict' });
      expect(stage.stored().status).not.toHaveProperty('serialNumber');
    });
  });
});

describe('adopting a certificate', () => {
  const secret = secretWith(signed, ca.authority.cert);

  test('takes it into status without touching the content of the Secret', async () => {
    const stage = stageNow();
    const result = await adopt(stage.work({ status: {}, secret }), { source: undefined });

    expect(stage.stored().status).toMatchObject({
      serialNumber: leaf.serialNumber,
      secretUID: 's',
      revision: 1,
    });
    expect(stage.kube.now(secrets, ownSecret)).not.toHaveProperty('data');
    expect(result).not.toHaveProperty('requeueAfterMs');
  });

  test('comes again soon for the pending key', async () => {
    const stage = stageNow();
    expect(await adopt(stage.work({ status: {}, secret, pending }), { source: undefined })).toMatchObject({
      requeueAfterMs: 200,
    });
  });

  test.each([
    ['unchanged', inputs().secret],
    ['unreadable', { ...secret, content: undefined, hasOutputs: false }],
  ])('is impossible from a Secret that is %s', async (_, view) => {
    await expect(adopt(stageNow().work({ secret: view }), { source: undefined })).rejects.toMatchObject({
      code: 'NothingHeld',
    });
  });
});

describe('refusing a certificate', () => {
  const fault = { reason: 'IncorrectIssuer', message: 'It does not chain.' };

  test('stores it beside its key, and reports the fault with the cure', async () => {
    const stage = stageNow();
    const attempt = await stage.opened();
    const work = stage.work({ ...brandNew, attempt, pending });

    expect(await refuse(work, { certificate: 'pem', fault })).toEqual({ requeueAfterMs: 200 });

    const stored = stage.kube.now(secrets, pendingSecret);
    expect(Buffer.from(stored?.data?.['tls.crt'] ?? '', 'base64').toString()).toBe('pem');
    const { status } = stage.stored();
    expect(status).toMatchObject({
      attemptId: attempt.id,
      unserved: unserved({ outcome: 'Mismatched' }),
      failedAttempts: 1,
    });
    expect(stage.found()).toBeUndefined();
    expect(status).not.toHaveProperty('nextAttemptTime');
    expect(conditionOf(status?.conditions, 'Issuing')).toMatchObject({
      status: 'False',
      reason: 'IncorrectIssuer',
      message: expect.stringMatching(
        /^It does not chain\. It is not published, .*mail-pending-uid/,
      ) as string,
    });
    expect(stage.events).toEqual(['IncorrectIssuer']);
    expect(await stage.counted('mismatched')).toBe(1);
  });

  test('is no failure of a spec that changed since', async () => {
    const stage = stageNow();
    const attempt = await stage.opened({ specHash: 'v1:other' });
    await refuse(stage.work({ ...brandNew, attempt, pending }), { certificate: 'pem', fault });

    expect(stage.stored().status).not.toHaveProperty('failedAttempts');
    expect(conditionOf(stage.stored().status?.conditions, 'Issuing')).toMatchObject({
      status: 'True',
      message: 'It does not chain. It is not published.',
    });
  });

  test('needs an attempt', async () => {
    const work = stageNow().work({ ...brandNew, pending });
    await expect(refuse(work, { certificate: 'pem', fault })).rejects.toMatchObject({ code: 'NoAttempt' });
  });
});

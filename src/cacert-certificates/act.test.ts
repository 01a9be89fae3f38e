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
import { CAcertStage } from '../../test/support/inputs/cacert-step.ts';
import { cacertKind } from '../issuance/cacert/kind.ts';
import { TLS_SECRET } from '../issuance/secret/kept.ts';
import { type SecretSource, renderOutputs } from '../issuance/secret/outputs.ts';
import { conditionOf, rfc3339 } from '../issuance/status/conditions.ts';
import { type Secret, secrets } from '../kube/objects.ts';
import { readCertificate } from '../x509/certificate.ts';
import { act } from './act.ts';
import { UNCERTAIN_WAIT_MS } from './backoffs.ts';
import { checkIssued } from './checks.ts';
import type { Plan } from './decide.ts';

const ca = new CAcertVectors();
afterAll(() => ca.remove());

const signed = ca.sign();
const leaf = readCertificate(signed.cert);
const now = leaf.notBefore + 60_000;
const { spec } = inputs().certificate;
const source = checkIssued(signed.cert, signed.privateKey, { spec, bundle: ca.bundle, now });
const another = ca.sign();
const other = checkIssued(another.cert, another.privateKey, {
  spec,
  bundle: ca.bundle,
  now: readCertificate(another.cert).notBefore,
});
const filesOf = (of: SecretSource) => renderOutputs(of, spec) as Record<string, string>;
const served = {
  ...issued,
  serialNumber: leaf.serialNumber,
  notBefore: rfc3339(leaf.notBefore),
  notAfter: rfc3339(leaf.notAfter),
};
const pending = pendingKey({ key: signed.privateKey });
const stageNow = () => new CAcertStage({ now, account: { bundle: ca.bundle } });
const pendingSecret = { namespace: 'ns', name: 'mail-pending-uid' };

describe('a plan to wait', () => {
  test.each<[string, Plan, object, number]>([
    ['until a time', { do: 'nothing', requeueAt: 5 }, { requeueAt: 5 }, 0],
    ['for the gate', { do: 'nothing', wakeBy: 'gate' }, { requeueAt: undefined }, 1],
    ['for an open attempt', { do: 'wait', quietAt: 1_000_500 }, { requeueAfterMs: 500 }, 0],
  ])('%s writes nothing', async (_, plan, result, parked) => {
    const stage = new CAcertStage();
    stage.gate.failed('other', 0, { reason: 'x', message: 'x' });

    expect(await act(stage.work({ monotonic: 1_000_000 }), plan)).toEqual(result);

    expect(stage.kube.writes).toEqual([]);
    expect(stage.gate.load.parked).toBe(parked);
  });
});

describe('a plan to report a blocker', () => {
  const planFor = (reason: string): Plan => ({
    do: 'report',
    why: { reason, message: reason },
    conditions: [{ type: 'Issuing', status: 'False', reason, message: reason }],
    requeueAt: 5,
  });

  test.each([
    ['EmailNotOffered', ['EmailNotOffered']],
    ['AccountNotReady', []],
    ['Suspended', []],
  ])('(%s) writes it once, with the events %j', async (reason, events) => {
    const stage = new CAcertStage();

    expect(await act(stage.work(brandNew), planFor(reason))).toEqual({ requeueAt: 5 });
    await act(stage.work({ ...brandNew, status: stage.stored().status }), planFor(reason));

    expect(conditionOf(stage.stored().status?.conditions, 'Issuing')).toMatchObject({ reason });
    expect(stage.kube.writes).toHaveLength(1);
    expect(stage.events).toEqual(events);
  });
});

describe('a plan to issue', () => {
  const plan = (reason: string): Plan => ({ do: 'issue', why: { reason, message: reason } });

  test('makes an attempt', async () => {
    const stage = stageNow();
    await act(stage.work({ ...brandNew, pending }), plan('DoesNotExist'));

    expect(stage.found()?.entry).toMatchObject({ reason: 'DoesNotExist' });
  });

  test('needs an account that is ready', async () => {
    const work = stageNow().work({ account: { ready: false, reason: 'x', message: 'x' } });
    await expect(act(work, plan('DoesNotExist'))).rejects.toMatchObject({ code: 'AccountNotReady' });
  });

  test.each(['SecretMismatch', 'SecretMissing'])('to repair a Secret (%s) is slowed down', async (reason) => {
    const stage = stageNow();
    for (let count = 0; count < 3; count += 1) stage.deps.repairLimiter.note('uid');

    const { requeueAfterMs = 0 } = await act(stage.work({ ...brandNew, pending }), plan(reason));

    expect(requeueAfterMs).toBeGreaterThan(0);
    expect(stage.kube.writes).toEqual([]);
  });
});

describe('a plan to record an unknown outcome', () => {
  test('ends the attempt, waits and warns', async () => {
    const stage = new CAcertStage();
    const attempt = await stage.opened({ startTime: new Date(stage.clock.now()).toISOString() });
    const work = stage.work({ ...brandNew, attempt, pending });

    const { requeueAfterMs } = await act(work, { do: 'recordUncertain' });

    expect(requeueAfterMs).toBeGreaterThanOrEqual(UNCERTAIN_WAIT_MS);
    const { status } = stage.stored();
    expect(status).toMatchObject({
      attemptId: attempt.id,
      attemptTimes: [attempt.entry?.startTime],
      unserved: unserved(),
      failedAttempts: 1,
    });
    expect(stage.found()).toBeUndefined();
    expect(stage.events).toEqual(['IssuanceUncertain']);
    expect(await stage.counted('uncertain')).toBe(1);
  });

  test('needs an attempt', async () => {
    const work = new CAcertStage().work(brandNew);
    await expect(act(work, { do: 'recordUncertain' })).rejects.toMatchObject({ code: 'NoAttempt' });
  });
});

test('a plan to keep a certificate stores it beside its key', async () => {
  const stage = stageNow();

  const result = await act(stage.work({ ...brandNew, pending }), { do: 'keep', certificate: 'pem' });

  expect(result).toEqual({ requeueAfterMs: 200 });
  const stored = stage.kube.now(secrets, pendingSecret);
  expect(Buffer.from(stored?.data?.['tls.crt'] ?? '', 'base64').toString()).toBe('pem');
});

test.each<[Plan['do'], Plan, Parameters<typeof inputs>[0], string]>([
  ['publish', { do: 'publish', source, isLate: false }, { ...brandNew, pending }, leaf.serialNumber],
  [
    'adopt',
    { do: 'adopt', source: undefined },
    { status: {}, secret: secretWith(signed, ca.authority.cert) },
    leaf.serialNumber,
  ],
])('a plan to %s brings the certificate into status', async (_, plan, change, serialNumber) => {
  const stage = stageNow();
  await act(stage.work(change), plan);

  expect(stage.stored().status).toMatchObject({ serialNumber });
});

test('a plan to refuse a certificate ends the attempt', async () => {
  const stage = stageNow();
  const plan: Plan = { do: 'refuse', certificate: 'pem', fault: { reason: 'x', message: 'x' } };
  const attempt = await stage.opened();
  await act(stage.work({ ...brandNew, attempt, pending }), plan);

  expect(stage.stored().status?.unserved?.outcome).toBe('Mismatched');
  expect(stage.found()).toBeUndefined();
});

test('a plan to update the status brings status up to date', async () => {
  const stage = stageNow();
  const { renewalTime: _, ...outdated } = served;
  const result = await act(stage.work({ status: { ...outdated, failedAttempts: 1 } }), {
    do: 'updateStatus',
  });

  const { status } = stage.stored();
  expect(status).not.toHaveProperty('failedAttempts');
  expect(Date.parse(status?.renewalTime ?? '')).toBe(result.requeueAt);
});

test.each<Plan>([{ do: 'updateStatus' }, { do: 'syncSecret', source: undefined }])(
  'a Secret that changed waits for an account to check it with: $do',
  async (plan) => {
    const stage = stageNow();
    const secret = secretWith(signed, ca.authority.cert, { hasMetadata: false });
    const account = { ready: false, reason: 'x', message: 'x' } as const;

    expect(await act(stage.work({ status: served, secret, account }), plan)).toEqual({});
    expect(stage.kube.writes).toEqual([]);
  },
);

test('a plan to sync the Secret restores labels and annotations, and notes the new version of the Secret', async () => {
  const stage = stageNow();
  const secret = secretWith(signed, ca.authority.cert, { hasMetadata: false });
  const work = stage.work({ status: served, secret });

  await act(work, { do: 'syncSecret', source: undefined });

  const { metadata } = stage.kube.now(secrets, { namespace: 'ns', name: 'mail-tls' }) ?? {};
  expect(metadata).toMatchObject(cacertKind.metadataOf(work.inputs.certificate));
  expect(stage.stored().status?.secretResourceVersion).toBe(metadata?.resourceVersion);
});

describe('a plan to forget a pending key', () => {
  const { labels, annotations } = cacertKind.metadataOf(inputs().certificate);

  /** Acts while the certificate's Secret is this one. */
  async function forget(own: Partial<Secret>): Promise<{ stage: CAcertStage; isKept: boolean }> {
    const stage = stageNow();
    const work = stage.work({ status: served, pending });
    const metadata = { namespace: 'ns', name: 'mail-tls', uid: 's', labels, annotations };
    stage.kube.put<Secret>(secrets, { metadata, type: TLS_SECRET, ...own });
    await act(work, { do: 'forget' });
    return { stage, isKept: stage.kube.now(secrets, pendingSecret) !== undefined };
  }

  test('deletes it once the certificate’s Secret holds it', async () => {
    expect(await forget({ data: filesOf(source) })).toMatchObject({ isKept: false });
  });

  test.each([
    ['holds another key', { data: filesOf(other) }],
    ['is empty', {}],
  ])('keeps it if that Secret %s, whatever status says', async (_, own) => {
    expect(await forget(own)).toMatchObject({ isKept: true });
  });

  test('does nothing if it is gone', async () => {
    const stage = stageNow();
    expect(await act(stage.work({ status: served }), { do: 'forget' })).toEqual({});
    expect(stage.kube.writes).toEqual([]);
  });
});

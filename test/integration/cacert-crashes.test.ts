import { beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { conditionOf } from '../../src/issuance/status/conditions.ts';
import { secrets } from '../../src/kube/objects.ts';
import { JOURNAL_NAME } from '../../src/operator/journal.ts';
import { aCAcertWorld, type CAcertWorld } from '../support/world/cacert-world.ts';
import { filesOf } from '../support/x509/openssl.ts';
import { buildFailpoints, runOperatorProcess } from '../support/world/operator-process.ts';
import { openStage } from '../support/world/stage.ts';

let bundle: string;
beforeAll(async () => {
  bundle = await buildFailpoints();
});
beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

/** A world whose operator was killed at a step of its first issuance, and replaced by another one. */
async function killedAt(step: string): Promise<CAcertWorld> {
  // One world each: another process does not share the time that others have skipped.
  const stage = await openStage();
  onTestFinished(() => stage.close());
  const cacert = await aCAcertWorld(stage);
  const { namespace } = cacert.world;
  await cacert.account();
  await cacert.certificate('mail');
  const operator = runOperatorProcess(
    [
      `--kubeconfig=${stage.cluster.kubeconfig}`,
      `--namespace=${namespace}`,
      `--cluster-resource-namespace=${namespace}`,
      `--allowed-endpoints=${cacert.server.endpoint}`,
      '--leader-elect=false',
      '--metrics-bind-address=0',
      '--health-probe-bind-address=0',
    ],
    { TINYCERT_FAILPOINT: `${step}:kill:1` },
    bundle,
  );
  expect(await operator.ended).toBe('SIGKILL');
  await cacert.operator();
  return cacert;
}

/** Checks that the Secret's certificate is for the first key that was ever sent, or for a key that was never sent. */
async function expectKeyKept({ server, world }: CAcertWorld): Promise<void> {
  const keys = new Set(server.requests().map(({ keyFingerprint }) => keyFingerprint));
  expect(keys.size).toBe(1);
  const { crt } = filesOf(await world.get(secrets, 'mail-tls'));
  expect(server.certificates().map(({ id }) => server.certificatePem(id))).toContain(crt);
}

test.each(['decide', 'pending', 'secret', 'result', 'forget'])(
  'killed at the step %s, it continues where it was, and requests one certificate in total',
  async (step) => {
    const cacert = await killedAt(step);

    await cacert.ready('mail');
    await cacert.world.pass(1_000);

    expect(cacert.asked()).toBe(1);
    await expectKeyKept(cacert);
    const pending = cacert.world.ref(await cacert.pendingName('mail'));
    expect(await cacert.world.stage.kube.find(secrets, pending)).toBeUndefined();
    const journal = await cacert.world.get(secrets, JOURNAL_NAME);
    expect(Object.keys(journal.data ?? {}).filter((key) => key.includes('.entry.'))).toEqual([]);
  },
);

test.each([
  ['attempt', 0],
  ['send', 0],
])(
  'killed at the step %s, it cannot know that nothing was sent, and requests again after a while',
  async (step, asked) => {
    const cacert = await killedAt(step);
    await cacert.world.pass(150_000);
    await cacert.failing('mail', 'IssuanceUncertain');
    expect(cacert.asked()).toBe(asked);

    await cacert.world.pass(20 * 60_000);

    await cacert.ready('mail');
    expect(cacert.asked()).toBe(1);
    await expectKeyKept(cacert);
  },
);

test.each(['reply', 'check'])(
  'killed at the step %s, it adopts the signed certificate once somebody has pasted it',
  async (step) => {
    const cacert = await killedAt(step);
    await cacert.world.pass(150_000);
    const { status } = await cacert.failing('mail', 'IssuanceUncertain');
    expect(conditionOf(status?.conditions, 'Issuing')?.message).toContain('account.php?id=5');
    const [signed] = cacert.server.certificates();

    await cacert.world.patch(secrets, status?.unserved?.secretName ?? '', {
      stringData: { 'tls.crt': cacert.server.certificatePem(signed?.id ?? 0) },
    });

    await cacert.ready('mail');
    expect(cacert.asked()).toBe(1);
    await expectKeyKept(cacert);
  },
);

test('killed before the answer is stored, and without anybody’s help, it requests again with the same key', async () => {
  const cacert = await killedAt('reply');
  await cacert.world.pass(150_000);
  await cacert.failing('mail', 'IssuanceUncertain');

  await cacert.world.pass(20 * 60_000);

  await cacert.ready('mail');
  expect(cacert.asked()).toBe(2);
  await expectKeyKept(cacert);
});

import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { cacertAccounts, certificates, clusterIssuers, issuers } from '../../src/api/kinds.ts';
import type { ResourceType } from '../../src/kube/objects.ts';
import { type ControlPlane, startControlPlane } from '../../tools/control-plane/index.ts';
import { freePorts } from '../../tools/control-plane/ports.ts';
import { watchDeletion } from '../support/kube/watching.ts';
import { crds, installCrds, releasedCrds } from '../support/world/crds.ts';
import {
  buildFailpoints,
  type OperatorProcess,
  runOperatorProcess,
} from '../support/world/operator-process.ts';
import { type Stage, openStage } from '../support/world/stage.ts';

let cluster: ControlPlane;
let stage: Stage;
let bundle: string;
beforeAll(async () => {
  bundle = await buildFailpoints();
  cluster = await startControlPlane();
  stage = await openStage({}, cluster);
});
afterAll(async () => {
  await stage.close();
  await cluster.stop();
});
beforeEach(() => installCrds(stage.kube));

/** An operator for all namespaces on a clock that runs faster, and how to wait for an answer of its /readyz. */
async function anOperator(): Promise<{
  operator: OperatorProcess;
  expectReadyz: (text: 'ready' | `[-]${string}`) => Promise<void>;
}> {
  const [port = 0] = await freePorts(1);
  const operator = runOperatorProcess(
    [
      `--kubeconfig=${cluster.kubeconfig}`,
      '--leader-elect=false',
      '--metrics-bind-address=0',
      `--health-probe-bind-address=127.0.0.1:${port}`,
    ],
    { TINYCERT_CLOCK: `20@${Date.now()}` },
    bundle,
  );
  const expectReadyz = async (text: string): Promise<void> => {
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
      if (text === 'ready' ? answer?.ok : (await answer?.text())?.includes(text)) return;
      await pause(20);
    }
  };
  return { operator, expectReadyz };
}

function crdOf({ plural, group }: ResourceType): string {
  return `${plural}.${group}`;
}

async function uninstall(type: ResourceType): Promise<void> {
  const ref = { name: crdOf(type) };
  await watchDeletion(stage.kube, crds, ref, () => stage.kube.delete(crds, ref));
}

const command = (type: ResourceType): string =>
  `run kubectl apply -f crds/${crdOf(type)}.yaml of this release.`;

test.each([certificates, issuers, clusterIssuers])(
  'an operator is not ready without the CRD of $kind, says what to do, and is ready once it is installed',
  async (type) => {
    await uninstall(type);
    const { expectReadyz } = await anOperator();
    await expectReadyz(`[-]crds failed: The CRD ${crdOf(type)} is not installed: ${command(type)}`);

    await installCrds(stage.kube);
    await expectReadyz('ready');
  },
);

test.each([certificates, issuers, clusterIssuers])(
  'an operator is not ready once the CRD of $kind has gone, and is ready again with it',
  async (type) => {
    const { expectReadyz } = await anOperator();
    await expectReadyz('ready');

    await uninstall(type);
    await expectReadyz(`[-]crds failed: The CRD ${crdOf(type)} is not installed: ${command(type)}`);

    await installCrds(stage.kube);
    await expectReadyz('ready');
  },
);

test('an operator is ready without CAcert’s CRDs', async () => {
  await uninstall(cacertAccounts);
  const { operator, expectReadyz } = await anOperator();
  await expectReadyz('ready');
  await operator.logged(({ msg }) => msg.startsWith(`The CRD ${crdOf(cacertAccounts)} is not installed: `));
});

test('an operator is not ready while CRDs are old, names each in the log with the command, and restarts with new ones', async () => {
  const old = releasedCrds().filter(({ metadata }) =>
    [certificates, issuers].some((type) => metadata.name === crdOf(type)),
  );
  for (const { spec } of old) delete spec.versions[0]?.schema.openAPIV3Schema.properties?.['status'];
  await installCrds(stage.kube, old);
  const { operator, expectReadyz } = await anOperator();
  const sentences = [certificates, issuers].map(
    (type) =>
      `The CRD ${crdOf(type)} is older than the operator: ${command(type)} Nothing is issued until then.`,
  );
  for (const sentence of sentences)
    await operator.logged(({ level, msg }) => level === 'error' && msg === sentence);
  await expectReadyz(`[-]crds failed: ${sentences.join(' ')}`);

  await installCrds(stage.kube);
  expect(await operator.ended).toBe(1);
  expect(operator.log().at(-1)).toMatchObject({ error: { code: 'CRDsRenewed' } });
});

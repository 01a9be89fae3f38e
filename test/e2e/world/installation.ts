import { readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';
import { CHART, RELEASE, runHelm, type Values } from '../../../tools/chart/render.ts';
import { NAMESPACE } from './installation-names.ts';
import { operatorPods } from './operator-pods.ts';
import { until } from './until.ts';
import type { World } from './world.ts';

const INSTALL = new URL('../../../deploy/install.yaml', import.meta.url);
const PLAIN_MANIFESTS = 'plain manifests';
const READY_LIMIT = '120s';

/** How the operator is installed now: Helm's values as JSON, or plain manifests. Tests may ask for what is there already. */
const installed = new WeakMap<World, string>();

/**
 * Installs the operator by the chart, as docs/install.md tells, in a namespace that enforces the restricted Pod Security Standard, and
 * waits until it is ready. What was installed in another way before is uninstalled first.
 */
export async function installByHelm(world: World, values: Values = {}, chart: string = CHART): Promise<void> {
  const wanted = `${chart} ${JSON.stringify(values)}`;
  if (installed.get(world) === wanted) return;
  await uninstall(world);
  await createOperatorNamespace(world);
  await helmUpgrade(world, values, chart);
}

/** Changes the release that is installed. */
export async function helmUpgrade(world: World, values: Values = {}, chart: string = CHART): Promise<void> {
  installed.delete(world);
  await helm(
    world,
    [
      'upgrade',
      '--install',
      RELEASE,
      chart,
      `--namespace=${NAMESPACE}`,
      '--values=-',
      '--wait',
      `--timeout=${READY_LIMIT}`,
    ],
    JSON.stringify({ allowedEndpoints: [world.ca.endpoint], ...values }),
  );
  installed.set(world, `${chart} ${JSON.stringify(values)}`);
}

/** Installs the operator by `deploy/install.yaml`. The one change is the endpoint of a CA that is not the public one. */
export async function installByManifests(world: World): Promise<void> {
  if (installed.get(world) === PLAIN_MANIFESTS) return;
  await uninstall(world);
  await world.kubectl.apply(withEndpoint(await readFile(INSTALL, 'utf8'), world.ca.endpoint));
  await world.kubectl.run([
    'rollout',
    'status',
    'deployment/tinycert-operator',
    `--namespace=${NAMESPACE}`,
    `--timeout=${READY_LIMIT}`,
  ]);
  installed.set(world, PLAIN_MANIFESTS);
}

/** Removes the operator in the way that docs/install.md tells, and the namespace. The CRDs stay, and all resources with them. */
export async function uninstall(world: World): Promise<void> {
  const how = installed.get(world);
  if (how === undefined) return;
  installed.delete(world);
  const { kubectl } = world;
  if (how === PLAIN_MANIFESTS) {
    const objects = objectsOf(await readFile(INSTALL, 'utf8'));
    const items = objects.filter(({ kind }) => kind !== 'CustomResourceDefinition');
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    await kubectl.run(['delete', '--filename=-', '--ignore-not-found', `--timeout=${READY_LIMIT}`], list);
  } else {
    await helm(world, [
      'uninstall',
      RELEASE,
      `--namespace=${NAMESPACE}`,
      '--wait',
      `--timeout=${READY_LIMIT}`,
    ]);
    await until(
      'the operator’s Pods are gone',
      async () => ((await operatorPods(world)).length === 0 ? true : undefined),
      200,
    );
    await kubectl.delete(`namespace/${NAMESPACE}`);
  }
}

/** Runs Helm against the cluster. */
export function helm(world: World, args: readonly string[], input = ''): Promise<string> {
  return runHelm(world.supplies.helm, args, {
    input,
    env: { HOME: world.home, KUBECONFIG: world.cluster.kubeconfig },
  });
}

async function createOperatorNamespace({ kubectl }: World): Promise<void> {
  await kubectl.apply([
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: NAMESPACE, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    },
  ]);
}

/** An object of a manifest, as far as it is looked at here. */
interface Manifest {
  kind: string;
  spec?: { template?: { spec: { containers: { args?: string[] }[] } } };
}

/** The objects of the manifests, the operator with one more flag. */
export function withEndpoint(manifests: string, endpoint: string): Manifest[] {
  const objects = objectsOf(manifests);
  const deployment = objects.find(({ kind }) => kind === 'Deployment');
  const args = deployment?.spec?.template?.spec.containers[0]?.args;
  if (args === undefined) throw new Error('install.yaml has no Deployment with arguments.');
  args.push(`--allowed-endpoints=${endpoint}`);
  return objects;
}

function objectsOf(manifests: string): Manifest[] {
  return parseAllDocuments(manifests).map((each) => each.toJS() as Manifest);
}

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { certificates, clusterIssuers, issuers } from '../../src/api/kinds.ts';
import { conditionOf } from '../../src/issuance/status/conditions.ts';
import { events } from '../../src/kube/events.ts';
import { secrets } from '../../src/kube/objects.ts';
import { parseFlags, type Settings } from '../../src/operator/flags.ts';
import { render, type Values } from '../../tools/chart/render.ts';
import { type ControlPlane, startControlPlane } from '../../tools/control-plane/index.ts';
import { watchDeletion, watchUntil } from '../support/kube/watching.ts';
import { container, grants, helm, objectsOf, type Rendered } from '../support/chart/chart.ts';
import { AuditLog } from '../support/world/audit.ts';
import { aCAcertWorld, type CAcertWorld } from '../support/world/cacert-world.ts';
import { installCrds } from '../support/world/crds.ts';
import { controlPlane } from '../support/world/control-plane.ts';
import { launchOperator, type TestOperator } from '../support/world/operator.ts';
import { openStage, type Stage } from '../support/world/stage.ts';
import type { World } from '../support/world/world.ts';

let cluster: ControlPlane;
let stage: Stage;
beforeAll(async () => {
  await helm();
  cluster = await startControlPlane({ auditLog: true });
  stage = await openStage({ keyPool: 4, keyPoolReuse: true }, cluster);
  // Also CAcert's, for the operator that has no rights for them.
  await installCrds(stage.kube);
});
afterAll(async () => {
  await stage.close();
  await cluster.stop();
});

async function kubectl(...args: string[]): Promise<string> {
  const env = { HOME: cluster.dataDir, KUBECONFIG: cluster.kubeconfig };
  return (await promisify(execFile)(controlPlane().kubectl, args, { env })).stdout;
}

interface Installed {
  objects: Rendered[];
  operator: TestOperator;
  /** What the operator asked for, as `verb resource`, `verb resource=name` and, if it was refused, `refused verb resource`. */
  asked: () => Promise<Set<string>>;
}

/** Installs the chart as a user does, and runs the operator with the Deployment's flags as its ServiceAccount. */
async function install(release: string, values: Values, { world, server }: CAcertWorld): Promise<Installed> {
  const namespace = `${release}-system`;
  const text = await render(await helm(), values, { release, namespace });
  const file = join(cluster.dataDir, `${release}.yaml`);
  await writeFile(file, text);
  await kubectl('create', 'namespace', namespace);
  await kubectl('apply', '--server-side', '--force-conflicts', `--filename=${file}`);
  await kubectl('wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s');
  onTestFinished(async () => {
    const own = `--selector=app.kubernetes.io/instance=${release}`;
    await kubectl('delete', 'clusterroles,clusterrolebindings', own);
  });
  const objects = objectsOf(text);
  const user = `${release}-tinycert-operator`;
  const settings: Partial<Settings> = {
    ...(parseFlags(container(objects).args, {}) as Settings),
    kubeconfig: await cluster.kubeconfigFor({ serviceAccount: { namespace, name: user } }),
    clusterResourceNamespace: namespace,
    // No sockets: several operators run in this process.
    metricsBindAddress: '0',
    healthProbeBindAddress: '0',
    allowedEndpoints: [server.endpoint, world.stage.dev.endpoint],
  };
  const operator = launchOperator(stage, settings);
  const audit = new AuditLog(
    cluster.auditLog ?? '',
    stage.kube,
    `system:serviceaccount:${namespace}:${user}`,
  );
  const asked = async (): Promise<Set<string>> => {
    const lines = new Set<string>();
    for (const { verb, objectRef, responseStatus } of await audit.entries()) {
      const { resource = '', subresource, name } = objectRef ?? {};
      const line = `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}`;
      lines.add(responseStatus?.code === 403 ? `refused ${line}` : line);
      if (name !== undefined) lines.add(`${line}=${name}`);
    }
    return lines;
  };
  return { objects, operator, asked };
}

type Written = Parameters<World['certificate']>[1];

/** A certificate is issued and deleted, for which it is revoked or, without that, put on record. */
async function liveTinyCert({ world }: CAcertWorld, name: string, spec: Written = {}): Promise<void> {
  await world.certificate(name, spec);
  await world.ready(name);
  const ref = world.ref(name);
  await watchDeletion(stage.kube, certificates, ref, () => stage.kube.delete(certificates, ref));
  // What is given up is recorded with others of the same moment.
  await stage.clock.skip(60_000);
}

const revoked = { revocation: { onDelete: 'Revoke' } };

/** An issuer that cannot work is reported with an event. */
async function liveTrouble({ world }: CAcertWorld): Promise<void> {
  const { endpoint } = stage.dev;
  await world.create(issuers, 'broken', {
    spec: { endpoint, credentialsSecretRef: { name: 'nowhere' }, authority: { id: 1 } },
  });
  await watchUntil(stage.kube, issuers, world.ref('broken'), ({ status }) =>
    Boolean(conditionOf(status?.conditions, 'Ready')),
  );
  await world.settled();
  const { items } = await stage.kube.listAll(events, { namespace: world.namespace });
  expect(items.map(({ regarding }) => regarding.name)).toContain('broken');
}

/** Reads of our own resources one by one, which follow a conflict: whether there is one here is chance; other tests have them. */
const READ_AGAIN = /^get (?:tinycert|cacert)/;

/** The rights that the rendering grants to the operator, without those of users, and that it did not use. */
function unusedOf(objects: readonly Rendered[], asked: ReadonlySet<string>): string[] {
  const operators = objects.filter(({ metadata }) => !/-(?:view|edit)$/.test(metadata.name));
  return [...new Set(grants(operators))].filter((line) => !asked.has(line) && !READ_AGAIN.test(line));
}

function refusedOf(asked: ReadonlySet<string>): string[] {
  return [...asked].filter((line) => line.startsWith('refused '));
}

/** After the rest of an operator's life, at CAcert and in trouble, it has used all that it was granted and been refused nothing. */
async function expectAllUsed(
  cacert: CAcertWorld,
  { operator, objects, asked }: Awaited<ReturnType<typeof install>>,
): Promise<void> {
  await cacert.account();
  await cacert.certificate('mail');
  await cacert.ready('mail');
  await liveTrouble(cacert);
  await stage.clock.skip(3_600_000);
  await operator.stop();

  const used = await asked();
  expect(refusedOf(used)).toEqual([]);
  expect(unusedOf(objects, used)).toEqual([]);
}

describe('under its ServiceAccount, with what the chart grants, the operator issues, revokes and reports', () => {
  test('in all namespaces, at both CAs', async () => {
    const cacert = await aCAcertWorld(stage);
    const { world } = cacert;
    const installed = await install('all', {}, cacert);
    await world.account();
    const { endpoint, caPem: caBundle, authorityId: id } = stage.dev;
    const spec = { endpoint, caBundle, credentialsSecretRef: { name: 'account' }, authority: { id } };
    await stage.kube.create(clusterIssuers, { metadata: { name: 'ca' }, spec });
    onTestFinished(() => stage.kube.delete(clusterIssuers, { name: 'ca' }));
    const credentials = await world.get(secrets, 'account');
    await stage.kube.create(secrets, {
      metadata: { name: 'account', namespace: 'all-system' },
      data: credentials.data ?? {},
    });
    await liveTinyCert(cacert, 'web', revoked);
    await liveTinyCert(cacert, 'api');
    await liveTinyCert(cacert, 'old');
    const issuerRef = { kind: 'TinyCertClusterIssuer', name: 'ca' };
    await liveTinyCert(cacert, 'wide', { ...revoked, issuerRef });
    await expectAllUsed(cacert, installed);
  });

  test('in given namespaces, without any right beyond them', async () => {
    const cacert = await aCAcertWorld(stage);
    const { world } = cacert;
    const installed = await install('some', { namespaces: [world.namespace] }, cacert);
    await world.account();
    await liveTinyCert(cacert, 'web', revoked);
    await liveTinyCert(cacert, 'api');
    await liveTinyCert(cacert, 'old');
    await expectAllUsed(cacert, installed);
    const user = '--as=system:serviceaccount:some-system:some-tinycert-operator';
    const may = (...what: string[]): Promise<string> =>
      kubectl('auth', 'can-i', ...what, user).then(
        (answer) => answer.trim(),
        (error: { stdout: string }) => error.stdout.trim(),
      );
    expect(await may('get', 'secrets', `--namespace=${world.namespace}`)).toBe('yes');
    expect(await may('get', 'secrets', '--namespace=default')).toBe('no');
    expect(await may('list', 'secrets', '--namespace=some-system')).toBe('no');
    expect(await may('get', 'secrets/tinycert-operator-seal', '--namespace=some-system')).toBe('yes');
  });

  test('without CAcert, whose CRDs are there, and whose rights are not', async () => {
    const cacert = await aCAcertWorld(stage);
    const { world } = cacert;
    const { operator, asked } = await install('plain', { cacert: { enabled: false } }, cacert);
    await world.account();
    await liveTinyCert(cacert, 'web', revoked);
    await stage.clock.skip(3_600_000);
    await operator.stop();

    const used = await asked();
    expect(refusedOf(used)).toEqual([]);
    expect([...used].filter((line) => line.includes('cacert'))).toEqual([]);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { certificates, issuers } from '../../src/api/kinds.ts';
import { BUY_AT_ONCE_ANNOTATION, IN_USE_FINALIZER, REVOCATION_FINALIZER } from '../../src/api/names.ts';
import { type KubeObject, type ResourceType, secrets } from '../../src/kube/objects.ts';
import { type ControlPlane, startControlPlane } from '../../tools/control-plane/index.ts';
import { helm } from '../support/chart/chart.ts';
import { Reader, type Section, sectionsOf } from '../support/pages/page.ts';
import { aCAcertWorld } from '../support/world/cacert-world.ts';
import { controlPlane } from '../support/world/control-plane.ts';
import { crds, installCrds } from '../support/world/crds.ts';
import { statusAtCa } from '../support/world/scenario.ts';
import { openStage, type Stage } from '../support/world/stage.ts';
import { type World } from '../support/world/world.ts';

const PAGES = ['upgrade.md', 'backup.md', 'uninstall.md'];

let cluster: ControlPlane;
let stage: Stage;
let reader: Reader;
/** The commands that a test has run. */
const tried = new Set<string>();
beforeAll(async () => {
  cluster = await startControlPlane();
  stage = await openStage({ keyPool: 4, keyPoolReuse: true }, cluster);
});
afterAll(async () => {
  await stage.close();
  await cluster.stop();
});
beforeEach(async () => {
  reader = new Reader(cluster.kubeconfig, { kubectl: controlPlane().kubectl, helm: await helm() });
});

/** A section of a page. */
function section(page: string, heading: string): Section {
  const found = sectionsOf(page).find((each) => each.heading === heading);
  if (!found) throw new Error(`docs/${page} has no section ${heading}`);
  return found;
}

/** Runs all commands of a section. */
async function follow(page: string, heading: string): Promise<string[]> {
  const { commands } = section(page, heading);
  for (const command of commands) tried.add(command);
  return reader.runAll(commands);
}

/** Installs the chart as docs/install.md says. What an earlier test left of its namespace goes first: no controller here ends that. */
async function install(): Promise<void> {
  await reader.run('kubectl delete namespace tinycert-operator --ignore-not-found --wait=false');
  await stage.kube.transport
    .request({
      method: 'PUT',
      path: '/api/v1/namespaces/tinycert-operator/finalize',
      body: {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'tinycert-operator' },
        spec: { finalizers: [] },
      },
    })
    .catch(() => undefined);
  await reader.run(
    'helm install tinycert-operator deploy/helm --namespace tinycert-operator --create-namespace --take-ownership',
  );
  await reader.run('kubectl wait --for=condition=Established crd --all --timeout=60s');
}

const revoked = { revocation: { onDelete: 'Revoke' } };

async function finalizersOf(world: World, type: ResourceType, name: string): Promise<string[] | undefined> {
  return (await stage.kube.find<KubeObject>(type, world.ref(name)))?.metadata.finalizers;
}

test('an upgrade, the CRDs by themselves, and a rollback', async () => {
  await install();
  const [, applied] = await follow('upgrade.md', 'Upgrade');
  expect(applied).toContain('tinycertcertificates.tinycert-operator.io serverside-applied');
  await follow('upgrade.md', 'Downgrade');
  expect(await reader.run('helm status tinycert-operator --namespace tinycert-operator')).toContain(
    'REVISION: 3',
  );
  await reader.run('helm uninstall tinycert-operator --namespace tinycert-operator');
});

test('a backup, who waits after a restore, and buying at once', async () => {
  await install();
  const { world, ...cacert } = await aCAcertWorld(stage);
  await world.account();
  const operator = await world.operator({ allowedEndpoints: [stage.dev.endpoint, cacert.server.endpoint] });
  await world.certificate('web');
  await world.ready('web');
  await operator.stop();
  await world.certificate('waits');
  const unclaimedCertificates = { since: '2026-01-01T00:00:00Z', certificates: [world.named(4711)] };
  await world.patch(certificates, 'waits', { status: { unclaimedCertificates } }, 'status');

  const [resources, ofCertificates] = await follow('backup.md', 'What to back up');
  expect(resources).toContain(`tinycertcertificate.tinycert-operator.io/web`);
  expect(ofCertificates).toContain('web-tls');
  await follow('backup.md', 'Objects put back, by Velero for example');
  const [waiting, annotated] = await follow('backup.md', 'etcd put back');
  expect(waiting).toBe(`${world.namespace}/waits: 4711\n`);
  expect(annotated).toContain('waits annotated');
  const { metadata } = await world.get(certificates, 'waits');
  expect(metadata.annotations ?? {}).not.toHaveProperty(BUY_AT_ONCE_ANNOTATION);
  await reader.run('helm uninstall tinycert-operator --namespace tinycert-operator');
});

describe('uninstalling', () => {
  test('in order revokes what is to be revoked, and leaves nothing but what the page says', async () => {
    await install();
    const cacert = await aCAcertWorld(stage);
    const { world } = cacert;
    await world.account();
    await cacert.account();
    const operator = await cacert.operator();
    await world.certificate('stays');
    await world.certificate('revoked', revoked);
    await cacert.certificate('mail');
    const ids = await Promise.all(
      ['stays', 'revoked'].map(async (name) => (await world.ready(name)).status?.certificateId),
    );
    await cacert.ready('mail');

    const { commands } = section('uninstall.md', 'Everything');
    const last = commands.findIndex((command) => command.startsWith('helm uninstall'));
    const secretsGo = commands.findIndex((command) => command.startsWith('kubectl delete secrets'));
    for (const command of commands) tried.add(command);
    await reader.runAll(commands.slice(0, last));
    await operator.stop();
    await reader.runAll(commands.slice(last, secretsGo));
    const { items } = await stage.kube.listAll(secrets, { namespace: world.namespace });
    const kept = items.map(({ metadata }) => metadata.name);
    expect(kept).toEqual(expect.arrayContaining(['mail-tls', 'revoked-tls', 'stays-tls']));
    await reader.runAll(commands.slice(secretsGo));

    expect(ids.map((id) => statusAtCa(stage, id))).toEqual(['good', 'revoked']);
    expect((await stage.kube.listAll(crds, {})).items).toEqual([]);
    expect(await stage.kube.find(secrets, world.ref('stays-tls'))).toBeUndefined();
    // What removes the resources of a test needs them.
    await installCrds(stage.kube);
  });

  test('the operator alone keeps all else, and one that comes back goes on', async () => {
    await install();
    const { world, ...cacert } = await aCAcertWorld(stage);
    await world.account();
    const endpoints = { allowedEndpoints: [stage.dev.endpoint, cacert.server.endpoint] };
    const operator = await world.operator(endpoints);
    await world.certificate('web');
    const { status } = await world.ready('web');
    await operator.stop();
    await follow('uninstall.md', 'The operator alone');
    await install();
    await world.operator(endpoints);
    await world.pass(60_000);
    expect((await world.get(certificates, 'web')).status?.certificateId).toBe(status?.certificateId);
    expect(world.calls()).toMatchObject({ 'cert/new': 1 });
    await reader.run('helm uninstall tinycert-operator --namespace tinycert-operator');
  });

  test('with the operator gone first, one command frees what waits, and keeps the finalizers of others', async () => {
    await install();
    const { world, ...cacert } = await aCAcertWorld(stage);
    await world.account();
    const operator = await world.operator({ allowedEndpoints: [stage.dev.endpoint, cacert.server.endpoint] });
    await world.certificate('web', revoked);
    await world.certificate('shared', revoked);
    for (const name of ['web', 'shared']) await world.ready(name);
    await world.until(
      issuers,
      'ca',
      ({ metadata }) => metadata.finalizers?.includes(IN_USE_FINALIZER) ?? false,
    );
    const finalizers = [REVOCATION_FINALIZER, 'example.com/theirs'];
    await world.patch(certificates, 'shared', { metadata: { finalizers } });
    await operator.stop();
    await reader.run('helm uninstall tinycert-operator --namespace tinycert-operator');
    await reader.run(
      'kubectl delete tinycertcertificates,tinycertissuers --all --all-namespaces --wait=false',
    );
    expect(await finalizersOf(world, certificates, 'web')).toEqual([REVOCATION_FINALIZER]);
    expect(await finalizersOf(world, issuers, 'ca')).toEqual([IN_USE_FINALIZER]);

    const [noted] = await follow('uninstall.md', 'The operator was gone first');

    expect(noted).toMatch(new RegExp(`${world.namespace} +web +Revoke +${stage.dev.authorityId} +[0-9]+`));
    expect(await finalizersOf(world, certificates, 'web')).toBeUndefined();
    expect(await finalizersOf(world, issuers, 'ca')).toBeUndefined();
    expect(await finalizersOf(world, certificates, 'shared')).toEqual(['example.com/theirs']);
    await world.patch(certificates, 'shared', { metadata: { finalizers: null } });
    expect(await finalizersOf(world, certificates, 'shared')).toBeUndefined();
  });
});

test('every command of the pages was run', () => {
  const all = PAGES.flatMap((page) => sectionsOf(page).flatMap(({ commands }) => commands));
  expect(all.length).toBeGreaterThan(15);
  expect(all.filter((command) => !tried.has(command))).toEqual([]);
});

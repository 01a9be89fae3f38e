import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { cacertCertificates, certificates } from '../../src/api/kinds.ts';
import { MANAGED_LABEL } from '../../src/api/names.ts';
import { type KubeObject, type ResourceType, secrets } from '../../src/kube/objects.ts';
import { aCAcertWorld } from '../support/world/cacert-world.ts';
import { events } from '../support/world/crds.ts';
import { complaints } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { type World, aWorld } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ keyPool: 8, keyPoolReuse: true });
});
afterAll(() => stage.close());

const HOUR = 3_600_000;

type Policy = KubeObject & { spec: object };
const kindOf = (kind: string, plural: string): ResourceType<Policy> => ({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  plural,
  kind,
  namespaced: false,
});
const policies = kindOf('MutatingAdmissionPolicy', 'mutatingadmissionpolicies');
const bindings = kindOf('MutatingAdmissionPolicyBinding', 'mutatingadmissionpolicybindings');

/** A policy that changes each Secret of the world as it is written. `mutation`: JSON patch or apply configuration. */
async function altering(world: World, mutation: object): Promise<() => Promise<void>> {
  const { kube } = stage;
  const name = `alter-${world.namespace}`;
  await kube.create(policies, {
    metadata: { name },
    spec: {
      matchConstraints: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': world.namespace } },
        resourceRules: [
          { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['secrets'] },
        ],
      },
      matchConditions: [{ name: 'ours', expression: "object.metadata.name.endsWith('-tls')" }],
      failurePolicy: 'Fail',
      reinvocationPolicy: 'Never',
      mutations: [mutation],
    },
  });
  await kube.create(bindings, { metadata: { name }, spec: { policyName: name } });
  const remove = async (): Promise<void> => {
    await kube.delete(bindings, { name });
    await kube.delete(policies, { name });
  };
  onTestFinished(() => remove().catch(() => undefined));
  await until(true);
  return async () => {
    await remove();
    await until(false);
  };

  /** Waits until the API server goes by the policy, or no longer does. */
  async function until(isAltered: boolean): Promise<void> {
    const labels = { [MANAGED_LABEL]: 'true' };
    const annotations = { 'tinycert-operator.io/common-name': 'probe' };
    const probe = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'Opaque',
      metadata: { ...world.ref('probe-tls'), labels, annotations },
      data: { 'tls.crt': 'eA==' },
    };
    for (;;) {
      const { type, metadata, data } = await kube.create(secrets, probe);
      await kube.delete(secrets, world.ref('probe-tls'));
      const found = [type, metadata.labels, metadata.annotations, data];
      if (
        (JSON.stringify(found) !== JSON.stringify(['Opaque', labels, annotations, probe.data])) ===
        isAltered
      )
        return;
    }
  }
}

/** A mutation that merges this into each Secret. */
const apply = (expression: string): object => ({
  patchType: 'ApplyConfiguration',
  applyConfiguration: { expression },
});
const patch = (operations: string): object => ({
  patchType: 'JSONPatch',
  jsonPatch: { expression: operations },
});

const LABEL = apply(`Object{metadata: Object.metadata{labels: {'${MANAGED_LABEL}': 'other'}}}`);
const ANNOTATIONS = patch("[JSONPatch{op: 'remove', path: '/metadata/annotations'}]");
const FILES = patch("[JSONPatch{op: 'replace', path: '/data/tls.crt', value: 'eg=='}]");

async function told(world: World): Promise<string[]> {
  const { items } = await stage.kube.listAll(events, { namespace: world.namespace });
  return items.filter(({ reason }) => reason === 'SecretAltered').map(({ note }) => note);
}

describe('a policy that rewrites our label', () => {
  /** A certificate that is served by a Secret without our label. */
  async function unlabelled() {
    const world = await aWorld(stage);
    await world.account();
    const end = await altering(world, LABEL);
    const operator = await world.operator();
    await world.certificate('web');
    const { status } = await world.ready('web');
    return { world, operator, end, id: status?.certificateId };
  }

  test('is reported, and what is served stays Ready', async () => {
    const { world, operator, end, id } = await unlabelled();
    await world.settled();

    expect(await world.says(certificates, 'web')).toEqual([
      'Ready=True Ready: The Secret holds a valid certificate for this spec.',
      expect.stringMatching(
        /^Issuing=False SecretAltered: The Secret web-tls is not stored as the operator writes it: label tinycert-operator.io\/managed\. .*exempt/,
      ),
    ]);
    expect(await told(world)).toHaveLength(1);
    const since = world.tally(operator);
    await world.pass(4 * HOUR);
    expect(since().writes['PATCH secrets']).toBeLessThanOrEqual(9);
    expect(since().calls).not.toHaveProperty('cert/new');
    expect(complaints(operator)).toEqual([]);

    await end();
    await world.pass(9 * HOUR);
    expect(await world.says(certificates, 'web')).toEqual([expect.stringMatching(/^Ready=True/)]);
    const { metadata } = await world.get(secrets, 'web-tls');
    expect(metadata.labels).toEqual({ [MANAGED_LABEL]: 'true' });
    expect((await world.get(certificates, 'web')).status).toMatchObject({ certificateId: id });
  });

  test.each([
    ['soon after it was written', 0],
    ['hours later', 3 * HOUR],
  ])('hides no deletion of the Secret: %s', async (_, ms) => {
    const { world, id } = await unlabelled();
    await world.pass(ms);
    const { metadata } = await world.get(secrets, 'web-tls');

    await world.delete(secrets, 'web-tls');
    await world.pass(11 * 60_000);

    expect((await world.get(secrets, 'web-tls')).metadata.uid).not.toBe(metadata.uid);
    expect((await world.ready('web')).status).toMatchObject({ certificateId: id });
    expect(world.calls()).toMatchObject({ 'cert/new': 1 });
  });

  test('hides no damage of the Secret', async () => {
    const { world, id } = await unlabelled();
    await world.pass(HOUR);
    const { data } = await world.get(secrets, 'web-tls');

    await world.patch(secrets, 'web-tls', { data: { 'tls.crt': 'eA==' } });
    await world.pass(9 * HOUR);

    expect((await world.get(secrets, 'web-tls')).data).toEqual(data);
    expect((await world.ready('web')).status).toMatchObject({ certificateId: id });
  });

  test('is reported on a certificate of CAcert too, and hides no deletion', async () => {
    const cacert = await aCAcertWorld(stage);
    const { world } = cacert;
    await altering(world, LABEL);
    await cacert.operator();
    await cacert.account();
    await cacert.certificate('mail');
    await cacert.ready('mail');
    await world.settled();
    expect(await cacert.says('mail')).toEqual([
      expect.stringMatching(/^Ready=True/),
      expect.stringMatching(/^Issuing=False SecretAltered/),
    ]);

    const { status: before } = await world.get(cacertCertificates, 'mail');
    expect(before).toMatchObject({ failedAttempts: 1 });

    await world.delete(secrets, 'mail-tls');
    await world.pass(60_000);
    await world.until(cacertCertificates, 'mail', ({ status }) => status?.revision === 2);
  });
});

test('a policy that drops our annotations is reported, and the Secret stays Ready', async () => {
  const world = await aWorld(stage);
  await world.account();
  await altering(world, ANNOTATIONS);
  const operator = await world.operator();
  await world.certificate('web');
  await world.ready('web');
  await world.pass(10 * 60_000);

  expect(await world.says(certificates, 'web')).toEqual([
    expect.stringMatching(/^Ready=True/),
    expect.stringMatching(
      /^Issuing=False SecretAltered: .*annotation tinycert-operator\.io\/certificate-name/,
    ),
  ]);
  expect(complaints(operator)).toEqual([]);
});

test('a policy that changes a file leaves no certificate Ready, buys no other, and is repaired once it is gone', async () => {
  const world = await aWorld(stage);
  await world.account();
  const end = await altering(world, FILES);
  const operator = await world.operator();
  await world.certificate('web');
  await world.until(certificates, 'web', ({ status }) => status?.failedAttempts !== undefined);
  await world.pass(HOUR);

  expect(await world.says(certificates, 'web')).toEqual([
    expect.stringMatching(/^Ready=False SecretAltered: .*tls\.crt\./),
    expect.stringMatching(/^Issuing=False SecretAltered: .*tls\.crt\./),
  ]);
  expect(complaints(operator)).toEqual([]);
  await end();
  await world.pass(9 * HOUR);
  await world.ready('web');
  expect(world.calls()).toMatchObject({ 'cert/new': 1 });
});

test('a Secret that is deleted before any watch has seen it is written again', async () => {
  const world = await aWorld(stage);
  await world.account();
  const operator = await world.operator();
  // The label goes as soon as the Secret is there, so no watch shows the deletion either.
  let isDone = false;
  operator.traffic.onAnswer = ({ method, resource, name }) => {
    if (isDone || method !== 'POST' || resource !== 'secrets' || name !== 'web-tls') return;
    isDone = true;
    void stage.kube.delete(secrets, world.ref('web-tls'));
  };
  await world.certificate('web');
  await world.ready('web');
  await world.pass(90_000);

  expect(await stage.kube.find(secrets, world.ref('web-tls'))).toBeDefined();
  expect(world.calls()).toMatchObject({ 'cert/new': 1 });
});

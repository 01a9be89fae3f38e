import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  cacertAccounts,
  cacertCertificates,
  certificates,
  clusterIssuers,
  issuers,
} from '../../src/api/kinds.ts';
import { conditionOf } from '../../src/issuance/status/conditions.ts';
import { isNotFound } from '../../src/kube/errors.ts';
import { type ResourceType, secrets } from '../../src/kube/objects.ts';
import type { Settings } from '../../src/operator/flags.ts';
import { type ControlPlane, startControlPlane } from '../../tools/control-plane/index.ts';
import { type CAcertWorld, aCAcertWorld } from '../support/world/cacert-world.ts';
import { crds, installCrds } from '../support/world/crds.ts';
import { filesOf } from '../support/x509/openssl.ts';
import { type TestOperator, launchOperator } from '../support/world/operator.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { watchDeletion } from '../support/kube/watching.ts';
import { sentence } from '../support/world/world.ts';

let cluster: ControlPlane;
let stage: Stage;
beforeAll(async () => {
  cluster = await startControlPlane();
  stage = await openStage({ keyPool: 4, keyPoolReuse: true }, cluster);
  await installCrds(stage.kube);
});
afterAll(async () => {
  await stage.close();
  await cluster.stop();
});

const HOUR = 3_600_000;
/** Longer than an informer waits before it lists again. */
const LIST_AGAIN = 60_000;

/** A namespace with a CAcert server; the test ends with all CRDs installed. */
async function aPlace(): Promise<CAcertWorld> {
  const cacert = await aCAcertWorld(stage);
  onTestFinished(() => installCrds(stage.kube));
  return cacert;
}

/** An operator for all namespaces, which does not wait for its caches. */
function launch({ world, server }: CAcertWorld, settings: Partial<Settings> = {}): TestOperator {
  return launchOperator(stage, {
    clusterResourceNamespace: world.namespace,
    allowedEndpoints: [server.endpoint, stage.dev.endpoint],
    ...settings,
  });
}

function crdOf({ plural, group }: ResourceType): string {
  return `${plural}.${group}`;
}

/** Deletes a CRD and its objects, and waits until the API server no longer serves the kind. */
async function uninstall(type: ResourceType): Promise<void> {
  const { items } = await stage.kube.listAll(type, {});
  for (const { metadata } of items) {
    const { namespace, name } = metadata;
    const ref = { ...(namespace === undefined ? {} : { namespace }), name };
    if (metadata.finalizers) await stage.kube.mergePatch(type, ref, { metadata: { finalizers: null } });
  }
  const ref = { name: crdOf(type) };
  await watchDeletion(stage.kube, crds, ref, () => stage.kube.delete(crds, ref));
  const isServed = (): Promise<boolean> =>
    stage.kube.list(type, {}).then(
      () => true,
      (error: unknown) => {
        if (isNotFound(error)) return false;
        throw error;
      },
    );
  while (await isServed()) await pause(10);
}

/** The messages of the operator's errors. */
function errorsOf({ log }: TestOperator): string[] {
  return log.filter(({ level }) => level === 'error').map(({ msg }) => msg);
}

/** Creates one resource of each kind, except where the kind is missing. `wide` is the certificate of a cluster issuer. */
async function createAll(cacert: CAcertWorld, isMissing: (type: ResourceType) => boolean): Promise<void> {
  const { world } = cacert;
  if (!isMissing(issuers)) await world.issuer();
  if (!isMissing(clusterIssuers)) {
    const { endpoint, caPem: caBundle, authorityId: id } = stage.dev;
    const spec = { endpoint, caBundle, credentialsSecretRef: { name: 'account' }, authority: { id } };
    await stage.kube.create(clusterIssuers, {
      metadata: { name: world.namespace },
      spec,
    });
    onTestFinished(() => stage.kube.delete(clusterIssuers, { name: world.namespace }));
  }
  if (!isMissing(certificates)) {
    await world.certificate('web');
    await world.certificate('wide', {
      issuerRef: { kind: 'TinyCertClusterIssuer', name: world.namespace },
    });
  }
  if (!isMissing(cacertAccounts)) await cacert.account();
  if (!isMissing(cacertCertificates)) await cacert.certificate('mail');
}

/** Which of the three certificates are there and ready. */
async function readyOnes({ world }: CAcertWorld): Promise<string[]> {
  const ready: string[] = [];
  for (const name of ['web', 'wide', 'mail']) {
    const ref = world.ref(name);
    // A kind that is not installed is a 404 as well.
    const found = await (name === 'mail'
      ? stage.kube.find(cacertCertificates, ref)
      : stage.kube.find(certificates, ref));
    if (conditionOf(found?.status?.conditions, 'Ready')?.status === 'True') ready.push(name);
  }
  return ready;
}

const cases: [type: ResourceType, ready: string[], waits: string][] = [
  [certificates, ['mail'], 'TinyCertCertificates, TinyCertIssuers and TinyCertClusterIssuers'],
  [issuers, ['wide', 'mail'], 'TinyCertIssuers and the certificates that name one'],
  [clusterIssuers, ['web', 'mail'], 'TinyCertClusterIssuers and the certificates that name one'],
  [cacertAccounts, ['web', 'wide'], 'CAcertAccounts and CAcertCertificates'],
  [cacertCertificates, ['web', 'wide'], 'CAcertCertificates'],
];

describe('a missing CRD stops only what depends on it, is named in the log once, and may come later:', () => {
  test.each(cases.map(([type, ...rest]) => [type.plural, type, ...rest] as const))(
    '%s',
    async (_, missing, ready, waits) => {
      const cacert = await aPlace();
      const { world } = cacert;
      await uninstall(missing);
      const operator = launch(cacert);
      await world.credentials();
      await createAll(cacert, (type) => type === missing);

      for (const name of ready) await (name === 'mail' ? cacert.ready(name) : world.ready(name));
      await stage.clock.skip(10 * LIST_AGAIN);

      expect(await readyOnes(cacert)).toEqual(ready);
      expect(errorsOf(operator)).toEqual([
        `The CRD ${crdOf(missing)} is not installed: run kubectl apply -f crds/${crdOf(missing)}.yaml of this release. ${waits} wait until then.`,
      ]);

      await installCrds(stage.kube);
      await createAll(cacert, (type) => type !== missing);
      await stage.clock.skip(LIST_AGAIN);
      await world.ready('web');
      await world.ready('wide');
      await cacert.ready('mail');
      expect(errorsOf(operator)).toHaveLength(1);
      expect(operator.log.map(({ msg }) => msg)).toContain(`The CRD ${crdOf(missing)} is installed now.`);
    },
  );
});

describe('with --cacert=false', () => {
  test('nothing is said about CAcert’s CRDs, which are missing, and TinyCert’s certificates are issued', async () => {
    const cacert = await aPlace();
    await uninstall(cacertAccounts);
    await uninstall(cacertCertificates);
    const operator = launch(cacert, { cacert: false });
    await cacert.world.account();
    await cacert.world.certificate('web');
    await stage.clock.skip(10 * LIST_AGAIN);

    expect(await readyOnes(cacert)).toEqual(['web']);
    expect(errorsOf(operator)).toEqual([]);
  });

  test('CAcert’s resources, which are there, are neither read nor worked on', async () => {
    const cacert = await aPlace();
    await cacert.account();
    await cacert.certificate('mail');
    const operator = launch(cacert, { cacert: false });
    await cacert.world.account();
    await cacert.world.certificate('web');
    await cacert.world.ready('web');
    await stage.clock.skip(HOUR);

    expect(operator.traffic.watches().filter((watch) => watch.includes('cacert'))).toEqual([]);
    expect(cacert.server.journal()).toEqual([]);
    expect((await cacert.world.get(cacertCertificates, 'mail')).status).toBeUndefined();
  });
});

test('a certificate reports that the kind of its issuer is not installed, and then that the issuer is missing', async () => {
  const cacert = await aPlace();
  const { world } = cacert;
  await uninstall(clusterIssuers);
  launch(cacert);
  await world.certificate('wide', { issuerRef: { kind: 'TinyCertClusterIssuer', name: 'nobody' } });
  const says = async (reason: string): Promise<string[]> => {
    const { status } = await world.until(
      certificates,
      'wide',
      (object) => conditionOf(object.status?.conditions, 'Ready')?.reason === reason,
    );
    return (status?.conditions ?? []).map(sentence).filter((text) => text.startsWith('Ready='));
  };

  expect(await says('IssuerNotReady')).toEqual([
    "Ready=False IssuerNotReady: TinyCertClusterIssuer nobody cannot be read, because the CRD of TinyCertClusterIssuer is not installed: run kubectl apply -f crds/ from the operator's release. The operator then continues by itself.",
  ]);

  await installCrds(stage.kube);
  await stage.clock.skip(LIST_AGAIN);

  expect(await says('IssuerNotFound')).toEqual([
    'Ready=False IssuerNotFound: There is no TinyCertClusterIssuer nobody: create it, or correct issuerRef.',
  ]);
});

test('a deleted certificate waits for the missing kind of its issuer, and is revoked once the issuer is back', async () => {
  const cacert = await aPlace();
  const { world } = cacert;
  await world.account();
  const first = launch(cacert);
  await world.certificate('web', { revocation: { onDelete: 'Revoke' } });
  const id = (await world.ready('web')).status?.certificateId ?? 0;
  await world.settled();
  await first.stop();
  await uninstall(issuers);
  await stage.kube.delete(certificates, world.ref('web'));

  launch(cacert);
  await world.until(
    certificates,
    'web',
    ({ status }) =>
      conditionOf(status?.conditions, 'RevocationPending')?.message ===
      "TinyCertIssuer ca cannot be read, because the CRD of TinyCertIssuer is not installed: run kubectl apply -f crds/ from the operator's release. The operator then continues by itself.",
  );
  await stage.clock.skip(HOUR);

  expect(await stage.kube.find(certificates, world.ref('web'))).toBeDefined();
  expect(stage.dev.certificates().find((one) => one.id === id)?.status).toBe('good');

  await installCrds(stage.kube);
  await watchDeletion(stage.kube, certificates, world.ref('web'), async () => {
    await world.issuer();
    await stage.clock.skip(LIST_AGAIN);
  });
  expect(stage.dev.certificates().find((one) => one.id === id)?.status).toBe('revoked');
});

test('an issuer remembers and reports nothing while the kind of its certificates is missing', async () => {
  const cacert = await aPlace();
  const { world } = cacert;
  await world.account({ ownershipMarker: 'OrganizationalUnit' });
  const first = launch(cacert);
  await world.certificate('web');
  await world.ready('web');
  await world.settled();
  await first.stop();
  const before = await world.get(issuers, 'ca');
  await uninstall(certificates);
  const since = world.mark();

  const operator = launch(cacert);
  await stage.clock.skip(HOUR);

  expect(await world.get(issuers, 'ca')).toEqual(before);
  expect(world.calls(since)).toEqual({});
  expect(operator.traffic.writes()).toEqual({});
});

describe('a Secret keeps its owner while the kind of another certificate is missing and after it has come:', () => {
  test('TinyCert has it', async () => {
    const cacert = await aPlace();
    const { world } = cacert;
    await uninstall(cacertCertificates);
    await world.account();
    launch(cacert);
    await world.certificate('web', { secretName: 'shared' });
    await world.ready('web');
    const { crt } = filesOf(await world.get(secrets, 'shared'));

    await installCrds(stage.kube);
    await cacert.account();
    await cacert.certificate('mail', { secretName: 'shared' });
    await stage.clock.skip(LIST_AGAIN);
    await cacert.until(
      'mail',
      ({ status }) => conditionOf(status?.conditions, 'Ready')?.reason === 'DuplicateSecretName',
    );
    await stage.clock.skip(HOUR);

    expect(cacert.asked()).toBe(0);
    expect(filesOf(await world.get(secrets, 'shared')).crt).toBe(crt);
    expect((await world.ready('web')).status?.revision).toBe(1);
    expect(world.calls()).toMatchObject({ 'cert/new': 1 });
  });

  test('CAcert has it', async () => {
    const cacert = await aPlace();
    const { world } = cacert;
    await uninstall(certificates);
    await cacert.account();
    launch(cacert);
    await cacert.certificate('mail', { secretName: 'shared' });
    await cacert.ready('mail');
    const { crt } = filesOf(await world.get(secrets, 'shared'));

    await installCrds(stage.kube);
    await world.account();
    await world.certificate('web', { secretName: 'shared' });
    await stage.clock.skip(LIST_AGAIN);
    await world.until(
      certificates,
      'web',
      ({ status }) => conditionOf(status?.conditions, 'Ready')?.reason === 'DuplicateSecretName',
    );
    await stage.clock.skip(HOUR);

    expect(world.calls()).not.toHaveProperty('cert/new');
    expect(filesOf(await world.get(secrets, 'shared')).crt).toBe(crt);
    expect(cacert.asked()).toBe(1);
  });

  test('CAcert had it before its kind was deleted', async () => {
    const cacert = await aPlace();
    const { world } = cacert;
    await cacert.account();
    const first = launch(cacert);
    await cacert.certificate('mail', { secretName: 'shared' });
    await cacert.ready('mail');
    await world.settled();
    await first.stop();
    const before = await world.get(secrets, 'shared');
    await uninstall(cacertCertificates);
    await world.account();

    launch(cacert);
    await world.certificate('web', { secretName: 'shared' });
    await world.until(
      certificates,
      'web',
      ({ status }) => conditionOf(status?.conditions, 'Ready')?.reason === 'SecretNotOwned',
    );
    await stage.clock.skip(HOUR);

    expect(world.calls()).not.toHaveProperty('cert/new');
    expect(await world.get(secrets, 'shared')).toEqual(before);
  });
});

test('a CRD that is deleted while the operator runs is named in the log, and its kind works again afterwards', async () => {
  const cacert = await aPlace();
  const { world } = cacert;
  await world.account();
  const operator = launch(cacert);
  await world.certificate('web');
  await world.ready('web');
  await world.settled();

  await uninstall(cacertAccounts);
  // The API server may leave the watch open for a while, without a word.
  await stage.clock.skip(10 * LIST_AGAIN);
  expect(errorsOf(operator)).toEqual([
    expect.stringContaining('The CRD cacertaccounts.tinycert-operator.io is not installed: '),
  ]);

  await installCrds(stage.kube);
  await cacert.account();
  await cacert.certificate('mail');
  await stage.clock.skip(LIST_AGAIN);
  await cacert.ready('mail');
});

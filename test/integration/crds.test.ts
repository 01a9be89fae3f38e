import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { certificates, issuers } from '../../src/api/kinds.ts';
import { isInvalid } from '../../src/kube/errors.ts';
import { secrets } from '../../src/kube/objects.ts';
import { objectPath } from '../../src/kube/paths.ts';
import { type ControlPlane, startControlPlane } from '../../tools/control-plane/index.ts';
import { type Crd, type Schema, installCrds, releasedCrds } from '../support/world/crds.ts';
import { launchOperator } from '../support/world/operator.ts';
import { ONCE_READY } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { counted } from '../support/world/traffic.ts';
import { type World, aWorld } from '../support/world/world.ts';

let cluster: ControlPlane;
let stage: Stage;
beforeAll(async () => {
  cluster = await startControlPlane();
  stage = await openStage({}, cluster);
});
afterAll(async () => {
  await stage.close();
  await cluster.stop();
});

/** The CRDs of an older release: without one field of a certificate's status. */
function olderCrds(field: string): Crd[] {
  const all = releasedCrds();
  const { schema } = all.find(({ spec }) => spec.names.kind === certificates.kind)?.spec.versions[0] ?? {};
  const path = ['status', ...field.split('.')];
  const last = path.pop() ?? '';
  let parent: Schema | undefined = schema?.openAPIV3Schema;
  for (const name of path) parent = parent?.properties?.[name];
  if (!parent?.properties?.[last]) throw new Error(`There is no field ${field}`);
  delete parent.properties[last];
  if (parent.required) parent.required = parent.required.filter((name) => name !== last);
  return all;
}

/** Installs CRDs and waits until the API server applies them to a certificate `web`, which `takes` checks. */
async function serve(world: World, crds: readonly Crd[], takes: boolean): Promise<void> {
  await installCrds(stage.kube, crds);
  const refusedFetches = { account: 'x', authorityId: 1, certificateId: 1, count: 1, confirmed: true };
  const status = { attemptId: 'x', seal: 'x', specHash: 'x', refusedFetches };
  const isTaken = (): Promise<boolean> =>
    stage.kube.transport
      .request({
        method: 'PATCH',
        path: objectPath(certificates, world.ref('web'), 'status'),
        query: { dryRun: 'All', fieldValidation: 'Strict' },
        body: { status },
        contentType: 'application/merge-patch+json',
      })
      .then(
        () => true,
        (error: unknown) => {
          if (isInvalid(error)) return false;
          throw error;
        },
      );
  while ((await isTaken()) !== takes) await pause(10);
}

test('the log asks for CRDs that are not installed, and they are found once installed', async () => {
  const operator = launchOperator(stage);
  await stage.clock.skip(60_000);
  const errors = operator.log.filter(({ level }) => level === 'error');
  // Once for each kind, however long it lasts.
  expect(counted(errors.map(({ msg }) => msg.split(':')[0] ?? ''))).toEqual(
    counted(releasedCrds().map(({ metadata }) => `The CRD ${metadata.name} is not installed`)),
  );
  // The key for seals.
  expect(operator.traffic.writes()).toEqual({ 'POST secrets': 1 });

  await installCrds(stage.kube);
  const world = await aWorld(stage);
  await world.account();
  await world.certificate('web');
  await stage.clock.skip(60_000);

  await world.ready('web');
  expect(world.calls()).toMatchObject({ 'cert/new': 1 });
  await operator.stop();
});

describe('CRDs that are older than the operator are named in the condition, and nothing is bought:', () => {
  test.each(['attemptId', 'refusedFetches.confirmed', 'seal', 'specHash'])(
    'status.%s is missing',
    async (field) => {
      const world = await aWorld(stage);
      await world.account();
      await world.certificate('web');
      await serve(world, olderCrds(field), false);

      const operator = await world.operator();
      await world.pass(600_000);

      expect(await world.says(certificates, 'web')).toEqual([
        'Ready=False CRDsOutdated: The installed CRDs are older than the operator: run kubectl apply -f crds/ of this release. Nothing is issued until then.',
        'Issuing=False CRDsOutdated: The installed CRDs are older than the operator: run kubectl apply -f crds/ of this release. Nothing is issued until then.',
      ]);
      expect(world.calls()).toEqual({
        connect: 1,
        'ca/list': 1,
        'cert/list': 1,
        'ca/details': 1,
        'ca/get': 1,
      });
      expect(operator.traffic.writes()).toMatchObject({
        'PATCH tinycertissuers/status': ONCE_READY,
        'PATCH tinycertcertificates/status': 1,
      });
      await operator.stop();

      await serve(world, releasedCrds(), true);
      await world.operator();
      await world.settled();
      await world.ready('web');
      expect(world.calls()).toMatchObject({ 'cert/new': 1 });
    },
  );
});

describe('under CRDs that are older than the operator no write drops what status has:', () => {
  test('one that starts under them', async () => {
    const world = await aWorld(stage);
    await world.account();
    await world.certificate('web');
    const before = await world.operator();
    const { status } = await world.ready('web');
    await before.stop();
    await serve(world, olderCrds('attemptId'), false);
    await stage.kube.delete(secrets, world.ref('web-tls'));

    const operator = await world.operator();
    await world.pass(600_000);
    await operator.stop();

    expect(operator.traffic.writes()['PATCH tinycertcertificates/status']).toBeUndefined();
    await serve(world, releasedCrds(), true);
    expect((await world.get(certificates, 'web')).status).toEqual(status);
  });

  test.each(['attemptId', 'seal'])('one that runs when status.%s goes', async (field) => {
    const world = await aWorld(stage);
    await world.account();
    await world.certificate('web');
    const operator = await world.operator();
    const { status: before } = await world.ready('web');
    await world.settled();
    const tally = world.tally(operator);
    await serve(world, olderCrds(field), false);
    // What it would report for each certificate.
    await world.delete(secrets, 'account');
    await world.until(issuers, 'ca', ({ status }) => status?.session?.state === 'Disconnected');
    await stage.kube.delete(secrets, world.ref('web-tls'));
    await world.pass(600_000);
    await operator.stop();

    expect(tally().writes['PATCH tinycertcertificates/status']).toBeUndefined();
    await serve(world, releasedCrds(), true);
    expect((await world.get(certificates, 'web')).status).toEqual(before);
  });
});

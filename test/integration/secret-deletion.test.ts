import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { certificates } from '../../src/api/kinds.ts';
import { type OwnerReference, secrets } from '../../src/kube/objects.ts';
import { filesOf } from '../support/x509/openssl.ts';
import { complaints, issued } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import type { World } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ keyPool: 4, keyPoolReuse: true });
});
afterAll(() => stage.close());

const MINE = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: 'mine',
  uid: 'd9607e19-f88f-11e6-a518-42010a800195',
};

async function owners(world: World): Promise<OwnerReference[]> {
  return (await world.get(secrets, 'web-tls')).metadata.ownerReferences ?? [];
}

async function self(world: World): Promise<OwnerReference> {
  const { metadata } = await world.get(certificates, 'web');
  const { uid = '' } = metadata;
  return { apiVersion: 'tinycert-operator.io/v1alpha1', kind: 'TinyCertCertificate', name: 'web', uid };
}

describe('the Secret of a certificate', () => {
  test('has no owner unless the spec says so, and stays', async () => {
    const { world } = await issued(stage, '365d');
    expect(await owners(world)).toEqual([]);
    await world.delete(certificates, 'web');
    await world.get(secrets, 'web-tls');
  });

  test('with Delete is owned by the certificate from its one write on, and after a renewal', async () => {
    const { world, operator } = await issued(stage, '3h', { secretDeletionPolicy: 'Delete' });
    expect(operator.traffic.writes()).toMatchObject({
      'POST secrets': 1,
      'PATCH tinycertcertificates/status': 1,
    });
    expect(operator.traffic.writes()).not.toHaveProperty('PATCH secrets');
    await world.pass(2.5 * 3_600_000);
    expect((await world.get(certificates, 'web')).status?.revision).toBe(2);
    expect(await owners(world)).toEqual([await self(world)]);
    expect(complaints(operator)).toEqual([]);
  });

  test('gains and loses its owner when the policy changes, and other owners stay', async () => {
    const { world, operator, id } = await issued(stage, '365d');
    const before = filesOf(await world.get(secrets, 'web-tls'));
    await world.patch(secrets, 'web-tls', { metadata: { ownerReferences: [MINE] } });
    await world.settled();
    const since = world.tally(operator);

    await world.patch(certificates, 'web', { spec: { secretDeletionPolicy: 'Delete' } });
    await world.settled();
    expect(await owners(world)).toEqual([MINE, await self(world)]);
    await world.patch(certificates, 'web', { spec: { secretDeletionPolicy: 'Retain' } });
    await world.settled();
    expect(await owners(world)).toEqual([MINE]);

    expect(since()).toMatchObject({
      calls: {},
      writes: { 'PATCH secrets': 2, 'PATCH tinycertcertificates/status': 2 },
    });
    expect(filesOf(await world.get(secrets, 'web-tls'))).toEqual(before);
    expect((await world.ready('web')).status?.certificateId).toBe(id);
  });

  test('gets back an owner that others removed', async () => {
    const { world } = await issued(stage, '365d', { secretDeletionPolicy: 'Delete' });
    await world.patch(secrets, 'web-tls', { metadata: { ownerReferences: null } });
    await world.settled();
    expect(await owners(world)).toEqual([await self(world)]);
  });

  test('is not read by an operator that restarts', async () => {
    const { world, operator } = await issued(stage, '365d', { secretDeletionPolicy: 'Delete' });
    await operator.stop();
    const second = await world.operator();
    await world.pass(60_000);
    const read = second.traffic.requests.filter(
      ({ resource, name, method }) => method === 'GET' && resource === 'secrets' && name === 'web-tls',
    );
    expect(read).toEqual([]);
    expect(second.traffic.writes()).toEqual({});
  });
});

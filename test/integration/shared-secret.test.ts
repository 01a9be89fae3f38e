import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { certificates } from '../../src/api/kinds.ts';
import { secrets } from '../../src/kube/objects.ts';
import { filesOf } from '../support/x509/openssl.ts';
import type { TestOperator } from '../support/world/operator.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { aWorld, type World } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

/** Two resources want the Secret `shared`; `b-first` was there first and has it, `a-second` waits. */
async function two(secondNames = ['a.example.com']): Promise<{ world: World; operator: TestOperator }> {
  const world = await aWorld(stage);
  await world.account();
  const operator = await world.operator();
  await world.certificate('b-first', { secretName: 'shared', dnsNames: ['b.example.com'] });
  await world.ready('b-first');
  await world.settled();
  const since = world.tally(operator);
  await world.certificate('a-second', { secretName: 'shared', dnsNames: secondNames });
  await world.pass(600_000);
  expect(since().writes).toEqual({ 'PATCH tinycertcertificates/status': 1, 'POST events': 1 });
  expect(since().calls).not.toHaveProperty('cert/new');
  expect((await world.says(certificates, 'a-second'))[0]).toBe(
    'Ready=False DuplicateSecretName: The Secret shared belongs to the TinyCertCertificate b-first, which had it first: choose another secretName.',
  );
  return { world, operator };
}

const makesWay: [string, (world: World) => Promise<unknown>][] = [
  ['is deleted', (world) => world.delete(certificates, 'b-first')],
  [
    'names another Secret',
    (world) => world.patch(certificates, 'b-first', { spec: { secretName: 'moved' } }),
  ],
];

describe('of two resources with one secretName the waiting one continues by itself when the other', () => {
  test.each(makesWay)('%s', async (_, leave) => {
    const { world, operator } = await two();

    await leave(world);
    const { status } = await world.ready('a-second');
    await world.settled();

    const secret = await world.get(secrets, 'shared');
    expect(filesOf(secret).crt).toBe(stage.dev.certificatePem(status?.certificateId ?? 0));
    expect(secret.metadata.annotations?.['tinycert-operator.io/certificate-name']).toBe('a-second');
    expect(operator.log.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test.each(makesWay)('%s while no operator runs', async (_, leave) => {
    const { world, operator } = await two();
    await operator.stop();
    await leave(world);

    await world.operator();

    const { status } = await world.ready('a-second');
    expect(filesOf(await world.get(secrets, 'shared')).crt).toBe(
      stage.dev.certificatePem(status?.certificateId ?? 0),
    );
  });

  test.each(makesWay)('%s while the waiting one is suspended and reports that', async (_, leave) => {
    const { world, operator } = await two();
    await world.patch(certificates, 'a-second', { spec: { suspend: true } });
    await world.settled();
    expect((await world.says(certificates, 'a-second'))[0]).toMatch(/^Ready=False Suspended: /);
    await operator.stop();
    await leave(world);

    await world.operator();
    await world.patch(certificates, 'a-second', { spec: { suspend: false } });

    const { status } = await world.ready('a-second');
    expect(filesOf(await world.get(secrets, 'shared')).crt).toBe(
      stage.dev.certificatePem(status?.certificateId ?? 0),
    );
    expect(status).not.toHaveProperty('awaitedSecret');
  });

  test('is deleted, with its certificate if both request the same', async () => {
    const { world, operator } = await two(['b.example.com']);
    const id = (await world.get(certificates, 'b-first')).status?.certificateId;
    const since = world.tally(operator);

    await world.delete(certificates, 'b-first');
    await world.ready('a-second', ({ status }) => status?.certificateId === id);

    expect(since().calls).not.toHaveProperty('cert/new');
  });
});

describe('which of two owns the Secret does not change', () => {
  test('with a restart', async () => {
    const { world, operator } = await two();
    const before = await world.get(secrets, 'shared');
    await operator.stop();

    const next = await world.operator();
    await world.pass(600_000);

    expect(next.traffic.writes()).toEqual({});
    expect((await world.get(secrets, 'shared')).metadata.resourceVersion).toBe(
      before.metadata.resourceVersion,
    );
  });

  test('when an older one starts to name it', async () => {
    const world = await aWorld(stage);
    await world.account();
    await world.operator();
    await world.certificate('older');
    await world.ready('older');
    await world.certificate('owner', { secretName: 'shared' });
    const { status } = await world.ready('owner');
    const { crt } = filesOf(await world.get(secrets, 'shared'));

    await world.patch(certificates, 'older', { spec: { secretName: 'shared' } });
    await world.pass(60_000);

    expect((await world.says(certificates, 'older'))[0]).toMatch(/^Ready=False DuplicateSecretName: /);
    expect(filesOf(await world.get(secrets, 'shared')).crt).toBe(crt);
    expect((await world.ready('owner')).status?.certificateId).toBe(status?.certificateId);
  });
});

test('of resources of the same age without a Secret the first by name owns it', async () => {
  const world = await aWorld(stage);
  await world.account();
  const names = ['c', 'a', 'b'];
  const made = await Promise.all(names.map((name) => world.certificate(name, { secretName: 'shared' })));
  const age = ({ metadata }: (typeof made)[number]): string =>
    `${metadata.creationTimestamp} ${metadata.name}`;
  const first = made.map(age).sort()[0]?.split(' ')[1] ?? '';

  await world.operator();
  await world.ready(first);
  await world.settled();

  expect(world.calls()).toMatchObject({ 'cert/new': 1 });
  for (const name of names.filter((one) => one !== first))
    expect((await world.says(certificates, name))[0]).toContain(
      `belongs to the TinyCertCertificate ${first}`,
    );
});

test('a resource that names another Secret keeps the old one unchanged', async () => {
  const world = await aWorld(stage);
  await world.account();
  await world.operator();
  await world.certificate('web');
  const { status } = await world.ready('web');
  const before = await world.get(secrets, 'web-tls');

  await world.patch(certificates, 'web', { spec: { secretName: 'moved' } });
  const after = await world.ready('web');
  await world.pass(60_000);

  expect(after.status?.certificateId).toBe(status?.certificateId);
  expect((await world.get(secrets, 'moved')).data).toEqual(before.data);
  expect(await world.get(secrets, 'web-tls')).toEqual(before);
});

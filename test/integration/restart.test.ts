import { afterAll, beforeAll, expect, test } from 'vitest';
import { certificates, type TinyCertCertificate } from '../../src/api/kinds.ts';
import { conditionOf } from '../../src/issuance/status/conditions.ts';
import { secrets } from '../../src/kube/objects.ts';
import { type AuditedStage, openAuditedStage, readsByName, writesOf } from '../support/world/audit.ts';
import { complaints, ONCE_READY } from '../support/world/scenario.ts';
import type { Stage } from '../support/world/stage.ts';
import { type World, aWorld } from '../support/world/world.ts';

let audited: AuditedStage;
let stage: Stage;
beforeAll(async () => {
  audited = await openAuditedStage({ keyPool: 4, keyPoolReuse: true });
  ({ stage } = audited);
});
afterAll(() => audited.close());

const COUNT = 1_000;
const NAMES = Array.from({ length: COUNT }, (_, i) => `web-${i}`);

function isReady({ status }: TinyCertCertificate): boolean {
  return conditionOf(status?.conditions, 'Ready')?.status === 'True';
}

/** The versions of all certificates in a world, by name; all are Ready. */
async function versions(world: World): Promise<Record<string, string | undefined>> {
  const items = await world.untilAll(COUNT, isReady);
  return Object.fromEntries(items.map(({ metadata }) => [metadata.name, metadata.resourceVersion]));
}

function butLeases(writes: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(writes).filter(([write]) => !write.includes(' leases ')));
}

test(
  'a thousand certificates cost two writes, a share in the journal’s, and three calls each, and a restart writes only the Lease and, once, the journal, and requests nothing',
  { timeout: 300_000 },
  async () => {
    const { kubeconfig, audit } = audited;
    const world = await aWorld(stage);
    await world.account();
    const settings = { kubeconfig, leaderElect: true };

    const first = await world.operator(settings);
    await world.certificates(NAMES);
    const issued = await versions(world);
    await world.settled();

    const began = await audit.entries();
    const { 'patch journal 200': shared, ...own } = butLeases(writesOf(began));
    expect(own).toEqual({
      'create journal 201': 1,
      'patch tinycertissuers/status 200': ONCE_READY,
      'patch tinycertcertificates/status 200': COUNT,
      'create secrets 201': COUNT,
    });
    // An attempt that begins shares a write with others that begin and with those that have ended.
    expect(shared).toBeLessThan(COUNT);
    // Whether a Secret is there is asked once its certificate has its turn at the account.
    const absent = readsByName(began).filter((each) => each.startsWith('get secrets 404 '));
    expect(absent.length).toBeLessThan(1.2 * COUNT);
    expect(world.calls()).toEqual({
      connect: 1,
      'ca/list': 1,
      'cert/list': 1,
      'ca/details': 1,
      'ca/get': 1,
      'cert/new': COUNT,
      'cert/get': 2 * COUNT,
    });
    await first.stop();

    const before = (await audit.entries()).length;
    const mark = world.mark();
    const second = await world.operator(settings);
    await world.pass(120_000);
    await second.stop();

    expect(world.calls(mark)).toEqual({ connect: 1, 'ca/list': 1, 'cert/list': 1, disconnect: 1 });
    const entries = await audit.entries(before);
    expect(writesOf(entries)['update leases 200']).toBeGreaterThan(1);
    expect(butLeases(writesOf(entries))).toEqual({ 'patch journal 200': 1 });
    // The credentials and the key for seals are read, the certificates' Secrets are not.
    const read = readsByName(entries).filter((each) => each.includes(' secrets '));
    expect([...new Set(read)].toSorted()).toEqual([
      'get secrets 200 account',
      'get secrets 200 tinycert-operator-seal',
    ]);
    expect(await versions(world)).toEqual(issued);
    expect([...complaints(first), ...complaints(second)]).toEqual([]);
  },
);

test('a restart reports nothing twice about certificates that cannot be issued, and does not request them again', async () => {
  const world = await aWorld(stage);
  await world.account();
  stage.dev.addFault({
    call: 'cert/new',
    match: { CN: 'refused.example.com' },
    times: 'forever',
    kind: 'error',
    code: 'InputFailure',
  });
  await world.create(secrets, 'foreign-tls', { stringData: { mine: 'x' } });
  await world.certificate('foreign');
  await world.certificate('refused');
  await world.certificate('orphan', { issuerRef: { name: 'nobody' } });
  const first = await world.operator();
  await world.pass(60_000);
  expect(await Promise.all(['foreign', 'refused', 'orphan'].map((name) => reasonOf(world, name)))).toEqual([
    'SecretNotOwned',
    'InputFailure',
    'IssuerNotFound',
  ]);
  await first.stop();

  const mark = world.mark();
  const second = await world.operator();
  await world.pass(600_000);
  await second.stop();

  expect(world.calls(mark)).toEqual({ connect: 1, 'ca/list': 1, 'cert/list': 1, disconnect: 1 });
  expect(second.traffic.writes()).toEqual({});
});

async function reasonOf(world: World, name: string): Promise<string | undefined> {
  const { status } = await world.get(certificates, name);
  return conditionOf(status?.conditions, 'Ready')?.reason;
}

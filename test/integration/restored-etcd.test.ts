import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { certificates, issuers, type TinyCertCertificate } from '../../src/api/kinds.ts';
import { BUY_AT_ONCE_ANNOTATION } from '../../src/api/names.ts';
import { quietAfter } from '../../src/issuance/attempt/timing.ts';
import { cacertKind } from '../../src/issuance/cacert/kind.ts';
import { conditionOf } from '../../src/issuance/status/conditions.ts';
import { type Secret, secrets } from '../../src/kube/objects.ts';
import { CHECK_INTERVAL } from '../../src/tinycert-issuers/work.ts';
import { readCertificate } from '../../src/x509/certificate.ts';
import { type ControlPlane, startControlPlane } from '../../tools/control-plane/index.ts';
import type { CertificateView } from '../../tools/dev-server/types.ts';
import { installCrds, releasedCrds } from '../support/world/crds.ts';
import type { TestOperator } from '../support/world/operator.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { filesOf } from '../support/x509/openssl.ts';
import { type World, aWorld } from '../support/world/world.ts';

/** How many certificates are bought after the snapshot. */
const COUNT = 50;
const MINUTE = 60_000;
const WAIT_MS = 15 * MINUTE;
/** How long a leader waits that finds a journal that was put back: CAcert’s requests take longest. */
const JOURNAL_QUIET_MS = quietAfter(cacertKind.timing) + 5_000;
/** After this the inventory has been taken once more. */
const NEXT_CHECK_MS = CHECK_INTERVAL.base * (1 + (CHECK_INTERVAL.jitter ?? 0)) + MINUTE;

/** The time is skipped only after the certificates are bought, so their dates are right. */
const SETTINGS = { leaderElect: true, unclaimedWaitMs: WAIT_MS };

let cluster: ControlPlane;
let stage: Stage;
beforeAll(async () => {
  cluster = await startControlPlane();
  stage = await openStage({ keyPool: 8, keyPoolReuse: true }, cluster);
  await installCrds(stage.kube, releasedCrds());
});
afterAll(async () => {
  await stage.close();
  await cluster.stop();
});

const names = Array.from({ length: COUNT }, (_, i) => `lost-${i}`);

/** Everything that was bought for the resources. */
function bought(): CertificateView[] {
  return stage.dev.certificates().filter(({ cn }) => /^lost-\d+\.example\.com$/.test(cn ?? ''));
}

function idsOf(resources: readonly TinyCertCertificate[]): number[] {
  return resources.map(({ status }) => status?.certificateId ?? 0).sort((a, b) => a - b);
}

function isReady({ status }: TinyCertCertificate): boolean {
  return conditionOf(status?.conditions, 'Ready')?.status === 'True';
}

function waits({ status }: TinyCertCertificate): boolean {
  return conditionOf(status?.conditions, 'Ready')?.reason === 'UnclaimedCertificates';
}

/** A world whose etcd was put back. */
interface Restored {
  world: World;
  operator: TestOperator;
  /** The Secret of `lost-3` before. */
  secret: Secret;
  /** The ids before, the lowest first. */
  ids: number[];
  /** The serial number of each resource's certificate before, by name. */
  serials: ReadonlyMap<string, string>;
}

/** Makes resources, takes a snapshot of etcd, has all of them issued, and puts the snapshot back under a new operator. */
async function restored(issuer: object): Promise<Restored> {
  const folder = await mkdtemp(join(tmpdir(), 'etcd-snapshot-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const world = await aWorld(stage);
  await world.account(issuer);
  const first = await world.operator(SETTINGS);
  await world.certificate('kept');
  await world.ready('kept');
  await first.stop();
  await world.certificates(names);
  await cluster.saveData(join(folder, 'etcd'));

  const second = await world.operator(SETTINGS);
  await world.pass(JOURNAL_QUIET_MS);
  const ids = idsOf(await world.untilAll(COUNT + 1, isReady));
  const serials = new Map(
    await Promise.all(names.map(async (name) => [name, await serialOf(world, name)] as const)),
  );
  const secret = await world.get(secrets, 'lost-3-tls');
  await second.stop();
  await cluster.putBackData(join(folder, 'etcd'));

  const operator = await world.operator(SETTINGS);
  await world.pass(JOURNAL_QUIET_MS);
  return { world, operator, secret, ids, serials };
}

/** The serial number of the certificate in a resource's Secret. */
async function serialOf(world: World, name: string): Promise<string> {
  return readCertificate(filesOf(await world.get(secrets, `${name}-tls`)).crt).serialNumber;
}

/** The Secrets with a key that no resource names. */
async function strayKeys({ namespace }: World): Promise<string[]> {
  const { items } = await stage.kube.listAll(secrets, { namespace });
  const own = new Set([...names, 'kept'].map((name) => `${name}-tls`));
  return items
    .filter(({ metadata, data }) => data?.['tls.key'] && !own.has(metadata.name))
    .map(({ metadata }) => metadata.name);
}

test('etcd as it was before 50 issues costs nothing with the marker: each resource has its one certificate again', async () => {
  const { world, operator, ids, serials } = await restored({ ownershipMarker: 'OrganizationalUnit' });

  expect(idsOf(await world.untilAll(COUNT + 1, isReady))).toEqual(ids);
  for (const name of names) expect([name, await serialOf(world, name)]).toEqual([name, serials.get(name)]);
  expect(world.calls()).toMatchObject({ 'cert/new': COUNT + 1 });
  expect(await strayKeys(world)).toEqual([]);
  expect(operator.log.filter(({ level }) => level === 'error')).toEqual([]);
});

test('without the marker each resource waits, says for what, and then buys once; what is left over is reported', async () => {
  const { world, operator, secret, ids, serials } = await restored({});

  const waiting = (await world.untilAll(COUNT + 1, (each) => isReady(each) || waits(each))).filter(waits);
  expect(waiting).toHaveLength(COUNT);
  const before = bought();
  for (const { metadata, status } of waiting) {
    const own = before.filter(({ cn }) => cn === `${metadata.name}.example.com`);
    const id = own.find((each) => ids.includes(each.id))?.id ?? 0;
    expect(status?.unclaimedCertificates?.certificates).toEqual([world.named(id)]);
    expect(conditionOf(status?.conditions, 'Ready')?.message).toContain(`claims them: ${id}. `);
  }
  expect(operator.traffic.writes()['PATCH tinycertcertificates/status']).toBe(COUNT);

  // One is bought at once, since somebody asks for that.
  const annotations = { [BUY_AT_ONCE_ANNOTATION]: 'true' };
  await world.patch(certificates, 'lost-7', { metadata: { annotations } });
  await world.ready('lost-7');
  expect(bought()).toHaveLength(before.length + 1);

  // One gets back what it lost, since somebody has its Secret.
  const { labels = {}, annotations: named = {} } = secret.metadata;
  await world.create(secrets, 'lost-3-tls', {
    type: 'kubernetes.io/tls',
    metadata: { labels, annotations: named },
    data: secret.data ?? {},
  });
  await world.ready('lost-3');
  expect(await serialOf(world, 'lost-3')).toBe(serials.get('lost-3'));

  // The wait outlives a restart.
  await world.pass(WAIT_MS / 2);
  await operator.stop();
  await world.operator(SETTINGS);
  await world.pass(WAIT_MS / 4);
  expect(bought()).toHaveLength(before.length + 1);
  await world.pass(WAIT_MS / 4);
  const all = await world.untilAll(COUNT + 1, isReady);
  expect(bought()).toHaveLength(before.length + COUNT - 1);
  expect(all.filter(({ status }) => status?.unclaimedCertificates)).toEqual([]);

  // Nobody serves what is left over, or has a key of it, and the issuer reports all of it.
  const left = ids.filter((id) => !idsOf(all).includes(id));
  expect(left).toHaveLength(COUNT - 1);
  for (const name of names.filter((each) => each !== 'lost-3'))
    expect([name, await serialOf(world, name)]).not.toEqual([name, serials.get(name)]);
  expect(await strayKeys(world)).toEqual([]);
  await world.pass(NEXT_CHECK_MS);
  const { status } = await world.until(issuers, 'ca', ({ status: is }) => is?.orphanCount === COUNT - 1);
  const reported = (status?.orphans ?? []).map(({ certificateId }) => certificateId);
  expect(reported.toSorted((a, b) => a - b)).toEqual(left);
});

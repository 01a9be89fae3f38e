import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cacertCertificates, certificates, issuers } from '../../src/api/kinds.ts';
import { type KubeObject, secrets } from '../../src/kube/objects.ts';
import { JOURNAL_NAME, RECORDS_NAME } from '../../src/operator/journal.ts';
import { type ControlPlane, startControlPlane } from '../../tools/control-plane/index.ts';
import { type Fixture, NAMESPACE, openUpgradeStage } from '../support/upgrade/fixture.ts';
import { loadFixture } from '../support/upgrade/load-fixture.ts';
import { writeFixture } from '../support/upgrade/write-fixture.ts';
import { installCrds, namespaces } from '../support/world/crds.ts';
import { journalOf } from '../support/world/journal.ts';
import { statusAtCa } from '../support/world/scenario.ts';
import { openStage, type Stage } from '../support/world/stage.ts';

const MINUTE = 60_000;
const folder = new URL('../fixtures/', import.meta.url);

let cluster: ControlPlane;
let stage: Stage | undefined;
beforeEach(async () => {
  cluster = await startControlPlane();
  const admin = await openStage({}, cluster);
  await installCrds(admin.kube);
  await admin.close();
});
afterEach(async () => {
  await stage?.close();
  await cluster.stop();
});

/** The versions of all objects that a fixture has, but those of the journal. */
async function versions(): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  for (const type of [certificates, issuers, cacertCertificates, secrets]) {
    const { items } = (await stage?.kube.listAll<KubeObject>(type, { namespace: NAMESPACE })) ?? {
      items: [],
    };
    for (const { metadata } of items)
      if (metadata.name !== JOURNAL_NAME && metadata.name !== RECORDS_NAME)
        all.set(`${type.kind} ${metadata.name}`, metadata.resourceVersion ?? '');
  }
  return all;
}

describe('what an operator has written', () => {
  const stored = readdirSync(folder).filter((file) => file.endsWith('.json'));
  if (stored.length === 0) throw new Error('test/fixtures has nothing that an earlier operator has written.');

  test.each<[string, () => Promise<Fixture>]>([
    ...stored.map((file): [string, () => Promise<Fixture>] => [
      `of ${file}`,
      async () => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Fixture,
    ]),
    [
      'of this version',
      async () => {
        const fixture = await writeFixture(cluster);
        await cluster.stop();
        cluster = await startControlPlane();
        return fixture;
      },
    ],
  ])('is taken over without a purchase and without a rewrite: %s', async (_, load) => {
    const fixture = await load();
    const { world, cacert, ...opened } = await openUpgradeStage(cluster, fixture);
    stage = opened.stage;
    await installCrds(stage.kube);
    await stage.kube.create(namespaces, { metadata: { name: NAMESPACE } });
    await loadFixture(cluster.etcd, fixture);
    const before = await versions();
    const requested = cacert.asked();
    const [lost] = (await journalOf(world)).attempts;
    const replaced = await world.get(certificates, 'replaced');
    const [pending] = replaced.status?.pendingRevocations ?? [];

    const operator = await cacert.operator();
    const result = await world.ready('lost');
    await world.pass(10 * MINUTE);

    // Only what the attempt bought that had no result is new.
    const after = await versions();
    const changed = [...after]
      .filter(([name, version]) => before.get(name) !== version)
      .map(([name]) => name);
    expect(changed.sort()).toEqual(['Secret lost-tls', 'TinyCertCertificate lost']);
    expect(after.size).toBe(before.size + 1);
    expect(world.calls()).not.toHaveProperty('cert/new');
    expect(world.calls()).not.toHaveProperty('cert/reissue');
    expect(cacert.asked()).toBe(requested);
    expect(result.status?.attemptId).toBe(lost?.id);
    expect(operator.log.filter(({ level }) => level === 'error')).toEqual([]);

    // What was promised is kept, and what was given up is no orphan.
    expect(statusAtCa(stage, pending?.certificateId)).toBe('good');
    await world.pass(60 * MINUTE);
    expect(statusAtCa(stage, pending?.certificateId)).toBe('revoked');
    expect((await world.get(issuers, 'ca')).status?.orphanCount ?? 0).toBe(0);
    expect((await journalOf(world)).released).toMatchObject([{ cause: 'Deleted' }]);
    expect(world.calls()).not.toHaveProperty('cert/new');
  });
});

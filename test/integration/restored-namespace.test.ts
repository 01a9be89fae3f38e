import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  cacertAccounts,
  cacertCertificates,
  certificates,
  issuers,
  type TinyCertCertificate,
} from '../../src/api/kinds.ts';
import { SEAL_KEY_SECRET } from '../../src/account/seal-key.ts';
import { REVOCATION_FINALIZER } from '../../src/api/names.ts';
import { type KubeObject, type ResourceType, secrets } from '../../src/kube/objects.ts';
import { JOURNAL_NAME, RECORDS_NAME } from '../../src/operator/journal.ts';
import { aCAcertWorld, type CAcertWorld } from '../support/world/cacert-world.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { type World } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ keyPool: 8, keyPoolReuse: true });
});
afterAll(() => stage.close());

/** In the order in which Velero restores: Secrets before custom resources, and these by the names of their kinds. */
const KINDS: readonly ResourceType[] = [secrets, cacertAccounts, cacertCertificates, certificates, issuers];
const OPERATORS = new Set([JOURNAL_NAME, RECORDS_NAME, SEAL_KEY_SECRET]);

/** What a backup has of a namespace. */
async function backUp({ namespace }: World): Promise<Map<ResourceType, KubeObject[]>> {
  const all = new Map<ResourceType, KubeObject[]>();
  for (const type of KINDS) all.set(type, (await stage.kube.listAll(type, { namespace })).items);
  return all;
}

/** Loses everything in a namespace but what `isKept`. No operator is running, so finalizers are taken off. */
async function lose({ namespace }: World, isKept: (name: string) => boolean): Promise<void> {
  for (const type of KINDS) {
    const { items } = await stage.kube.listAll(type, { namespace });
    for (const { metadata } of items) {
      const ref = { namespace, name: metadata.name };
      if (isKept(metadata.name)) continue;
      await stage.kube.mergePatch(type, ref, { metadata: { finalizers: null } });
      await stage.kube.delete(type, ref);
    }
  }
}

/** Creates everything anew that is not there, as Velero does: without uid, version and status, with labels, annotations and the rest. */
async function restore(
  world: World,
  backup: ReadonlyMap<ResourceType, readonly KubeObject[]>,
): Promise<void> {
  for (const type of KINDS) {
    for (const object of backup.get(type) ?? []) {
      const { name, labels, annotations, finalizers, ownerReferences } = object.metadata;
      if (await stage.kube.find(type, world.ref(name))) continue;
      const { status: _, metadata: __, ...content } = object as KubeObject & { status?: unknown };
      const metadata = { labels, annotations, finalizers, ownerReferences };
      await world.create(type, name, { ...content, metadata } as Parameters<World['create']>[2]);
    }
  }
}

const NAMES = ['web', 'marked', 'revoked', 'owned'];
const WAIT_MS = 15 * 60_000;

/** A certificate of each sort, and one of CAcert. */
async function issued(): Promise<CAcertWorld> {
  const cacert = await aCAcertWorld(stage);
  const { world } = cacert;
  await world.account();
  await world.create(issuers, 'marks', {
    spec: { ...(await world.get(issuers, 'ca')).spec, ownershipMarker: 'OrganizationalUnit' },
  });
  await cacert.account();
  // Names that no other test has: its certificates are dated by a clock that is ahead of the API server's.
  const dnsNames = (name: string): string[] => [`${name}.${world.namespace}.example.com`];
  const operator = await cacert.operator({ unclaimedWaitMs: WAIT_MS });
  await world.certificate('web', { dnsNames: dnsNames('web') });
  await world.certificate('marked', { dnsNames: dnsNames('marked'), issuerRef: { name: 'marks' } });
  await world.certificate('revoked', { dnsNames: dnsNames('revoked'), revocation: { onDelete: 'Revoke' } });
  await world.certificate('owned', { dnsNames: dnsNames('owned'), secretDeletionPolicy: 'Delete' });
  await cacert.certificate('mail');
  for (const name of NAMES) await world.ready(name);
  await cacert.ready('mail');
  await world.pass(5_000);
  await operator.stop();
  return cacert;
}

describe('a namespace that Velero restores, with other uids and no status, buys nothing:', () => {
  test.each<[string, (name: string) => boolean]>([
    ['the operator’s own namespace was kept', (name) => OPERATORS.has(name)],
    ['the operator’s own namespace was restored, too', () => false],
  ])('%s', async (_, isKept) => {
    const cacert = await issued();
    const { world } = cacert;
    const before = new Map<string, TinyCertCertificate>();
    for (const name of NAMES) before.set(name, await world.get(certificates, name));
    const mail = await world.get(cacertCertificates, 'mail');
    const asked = cacert.asked();
    const backup = await backUp(world);
    await lose(world, isKept);
    await restore(world, backup);
    const mark = world.mark();

    const operator = await cacert.operator({ unclaimedWaitMs: WAIT_MS });
    // A journal that was put back is waited for.
    await world.pass(150_000);
    for (const name of NAMES) {
      const { metadata, status } = await world.ready(name);
      const was = before.get(name);
      expect(metadata.uid).not.toBe(was?.metadata.uid);
      expect([name, status?.certificateId]).toEqual([name, was?.status?.certificateId]);
    }
    expect((await cacert.ready('mail')).status?.serialNumber).toBe(mail.status?.serialNumber);
    await world.pass(20 * 60_000);

    expect(world.calls(mark)).not.toHaveProperty('cert/new');
    expect(world.calls(mark)).not.toHaveProperty('cert/reissue');
    expect(cacert.asked()).toBe(asked);
    const { metadata } = await world.get(certificates, 'revoked');
    expect(metadata.finalizers).toEqual([REVOCATION_FINALIZER]);
    // The garbage collector would delete a Secret whose owner has another uid.
    const owner = await world.get(certificates, 'owned');
    const { ownerReferences } = (await world.get(secrets, 'owned-tls')).metadata;
    expect(ownerReferences?.map(({ uid }) => uid)).toEqual([owner.metadata.uid]);
    expect((await world.get(issuers, 'ca')).status?.orphanCount ?? 0).toBe(0);
    expect(operator.log.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

import {
  cacertAccounts,
  cacertCertificates,
  certificates,
  clusterIssuers,
  issuers,
} from '../../../src/api/kinds.ts';
import { type KubeObject, type ResourceType, secrets } from '../../../src/kube/objects.ts';
import { apiVersionOf } from '../../../src/kube/paths.ts';
import { namespaces } from '../world/crds.ts';
import type { Cluster } from '../world/stage.ts';
import { type Fixture, NAMESPACE, openUpgradeStage, type UpgradeStage } from './fixture.ts';

/** Longer than an open attempt needs to be asked for and lost. */
const ASKED_MS = 5_000;

/**
 * Has the operator of this checkout write one of everything, and dies in the middle of a purchase. The cluster has the CRDs. Call it
 * in a test: what it starts ends with that.
 */
export async function writeFixture(cluster: Cluster): Promise<Fixture> {
  const upgrade = await openUpgradeStage(cluster);
  const { stage, world, cacert, end } = upgrade;
  await stage.kube.create(namespaces, { metadata: { name: NAMESPACE } });
  await world.account();
  await world.create(issuers, 'marked', {
    spec: { ...(await world.get(issuers, 'ca')).spec, ownershipMarker: 'OrganizationalUnit' },
  });
  await cacert.account();
  const operator = await cacert.operator();
  await issueAll(upgrade);
  stage.dev.addFault({ call: 'cert/new', kind: 'hold', when: 'after' });
  await world.certificate('lost');
  await world.pass(ASKED_MS);
  await operator.stop('by force').catch(() => undefined);
  stage.dev.release();
  const madeAt = stage.clock.now();
  const objects = await everything(upgrade);
  return { madeAt, objects, ca: await end() };
}

async function issueAll({ stage, world, cacert }: UpgradeStage): Promise<void> {
  const revoked = { revocation: { onDelete: 'Revoke', onReplace: 'Revoke', delay: '1h' } };
  await world.certificate('plain');
  await world.certificate('marked', { issuerRef: { name: 'marked' } });
  await world.certificate('former');
  await world.certificate('replaced', revoked);
  await world.certificate('gone');
  await cacert.certificate('mail');
  for (const name of ['plain', 'marked', 'former', 'replaced', 'gone']) await world.ready(name);
  await cacert.ready('mail');
  for (const name of ['former', 'replaced']) {
    const before = await world.get(certificates, name);
    await world.patch(certificates, name, { spec: { dnsNames: [`${name}-2.example.com`] } });
    await world.ready(name, ({ status }) => status?.certificateId !== before.status?.certificateId);
  }
  await world.delete(certificates, 'gone');
  await world.pass(ASKED_MS);
  stage.dev.addFault({ call: 'cert/new', kind: 'error', code: 'InputFailure' });
  await world.certificate('refused');
  await world.until(certificates, 'refused', ({ status }) => status?.failedAttempts !== undefined);
  await world.settled();
  stage.dev.clearFaults();
}

async function everything({ stage }: UpgradeStage): Promise<KubeObject[]> {
  const types: ResourceType[] = [
    secrets,
    issuers,
    clusterIssuers,
    certificates,
    cacertAccounts,
    cacertCertificates,
  ];
  const all: KubeObject[] = [];
  for (const type of types) {
    const { items } = await stage.kube.listAll(type, type.namespaced ? { namespace: NAMESPACE } : {});
    for (const { metadata, ...item } of items) {
      const { managedFields: _, ...kept } = metadata as KubeObject['metadata'] & { managedFields?: unknown };
      const object = { apiVersion: apiVersionOf(type), kind: type.kind, metadata: kept, ...item };
      all.push(JSON.parse(withoutHost(JSON.stringify(object))) as KubeObject);
    }
  }
  return all;
}

/** The journal names its writer by the host: no fixture tells where it was made. */
function withoutHost(text: string): string {
  return text.replace(/"leader":"([^"]+)"/, (_, encoded: string) => {
    const leader = JSON.parse(Buffer.from(encoded, 'base64').toString()) as object;
    const anonymous = JSON.stringify({ ...leader, holder: 'operator' });
    return `"leader":"${Buffer.from(anonymous).toString('base64')}"`;
  });
}

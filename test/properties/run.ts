import { certificates, clusterIssuers, issuers } from '../../src/api/kinds.ts';
import { secrets } from '../../src/kube/objects.ts';
import { cacertLedger, cacertLeft, cacertUntruths } from './cacert/findings.ts';
import { settlesWithin } from './bound.ts';
import { issuedForGone } from './gone.ts';
import { ledgerFindings, lost } from './ledger.ts';
import { take } from './steps.ts';
import { untruths } from './truth.ts';
import { heldUp } from './workers.ts';
import { REAL_ISSUERS, World } from './world.ts';

/** Steps, and the seed of everything else that is random. */
export interface Sequence {
  seed: number;
  steps: readonly string[];
  /** How many certificates of one kind are worked on at once; `WORKERS` unless given. */
  workers?: number;
}

const WORKERS = 3;
const SECOND = 1_000;
/** Longer than a renewal takes that nothing keeps from it. */
const RENEWAL_MS = 2 * 60_000;

/** Between two looks at the world, in milliseconds: at first, and as a share of the time waited so far. */
const FIRST_LOOK_MS = 60_000;
const LATER_LOOKS = 0.5;
/** How long what is settled is watched for not becoming unsettled: an inventory comes within it. */
const CALM_MS = 20 * 60_000;

/** Takes the steps, lets the CAs be well, deletes everything, and returns what was wrong on the way, in a sentence each. */
export async function findingsOf({ seed, steps, workers = WORKERS }: Sequence): Promise<string[]> {
  const world = new World(seed, workers);
  try {
    await world.clock.advance(3_000);
    for (const step of steps) await take(world, step);
    world.start();
    for (const ca of world.cas) ca.faults.clear();
    world.cacert?.ca.faults.clear();
    const unsettled = await settle(world, () => [
      ...allUntruths(world),
      ...lost(world),
      ...keptOfGone(world),
    ]);
    const later = unsettled.length === 0 ? await unsettledLater(world) : [];
    const found = [
      ...unsettled,
      ...later,
      ...ledgerFindings(world),
      ...cacertLedger(world),
      ...issuedForGone(world),
      ...heldUp(world),
    ];
    return found.length > 0 ? found : await leftAfterAll(world);
  } finally {
    await world.close();
  }
}

function allUntruths(world: World): string[] {
  return [...untruths(world, world.cluster.all(certificates)), ...cacertUntruths(world)];
}

/** What is not true after a while. A certificate that lasts hours may be renewed at that moment, which has a second look. */
async function unsettledLater(world: World): Promise<string[]> {
  await world.clock.advance(CALM_MS);
  if (allUntruths(world).length === 0) return [];
  await world.clock.advance(RENEWAL_MS);
  return allUntruths(world);
}

/** What this process keeps for issuers that are gone: it would go on issuing for them. */
function keptOfGone({ cluster, operator: { controllers } }: World): string[] {
  const there = cluster.all(clusterIssuers).length + cluster.all(issuers).length;
  const kept = controllers.kept()['issuers'] ?? 0;
  return kept > there ? [`${kept} issuers are kept, and there are ${there}`] : [];
}

/** Deletes everything, and returns what stays. */
async function leftAfterAll(world: World): Promise<string[]> {
  // Everything works before it goes: a resource with a revocation waits for its issuer's credentials, and for good if the last session
  // of an issuer that is gone has an API key that is no longer valid.
  for (const name of REAL_ISSUERS) {
    world.writeCredentials(name);
    world.createIssuer(name);
  }
  for (const secret of world.cluster.all(secrets))
    if (secret.data?.['theirs'] !== undefined)
      world.cluster.delete(secrets, {
        namespace: secret.metadata.namespace ?? '',
        name: secret.metadata.name,
      });
  await world.clock.advance(CALM_MS);
  for (const { metadata } of world.cluster.all(certificates))
    world.deleteCertificate({ namespace: metadata.namespace ?? '', name: metadata.name });
  await world.clock.advance(20_000);
  for (const name of REAL_ISSUERS) world.deleteIssuer(name);
  await world.clock.advance(CALM_MS);
  // Each comes once more and goes while it is checked.
  for (const name of REAL_ISSUERS) {
    world.createIssuer(name);
    await world.clock.advance(world.random() * SECOND);
    world.deleteIssuer(name);
  }
  world.cacert?.delete();
  world.cacert?.deleteAccount();
  return settle(world, () => [
    ...cacertLeft(world),
    ...[certificates, clusterIssuers, issuers].flatMap((type) =>
      world.cluster
        .all<{ metadata: { name: string } }>(type)
        .map(({ metadata }) => `${type.kind} ${metadata.name} stays`),
    ),
    ...Object.entries(world.operator.controllers.kept()).flatMap(([what, count]) =>
      count === 0 ? [] : [`${count} of ${what} are kept for nothing`],
    ),
  ]);
}

/** Lets time pass until there are no findings, or for as long as anything may wait. Returns the findings that stay. */
async function settle(world: World, findings: () => string[]): Promise<string[]> {
  const most = settlesWithin(world);
  for (let waited = 0; ;) {
    const ms = Math.min(most - waited, Math.max(FIRST_LOOK_MS, waited * LATER_LOOKS));
    await world.clock.advance(ms);
    waited += ms;
    const found = findings();
    if (found.length === 0 || waited >= most) return found;
  }
}

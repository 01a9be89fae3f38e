import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { certificates, issuers, type TinyCertCertificate } from '../../src/api/kinds.ts';
import { conditionOf } from '../../src/issuance/status/conditions.ts';
import { FLUSH_MS } from '../../src/journal/term.ts';
import { type ResourceType, secrets } from '../../src/kube/objects.ts';
import { ClusterApi } from '../support/world/cluster-api.ts';
import { events } from '../support/world/crds.ts';
import type { TestOperator } from '../support/world/operator.ts';
import { statusAtCa } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { watchDeletion } from '../support/kube/watching.ts';
import { type World, aWorld } from '../support/world/world.ts';

let stage: Stage;
let api: ClusterApi;
beforeAll(async () => {
  stage = await openStage({ keyPool: 8, keyPoolReuse: true });
  api = new ClusterApi();
});
afterAll(async () => {
  api.close();
  await stage.close();
});

interface Held {
  world: World;
  /** The operator's own namespace. */
  home: World;
  operator: TestOperator;
  ids: number[];
}

/** Two certificates that will be revoked with their resources, and an operator in another namespace. */
async function issued(): Promise<Held> {
  const [world, home] = [await aWorld(stage), await aWorld(stage)];
  await world.account();
  const operator = await operatorOf(world, home);
  const ids: number[] = [];
  for (const name of ['a', 'b']) {
    await world.certificate(name, { revocation: { onDelete: 'Revoke' } });
    const { status } = await world.ready(name);
    ids.push(status?.certificateId ?? 0);
  }
  await world.settled();
  return { world, home, operator, ids };
}

function operatorOf(world: World, home: World): Promise<TestOperator> {
  return world.operator({ clusterResourceNamespace: home.namespace });
}

async function left(world: World, type: ResourceType): Promise<string[]> {
  const { items } = await stage.kube.listAll(type, { namespace: world.namespace });
  return items.map(({ metadata }) => metadata.name);
}

function atCa(ids: readonly number[]): (string | undefined)[] {
  return ids.map((id) => statusAtCa(stage, id));
}

async function deleteAll(world: World, type: ResourceType): Promise<void> {
  for (const name of await left(world, type)) await stage.kube.delete(type, world.ref(name));
}

/** Lets time pass until the issuer, the last object, is gone. */
async function passUntilGone(world: World, ms: number, first = async (): Promise<void> => {}): Promise<void> {
  await watchDeletion(stage.kube, issuers, world.ref('ca'), async () => {
    await first();
    await world.pass(ms);
  });
}

async function pendingReason(world: World, name: string): Promise<string | undefined> {
  const { status } = (await world.get(certificates, name)) satisfies TinyCertCertificate;
  return conditionOf(status?.conditions, 'RevocationPending')?.reason;
}

test('an issuer that is deleted first waits for its certificates, reports that, and works until then', async () => {
  const { world, ids } = await issued();

  await deleteAll(world, issuers);
  await world.settled();

  expect(await left(world, issuers)).toEqual(['ca']);
  const { items } = await stage.kube.listAll(events, { namespace: world.namespace });
  expect(items.map(({ reason }) => reason)).toContain('InUse');
  // An outage in between shows that the issuer is still checked.
  await stage.dev.setOptions({ listening: false });
  await deleteAll(world, certificates);
  await world.pass(60_000);
  expect(atCa(ids)).toEqual(['good', 'good']);
  await stage.dev.setOptions({ listening: true });
  await passUntilGone(world, 120_000);

  expect(atCa(ids)).toEqual(['revoked', 'revoked']);
  expect([await left(world, certificates), await left(world, issuers)]).toEqual([[], []]);
});

test('credentials that are deleted first are not needed while this process knows them', async () => {
  const { world, ids } = await issued();

  await world.delete(secrets, 'account');
  await deleteAll(world, issuers);
  await world.pass(30 * 60_000);
  stage.dev.expireSessions();
  await passUntilGone(world, 5_000, () => deleteAll(world, certificates));

  expect(atCa(ids)).toEqual(['revoked', 'revoked']);
  expect([await left(world, certificates), await left(world, issuers)]).toEqual([[], []]);
});

test('without a pending revocation an issuer and its session end at once', async () => {
  const world = await aWorld(stage);
  await world.account();
  await world.operator();
  await world.certificate('web');
  await world.ready('web');
  // An open attempt needs the session too. This one leaves the journal.
  await world.pass(FLUSH_MS);
  const mark = world.mark();

  await world.delete(issuers, 'ca');
  await world.settled();

  expect(world.calls(mark)).toEqual({ disconnect: 1 });
});

describe('if TinyCert no longer accepts the deleted credentials', () => {
  /** The certificates are deleted, and the login of the last session is refused. */
  async function refused(): Promise<Held> {
    const held = await issued();
    const { world } = held;
    await world.delete(secrets, 'account');
    await deleteAll(world, issuers);
    stage.dev.addFault({ call: 'connect', kind: 'error', code: 'SignatureFailure', status: 403, times: 100 });
    stage.dev.expireSessions();
    await deleteAll(world, certificates);
    await world.pass(9 * 60_000);
    expect(await left(world, certificates)).toEqual(['a', 'b']);
    expect(await pendingReason(world, 'a')).toBe('CredentialsRefused');
    return held;
  }

  test('nothing waits for good: ten minutes later it is named what is left', async () => {
    const { world, home, ids } = await refused();

    await passUntilGone(world, 2 * 60_000);

    expect([await left(world, certificates), await left(world, issuers)]).toEqual([[], []]);
    expect(atCa(ids)).toEqual(['good', 'good']);
    const { items } = await stage.kube.listAll(events, { namespace: home.namespace });
    const notes = items.filter(({ reason }) => reason === 'RevocationAbandoned').map(({ note }) => note);
    for (const id of ids) expect(notes.some((text) => text?.includes(`Certificate ${id} `))).toBe(true);
    stage.dev.clearFaults();
  });

  test('one refusal alone gives up nothing', async () => {
    const { world, ids } = await refused();
    stage.dev.clearFaults();

    await passUntilGone(world, 2 * 60_000);

    expect(atCa(ids)).toEqual(['revoked', 'revoked']);
  });
});

describe('after a restart the deleted credentials are unknown, and ten minutes later', () => {
  test('the resources are gone, and log, metric and an event in the operator’s namespace name what is left', async () => {
    const { world, home, operator, ids } = await issued();
    const serials = await Promise.all(
      ['a', 'b'].map(async (name) => (await world.get(certificates, name)).status?.serialNumber),
    );
    await operator.stop();
    await world.delete(secrets, 'account');
    await deleteAll(world, issuers);
    await deleteAll(world, certificates);
    const second = await operatorOf(world, home);
    await world.pass(9 * 60_000);
    expect(await left(world, certificates)).toEqual(['a', 'b']);
    expect(await pendingReason(world, 'a')).toBe('CredentialsNotFound');

    await passUntilGone(world, 2 * 60_000);

    expect([await left(world, certificates), await left(world, issuers)]).toEqual([[], []]);
    expect(atCa(ids)).toEqual(['good', 'good']);
    const logged = second.log.filter(({ level, certificateId }) => level === 'error' && certificateId);
    expect(new Set(logged.map(({ certificateId }) => certificateId))).toEqual(new Set(ids));
    expect(new Set(logged.map(({ serialNumber }) => serialNumber))).toEqual(new Set(serials));
    const { items } = await stage.kube.listAll(events, { namespace: home.namespace });
    const notes = items.filter(({ reason }) => reason === 'RevocationAbandoned').map(({ note }) => note);
    expect(notes).toHaveLength(2);
    for (const [i, id] of ids.entries()) {
      const note = notes.find((text) => text.includes(`Certificate ${id} `));
      expect(note).toContain(`serial number ${serials[i]}`);
      expect(note).toContain(`authority ${stage.dev.authorityId}`);
    }
  });

  test('or, with the credentials back in time, every pending revocation is done', async () => {
    const { world, home, operator, ids } = await issued();
    await operator.stop();
    await world.delete(secrets, 'account');
    await deleteAll(world, certificates);
    await operatorOf(world, home);
    await world.pass(9 * 60_000);

    await world.credentials();
    await world.pass(5_000);

    expect([await left(world, certificates), atCa(ids)]).toEqual([[], ['revoked', 'revoked']]);
  });
});

describe('a namespace that is deleted with everything in it', () => {
  const orders = [
    ['certificates first', [certificates, issuers, secrets]],
    ['Secrets first', [secrets, issuers, certificates]],
  ] as [string, ResourceType[]][];

  /** Does the work of the namespace controller, which the tests' control plane lacks. */
  async function deleteNamespace(world: World, kinds: readonly ResourceType[]): Promise<void> {
    const answer = await api.send('DELETE', `/api/v1/namespaces/${world.namespace}`);
    expect(answer.body).toMatchObject({ status: { phase: 'Terminating' } });
    for (const type of kinds) {
      await deleteAll(world, type);
      await world.settled();
    }
  }

  async function isFinished(world: World): Promise<boolean> {
    const rests = await Promise.all([certificates, issuers, secrets].map((type) => left(world, type)));
    if (rests.flat().length > 0) return false;
    const path = `/api/v1/namespaces/${world.namespace}`;
    const { body } = await api.send('GET', path);
    const namespace = { ...(body as object), spec: { finalizers: [] } };
    return (await api.send('PUT', `${path}/finalize`, namespace)).status === 200;
  }

  test.each(orders)('is empty once its certificates are revoked: %s', async (_, kinds) => {
    const { world, ids } = await issued();

    await passUntilGone(world, 60_000, () => deleteNamespace(world, kinds));

    expect(atCa(ids)).toEqual(['revoked', 'revoked']);
    expect(await isFinished(world)).toBe(true);
  });

  test.each(orders)('waits for a CA that is down: %s', async (_, kinds) => {
    const { world, ids } = await issued();
    await stage.dev.setOptions({ listening: false });

    await deleteNamespace(world, kinds);
    await world.pass(30 * 60_000);
    expect(await left(world, certificates)).toEqual(['a', 'b']);
    await stage.dev.setOptions({ listening: true });
    await passUntilGone(world, 15 * 60_000);

    expect(atCa(ids)).toEqual(['revoked', 'revoked']);
    expect(await isFinished(world)).toBe(true);
  });

  test('is empty ten minutes after a restart in which the credentials were lost', async () => {
    const { world, home, operator, ids } = await issued();
    await operator.stop();
    await deleteNamespace(world, [secrets, issuers, certificates]);
    const second = await operatorOf(world, home);

    await passUntilGone(world, 11 * 60_000);

    expect(atCa(ids)).toEqual(['good', 'good']);
    expect(await isFinished(world)).toBe(true);
    expect(second.log.filter(({ level }) => level === 'error')).toHaveLength(2);
    const { items } = await stage.kube.listAll(events, { namespace: home.namespace });
    expect(items.filter(({ reason }) => reason === 'RevocationAbandoned')).toHaveLength(2);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { cacertCertificates, certificates, issuers } from '../../src/api/kinds.ts';
import { quietAfter } from '../../src/issuance/attempt/timing.ts';
import { cacertKind } from '../../src/issuance/cacert/kind.ts';
import { tinycertKind } from '../../src/issuance/tinycert/kind.ts';
import { type Condition, type KubeObject, type ResourceType, secrets } from '../../src/kube/objects.ts';
import { aCAcertWorld } from '../support/world/cacert-world.ts';
import { events } from '../support/world/crds.ts';
import { journalOf } from '../support/world/journal.ts';
import { type PolicyReason, refuseStatus } from '../support/world/refuse-status.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { type World, aWorld } from '../support/world/world.ts';
import { filesOf } from '../support/x509/openssl.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ keyPool: 4, keyPoolReuse: true });
});
afterAll(() => stage.close());
beforeEach(() => {
  // The backoffs without their random share, so that the number of tries is exact.
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

/** As many conditions as a status can have, none of them the operator's. */
const foreign: Condition[] = Array.from({ length: 16 }, (_, i) => ({
  type: `Foreign${i}`,
  status: 'True',
  reason: 'Other',
  message: '',
  lastTransitionTime: '2026-01-01T00:00:00Z',
}));

function fill(world: World, type: ResourceType, name: string): Promise<KubeObject> {
  return world.patch(type, name, { status: { conditions: foreign } }, 'status');
}

function clear(world: World, type: ResourceType, name: string): Promise<KubeObject> {
  return world.patch(type, name, { status: { conditions: null } }, 'status');
}

async function told(world: World): Promise<string[]> {
  const { items } = await stage.kube.listAll(events, { namespace: world.namespace });
  return items.filter(({ reason }) => reason === 'StatusRefused').map(({ note }) => note);
}

const WORDS =
  /^The API server refuses the status of this resource, and nothing more is issued for it until that is fixed: .*status\.conditions: Too many: 1[78]: must have at most 16 items/;

/**
 * There is a status and no journal, as after a loss of the journal: an earlier attempt may still be under way, and the operator
 * waits until it can have no more effect.
 */
const QUIET_MS = Math.max(quietAfter(tinycertKind.timing), quietAfter(cacertKind.timing));

/** The certificate that a Secret serves, by its id. */
async function servedBy(world: World, name: string): Promise<number | undefined> {
  const { crt } = filesOf(await world.get(secrets, name));
  return stage.dev.certificates().find(({ id }) => stage.dev.certificatePem(id) === crt)?.id;
}

describe('a status that has no room for the operator’s conditions', () => {
  test('stops only one certificate, which is requested once and served, as an event reports', async () => {
    const world = await aWorld(stage);
    await world.account();
    await world.certificate('full');
    await fill(world, certificates, 'full');
    const operator = await world.operator();
    await world.certificate('web');
    await world.pass(QUIET_MS);
    await world.ready('web');
    await world.pass(10 * 60_000);

    // The attempt stands in the journal, so that what cannot be written to status is bought, and never twice.
    expect(world.calls()['cert/new']).toBe(2);
    expect((await journalOf(world)).attempts).toHaveLength(1);
    const served = await servedBy(world, 'full-tls');
    expect(await told(world)).toEqual([expect.stringMatching(WORDS)]);
    await world.certificate('later');
    await world.ready('later');

    await clear(world, certificates, 'full');
    expect((await world.ready('full')).status?.certificateId).toBe(served);
    expect(world.calls()['cert/new']).toBe(3);
    await operator.stop();
  });

  test('of a certificate that was Ready has what its new spec asks for requested once and served', async () => {
    const world = await aWorld(stage);
    await world.account();
    await world.operator();
    await world.certificate('web');
    const { status } = await world.ready('web');
    await fill(world, certificates, 'web');
    await world.patch(certificates, 'web', { spec: { dnsNames: ['b.example.com'] } });
    await world.pass(10 * 60_000);

    expect(world.calls()['cert/new']).toBe(2);
    const served = await servedBy(world, 'web-tls');
    expect(served).toBeGreaterThan(status?.certificateId ?? Infinity);
    await clear(world, certificates, 'web');
    await world.ready('web', ({ status: now }) => now?.certificateId === served);
    expect(world.calls()['cert/new']).toBe(2);
  });

  test('of an issuer does not affect its certificates', async () => {
    const world = await aWorld(stage);
    await world.account();
    await fill(world, issuers, 'ca');
    await world.operator();
    await world.certificate('web');
    await world.ready('web');
    await world.pass(60_000);

    expect(await told(world)).toEqual([expect.stringMatching(WORDS)]);
    await clear(world, issuers, 'ca');
    await world.pass(15 * 60_000);
    expect(await world.says(issuers, 'ca')).toEqual([expect.stringMatching(/^Ready=True/)]);
  });

  test('stops only one CAcert certificate, which is requested once and served', async () => {
    const cacert = await aCAcertWorld(stage);
    const { world } = cacert;
    await cacert.account();
    await cacert.certificate('full');
    await fill(world, cacertCertificates, 'full');
    await cacert.operator();
    await cacert.certificate('web');
    await world.pass(QUIET_MS);
    await cacert.ready('web');
    await world.pass(10 * 60_000);

    // The attempt stands in the journal, so that what cannot be written to status is bought, and never twice.
    expect(cacert.asked()).toBe(2);
    expect((await world.get(secrets, 'full-tls')).data).toHaveProperty(['tls.crt']);
    expect(await told(world)).toEqual([expect.stringMatching(WORDS)]);
    await clear(world, cacertCertificates, 'full');
    await world.pass(10 * 60_000);
    await cacert.ready('full');
    expect(cacert.asked()).toBe(2);
  });
});

describe('a status that a policy of the cluster refuses', () => {
  test.each<[PolicyReason, number, string]>([
    ['Forbidden', 403, 'Let the operator update the status'],
    ['Invalid', 422, 'Remove from the resource what makes it invalid'],
    ['RequestEntityTooLarge', 413, 'Make the resource smaller'],
  ])('with %s stops only that certificate, which an event reports', async (reason, status, cure) => {
    const world = await aWorld(stage);
    await world.account();
    await world.certificate('full');
    const end = await refuseStatus(world, 'full', reason);
    const operator = await world.operator();
    await world.certificate('web');
    await world.pass(QUIET_MS);
    await world.ready('web');
    const since = world.tally(operator);
    await world.pass(9 * 60_000);

    expect(await told(world)).toEqual([
      expect.stringMatching(new RegExp(`^The API server refuses .*: no status for you\\. ${cure}`)),
    ]);
    expect(since().writes[`PATCH tinycertcertificates/status (${status})`]).toBeLessThanOrEqual(10);
    expect(world.calls()['cert/new']).toBe(2);
    const served = await servedBy(world, 'full-tls');

    await end();
    await world.pass(10 * 60_000);
    expect((await world.ready('full')).status?.certificateId).toBe(served);
    expect(world.calls()['cert/new']).toBe(2);
  });
});

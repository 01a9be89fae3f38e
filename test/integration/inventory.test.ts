import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { IssuerStatus } from '../../src/api/tinycert/issuer-status.ts';
import { certificates, issuers } from '../../src/api/kinds.ts';
import { placeHash } from '../../src/issuance/tinycert/attempt.ts';
import { events } from '../../src/kube/events.ts';
import { secrets } from '../../src/kube/objects.ts';
import type { CertificateView } from '../../tools/dev-server/types.ts';
import type { TestOperator } from '../support/world/operator.ts';
import { complaints } from '../support/world/scenario.ts';
import { journalOf, leaveRecords, storedRecord } from '../support/world/journal.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { type World, aWorld } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

/** A little more than the interval between checks of an issuer. */
const INTERVAL_MS = 16 * 60_000;

/** A world whose issuer has an authority of its own, so its inventory has no certificates of other tests. */
async function ownAuthority(
  spec: { ownershipMarker?: 'OrganizationalUnit' } = {},
): Promise<{ world: World; operator: TestOperator; authorityId: number }> {
  const world = await aWorld(stage);
  const authorityId = await stage.dev.addAuthority({ organization: world.namespace, country: 'NL' });
  await world.account({ authority: { id: authorityId }, ...spec });
  const operator = await world.operator();
  return { world, operator, authorityId };
}

function byHand(caId: number, cn: string): Promise<CertificateView> {
  return stage.dev.issueByHand({ caId, cn, names: [{ type: 'DNS', value: cn }] });
}

async function statusOf(world: World): Promise<IssuerStatus> {
  return (await world.get(issuers, 'ca')).status ?? {};
}

/** The events about orphans. */
async function orphanEvents(world: World): Promise<string[]> {
  const { items } = await stage.kube.listAll(events, { namespace: world.namespace });
  return items.filter(({ reason }) => reason === 'OrphanedCertificate').map(({ note }) => note);
}

/** The certificate ids that the operator bought for this name. */
function bought(cn: string): number[] {
  return stage.dev
    .certificates()
    .filter((certificate) => certificate.cn === cn && certificate.origin !== 'manual')
    .map(({ id }) => id);
}

function everything(): object {
  return structuredClone(stage.dev.certificates());
}

describe('the inventory of an authority', () => {
  test('counts all certificates, and counts those made by hand as foreign and never touches them', async () => {
    const { world, operator, authorityId } = await ownAuthority();
    await world.certificate('web');
    await world.ready('web');
    await byHand(authorityId, 'web.example.com');
    const held = await byHand(authorityId, 'other.example.com');
    const revoked = await byHand(authorityId, 'other.example.com');
    stage.dev.setStatusByHand(held.id, 'hold');
    stage.dev.setStatusByHand(revoked.id, 'revoked');
    const before = everything();

    await world.pass(INTERVAL_MS);

    const status = await statusOf(world);
    expect(status).toMatchObject({
      certificates: { good: 2, hold: 1, revoked: 1, expired: 0 },
      foreignCount: 2,
    });
    expect(status.orphans).toBeUndefined();
    expect(everything()).toEqual(before);
    expect(await orphanEvents(world)).toEqual([]);
    expect(complaints(operator)).toEqual([]);
  });

  test('writes nothing while nothing changes, and requests one list each time', async () => {
    const { world, operator } = await ownAuthority();
    await world.certificate('web');
    await world.ready('web');
    await world.pass(INTERVAL_MS);

    const tally = world.tally(operator);
    await world.pass(3 * INTERVAL_MS);

    expect(tally().writes).toEqual({});
    expect(tally().calls['cert/list']).toBe(3);
  });

  test('reads one list for two issuers', async () => {
    const { world, authorityId } = await ownAuthority();
    const { spec } = await world.get(issuers, 'ca');
    await world.create(issuers, 'second', { spec });
    await byHand(authorityId, 'foreign.example.com');
    await world.settled();
    const mark = world.mark();

    await world.pass(INTERVAL_MS);

    expect(world.calls(mark)).toMatchObject({ 'ca/list': 2, 'cert/list': 1 });
    for (const name of ['ca', 'second'])
      expect((await world.get(issuers, name)).status?.certificates).toMatchObject({ good: 1 });
  });
});

describe('an orphan', () => {
  /** A certificate bought for a resource that was deleted before it learned of it. */
  async function lost(world: World, name: string): Promise<number> {
    stage.dev.addFault({ call: 'cert/new', match: { CN: `${name}.example.com` }, kind: 'reset-after' });
    await world.certificate(name);
    await world.settled();
    await world.delete(certificates, name);
    await world.settled();
    return bought(`${name}.example.com`)[0] ?? 0;
  }

  test('is reported by name on the issuer and by one event, also after a restart', async () => {
    const { world, operator, authorityId } = await ownAuthority();
    const id = await lost(world, 'lost');
    const foreign = await byHand(authorityId, 'unlike.example.com');
    await world.pass(INTERVAL_MS);

    const status = await statusOf(world);
    expect(status).toMatchObject({
      orphanCount: 1,
      orphans: [{ certificateId: id, commonName: 'lost.example.com', serialNumber: expect.any(String) }],
      foreignCount: 1,
    });
    const told = await orphanEvents(world);
    expect(told).toEqual([expect.stringContaining(`Certificate ${id} (lost.example.com, serial number`)]);
    await operator.stop();

    const second = await world.operator();
    await world.pass(3 * INTERVAL_MS);

    expect(await statusOf(world)).toEqual(status);
    expect(await orphanEvents(world)).toEqual(told);
    expect(second.traffic.writes()).toEqual({});
    expect(
      [id, foreign.id].map((each) => stage.dev.certificates().find((c) => c.id === each)?.status),
    ).toEqual(['good', 'good']);
    expect([...complaints(operator), ...complaints(second)]).toEqual([]);
  });

  test('is gone from the report once somebody has revoked it', async () => {
    const { world } = await ownAuthority();
    const id = await lost(world, 'cared-for');
    await world.pass(INTERVAL_MS);
    expect((await statusOf(world)).orphanCount).toBe(1);

    stage.dev.setStatusByHand(id, 'revoked');
    await world.pass(INTERVAL_MS);

    const status = await statusOf(world);
    expect(status.orphanCount).toBe(0);
    expect(status.orphans).toBeUndefined();
  });

  test('is each of those that cannot be distinguished, item by item, however many', async () => {
    const { world, operator, authorityId } = await ownAuthority();
    const ids: number[] = [];
    for (let i = 0; i < 12; i += 1) ids.push((await byHand(authorityId, 'alike.example.com')).id);
    await operator.stop();
    const issuer = placeHash(`TinyCertIssuer:${world.namespace}/ca`);
    const given = { is: 'released', issuer, cause: 'Undecided' } as const;
    const records = ids.map((id, at) =>
      storedRecord({ ...given, ...world.named(id, authorityId) }, { namespace: world.namespace, at }),
    );
    await leaveRecords(world, records);
    await world.operator();

    await world.pass(INTERVAL_MS);

    const { orphans, orphanCount } = await statusOf(world);
    expect(orphanCount).toBe(12);
    // The newest comes first.
    expect(orphans?.map(({ certificateId }) => certificateId)).toEqual(ids.toReversed());
    const told = (await orphanEvents(world)).map((note) => Number(/\d+/.exec(note)?.[0]));
    expect(told.toSorted((x, y) => x - y)).toEqual(ids);
  });

  test('is each certificate that two resources with the same request bought, each once and by one event', async () => {
    const [a, b] = [await aWorld(stage), await aWorld(stage)];
    const authorityId = await stage.dev.addAuthority({ organization: a.namespace, country: 'NL' });
    for (const world of [a, b]) await world.account({ authority: { id: authorityId } });
    stage.dev.addFault({ call: 'cert/new', kind: 'reset-after', times: 2 });
    const operator = await a.operator({ namespaces: [a.namespace, b.namespace] });
    for (const world of [a, b]) await world.certificate('twins');

    await b.pass(3 * INTERVAL_MS);

    const ready = [await a.ready('twins'), await b.ready('twins')];
    const served = new Set(ready.map(({ status }) => status?.certificateId));
    const ids = bought('twins.example.com');
    const undecided = ids.filter((id) => !served.has(id));
    expect(undecided).toHaveLength(2);
    const reported = [await statusOf(a), await statusOf(b)].flatMap(({ orphans = [] }) => orphans);
    expect(reported.map(({ certificateId }) => certificateId).toSorted((x, y) => x - y)).toEqual(undecided);
    expect([...(await orphanEvents(a)), ...(await orphanEvents(b))]).toHaveLength(2);
    expect(operator.log.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('is known by its marker, if certificates have one, even if no operator saw its resource deleted', async () => {
    const { world, operator, authorityId } = await ownAuthority({ ownershipMarker: 'OrganizationalUnit' });
    await world.certificate('kept');
    await world.ready('kept');
    await world.certificate('gone');
    const { status } = await world.ready('gone');
    const foreign = await byHand(authorityId, 'gone.example.com');
    await operator.stop();
    await world.delete(certificates, 'gone');
    await world.delete(secrets, 'gone-tls');
    const mark = world.mark();
    const second = await world.operator();

    await world.pass(3 * INTERVAL_MS);

    expect(await statusOf(world)).toMatchObject({
      orphanCount: 1,
      orphans: [{ certificateId: status?.certificateId }],
      foreignCount: 1,
    });
    expect(await orphanEvents(world)).toHaveLength(1);
    // Each unclaimed certificate is read once.
    expect(world.calls(mark)).toMatchObject({ 'cert/details': 2 });
    expect(stage.dev.certificates().find(({ id }) => id === foreign.id)?.status).toBe('good');
    expect(complaints(second)).toEqual([]);
  });

  test('is not the certificate of a deleted resource, which is not foreign either', async () => {
    const { world } = await ownAuthority();
    await world.certificate('deleted');
    await world.ready('deleted');
    await world.settled();
    await world.delete(certificates, 'deleted');

    await world.pass(INTERVAL_MS);

    expect(await statusOf(world)).toMatchObject({ certificates: { good: 1 }, foreignCount: 0 });
    expect((await statusOf(world)).orphans).toBeUndefined();
  });

  describe('is not a certificate that a leftover Secret proves', () => {
    /** A deleted resource of which only the Secret is left. */
    async function leftoverSecrets() {
      const { world, operator, authorityId } = await ownAuthority();
      await world.certificate('kept');
      await world.ready('kept');
      await world.certificate('gone');
      const { status } = await world.ready('gone');
      await operator.stop();
      await world.delete(certificates, 'gone');
      return { world, id: status?.certificateId ?? 0, authorityId };
    }

    test('and it is recorded once, permanently', async () => {
      const { world, id } = await leftoverSecrets();
      const second = await world.operator();
      await world.pass(INTERVAL_MS);
      const issuer = placeHash(`TinyCertIssuer:${world.namespace}/ca`);
      expect(await journalOf(world)).toMatchObject({
        released: [{ certificateId: id, issuer, cause: 'Deleted' }],
      });
      expect((await statusOf(world)).foreignCount).toBe(0);
      await world.delete(secrets, 'gone-tls');
      const tally = world.tally(second);
      const mark = second.traffic.mark();

      await world.pass(3 * INTERVAL_MS);

      expect(tally().writes).toEqual({});
      expect([second.traffic.journalWrites(mark), second.traffic.recordWrites(mark)]).toEqual([0, 0]);
      expect(tally().calls).toMatchObject({ 'cert/list': 3 });
      expect(tally().calls['cert/get']).toBeUndefined();
      expect((await statusOf(world)).foreignCount).toBe(0);
      expect(complaints(second)).toEqual([]);
    });

    test('unless its annotation names another certificate than its content', async () => {
      const { world, authorityId } = await leftoverSecrets();
      const foreign = await byHand(authorityId, 'foreign.example.com');
      await world.patch(secrets, 'gone-tls', {
        metadata: { annotations: { 'tinycert-operator.io/certificate-id': String(foreign.id) } },
      });
      await world.operator();

      await world.pass(INTERVAL_MS);

      const { released } = await journalOf(world);
      expect([released, (await statusOf(world)).foreignCount]).toEqual([[], 2]);
    });
  });

  test('is not a certificate bought during the list, since claims are read after it', async () => {
    const { world } = await ownAuthority();
    const id = await lost(world, 'same');
    // The broken connection caused a check of the issuer.
    await world.pass(5_000);
    stage.dev.addFault({ call: 'cert/list', kind: 'hold' });
    // A change of the issuer causes a list of its authority at once.
    await world.patch(issuers, 'ca', { spec: { subject: { locality: 'Utrecht' } } });
    await world.call(({ call, fault }) => call === 'cert/list' && fault === 'hold');
    await world.patch(issuers, 'ca', { spec: { subject: null } });
    await world.certificate('same');
    const again = await world.ready('same');
    expect(again.status?.certificateId).toBeGreaterThan(id);
    stage.dev.release();

    await world.pass(INTERVAL_MS);

    const { orphans } = await statusOf(world);
    expect(orphans?.map(({ certificateId }) => certificateId)).toEqual([id]);
  });
});

/** What is given up is on record in the journal, where no tenant can write. */
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { certificates, issuers, type TinyCertCertificate } from '../../src/api/kinds.ts';
import { nameHash, placeHash } from '../../src/issuance/tinycert/attempt.ts';
import { BOUNDS } from '../../src/journal/bounds.ts';
import { bytesOf } from '../../src/journal/contents.ts';
import { secrets } from '../../src/kube/objects.ts';
import { JOURNAL_NAME, RECORDS_NAME } from '../../src/operator/journal.ts';
import { journalOf, leaveRecords, type StoredRecord, storedRecord } from '../support/world/journal.ts';
import { bought, QUIET_MS } from '../support/world/lost-answers.ts';
import type { TestOperator } from '../support/world/operator.ts';
import { complaints } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { type World, aWorld } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ keyPool: 4, keyPoolReuse: true });
});
afterAll(() => stage.close());
beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

/** A little more than the interval between checks of an issuer. */
const INTERVAL_MS = 16 * 60_000;

async function recordedIds(world: World): Promise<number[]> {
  return (await journalOf(world)).released.map(({ certificateId }) => certificateId);
}

/** Certificates that are Ready, and their operator at rest. */
async function issued(
  names: readonly string[],
): Promise<{ world: World; operator: TestOperator; ids: number[] }> {
  const world = await aWorld(stage);
  await world.account();
  const operator = await world.operator();
  await Promise.all(names.map((name) => world.certificate(name)));
  const all = await Promise.all(names.map((name) => world.ready(name)));
  await world.settled();
  return { world, operator, ids: all.map(({ status }) => status?.certificateId ?? 0) };
}

/** A certificate whose request TinyCert has carried out, without that anybody here knows. */
async function unanswered(world: World, name: string): Promise<TinyCertCertificate> {
  stage.dev.addFault({ call: 'cert/new', kind: 'reset-after', match: { CN: `${name}.example.com` } });
  await world.certificate(name);
  await world.call(({ call, endedAt }) => call === 'cert/new' && endedAt !== undefined);
  await world.settled();
  return world.get(certificates, name);
}

describe('resources that disappear', () => {
  test('have their certificates recorded, in few writes', async () => {
    const names = Array.from({ length: 30 }, (_, i) => `web-${i}`);
    const { world, operator, ids } = await issued(names);
    const mark = operator.traffic.mark();
    const tally = world.tally(operator);

    await Promise.all(names.map((name) => world.delete(certificates, name)));
    await world.pass(5_000);

    const { released, attempts } = await journalOf(world);
    expect(released.map(({ certificateId }) => certificateId)).toEqual(ids.toSorted((a, b) => a - b));
    expect(released[0]).toMatchObject({
      cause: 'Deleted',
      issuer: placeHash(`TinyCertIssuer:${world.namespace}/ca`),
    });
    expect(attempts).toEqual([]);
    expect(operator.traffic.recordWrites(mark)).toBeLessThanOrEqual(3);
    expect(tally().writes).toEqual({});
    expect(complaints(operator)).toEqual([]);
  });

  test('have their certificates recorded once, however often they are made again and deleted', async () => {
    const { world, operator, ids } = await issued(['web']);
    await world.delete(certificates, 'web');
    await world.pass(5_000);
    expect(await recordedIds(world)).toEqual(ids);
    // The Secret that was left proves the certificate.
    await world.certificate('web');
    expect((await world.ready('web')).status?.certificateId).toBe(ids[0]);
    const mark = operator.traffic.mark();

    await world.delete(certificates, 'web');
    await world.pass(5_000);

    expect(await recordedIds(world)).toEqual(ids);
    expect([operator.traffic.recordWrites(mark), operator.traffic.journalWrites(mark)]).toEqual([0, 0]);
  });

  test.each(['ca', 'other'])('after their issuer have their certificates recorded: %s', async (deleted) => {
    const { world, ids } = await issued(['web']);
    const { spec } = await world.get(issuers, 'ca');
    await world.create(issuers, 'other', { spec });
    await world.settled();
    await world.delete(issuers, deleted);
    await world.settled();

    await world.delete(certificates, 'web');
    await world.pass(5_000);

    expect(await recordedIds(world)).toEqual(ids);
  });

  test('with an open attempt have the attempt recorded too, once it can have no more effect', async () => {
    const world = await aWorld(stage);
    await world.account();
    await world.operator();
    const { metadata } = await unanswered(world, 'open');
    const [attempt] = (await journalOf(world)).attempts;
    expect(attempt).toMatchObject({ uid: metadata.uid, operation: 'New' });
    await world.delete(certificates, 'open');
    await world.pass(QUIET_MS - 10_000);
    expect(await journalOf(world)).toMatchObject({ attempts: [{ id: attempt?.id }], abandoned: [] });

    await world.pass(15_000);

    expect(await journalOf(world)).toMatchObject({
      attempts: [],
      released: [],
      abandoned: [
        {
          uid: metadata.uid,
          nameHash: nameHash('open.example.com'),
          afterId: attempt?.afterId,
          requestHash: attempt?.requestHash,
          since: attempt?.since,
          until: attempt?.until,
        },
      ],
    });
  });

  test.each([
    ['the next one', 0],
    ['the one after that, if that one dies too early', 1],
  ])('while no operator runs have an open attempt recorded by %s', async (_, deaths) => {
    const world = await aWorld(stage);
    await world.account();
    const first = await world.operator();
    const { metadata } = await unanswered(world, 'open');
    await first.stop('by force').catch(() => undefined);
    await world.delete(certificates, 'open');
    for (let death = 0; death < deaths; death += 1) {
      const between = await world.operator();
      await world.pass(QUIET_MS / 2);
      await between.stop('by force').catch(() => undefined);
      expect(await journalOf(world)).toMatchObject({ attempts: [{ uid: metadata.uid }], abandoned: [] });
    }

    await world.operator();
    await world.pass(QUIET_MS + 5_000);

    expect(await journalOf(world)).toMatchObject({
      attempts: [],
      released: [],
      abandoned: [{ uid: metadata.uid, nameHash: nameHash('open.example.com') }],
    });
    // What it bought is found by that.
    const [lost] = bought(stage, 'open.example.com').toReversed();
    await world.pass(INTERVAL_MS);
    const { status } = await world.get(issuers, 'ca');
    expect(status?.orphans).toMatchObject([{ certificateId: lost?.id }]);
  });

  test('have nothing recorded from a status that somebody else wrote', async () => {
    const { world, operator } = await issued(['web']);
    await operator.stop();
    await world.patch(certificates, 'web', { status: world.named(4711) }, 'status');
    // It would prove what the resource really has.
    await world.delete(secrets, 'web-tls');
    await world.operator();
    await world.settled();
    await world.delete(certificates, 'web');

    await world.pass(5_000);

    expect(await journalOf(world)).toEqual({ attempts: [], released: [], abandoned: [] });
  });
});

describe('a record is not lost', () => {
  test.each<[string, string, (world: World, name: string) => Promise<unknown>]>([
    [
      'changed its Secret',
      RECORDS_NAME,
      (world, name) => world.patch(secrets, name, { metadata: { labels: { x: 'y' } } }),
    ],
    [
      'changed the journal',
      JOURNAL_NAME,
      (world, name) => world.patch(secrets, name, { metadata: { labels: { x: 'y' } } }),
    ],
    ['deleted its Secret', RECORDS_NAME, (world, name) => world.delete(secrets, name)],
    ['deleted the journal', JOURNAL_NAME, (world, name) => world.delete(secrets, name)],
  ])('if somebody has %s', async (_, name, meddle) => {
    const { world, ids } = await issued(['first', 'second']);
    await world.delete(certificates, 'first');
    await world.pass(5_000);
    expect(await recordedIds(world)).toEqual([ids[0]]);

    await meddle(world, name);
    await world.delete(certificates, 'second');
    await world.pass(5_000);

    expect(await recordedIds(world)).toEqual(ids.toSorted((a, b) => a - b));
    await world.certificate('third');
    await world.ready('third');
  });
});

test('what is recorded last outlives the oldest of its namespace, and takes no room from others', async () => {
  const { world, operator, ids } = await issued(['web']);
  await operator.stop();
  const issuer = placeHash(`TinyCertIssuer:${world.namespace}/ca`);
  const recorded = (certificateId: number, namespace: string): StoredRecord =>
    storedRecord(
      { is: 'released', ...world.named(certificateId), issuer, cause: 'Deleted' },
      { namespace, at: certificateId },
    );
  // Somebody else's are the oldest, and ours fill the rest.
  const all = [recorded(1, 'theirs'), recorded(2, 'theirs')];
  let bytes = all.reduce((sum, [key, text]) => sum + bytesOf(key, text), 0);
  for (let id = 1_000; ; id += 1) {
    const next = recorded(id, world.namespace);
    bytes += bytesOf(...next);
    if (bytes > BOUNDS.allRecordBytes) break;
    all.push(next);
  }
  await leaveRecords(world, all);
  await world.operator();
  await world.settled();

  await world.delete(certificates, 'web');
  await world.pass(5_000);

  const now = await recordedIds(world);
  expect(now).toEqual([1, 2, ...now.slice(2, -1), ids[0]]);
  expect(now).not.toContain(1_000);
  expect(now).toHaveLength(all.length);
});

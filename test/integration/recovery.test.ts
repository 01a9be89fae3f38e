import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { certificates } from '../../src/api/kinds.ts';
import type { Fault, FaultEffect } from '../../tools/dev-server/types.ts';
import {
  bought,
  diesBeforeStatus,
  expectBoughtOnce,
  expectServed,
  QUIET_MS,
  wanted,
} from '../support/world/lost-answers.ts';
import { complaints, issued } from '../support/world/scenario.ts';
import { journalOf } from '../support/world/journal.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { aWorld, type World } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

/** After this time a call is aborted. */
const CALL_MS = 20_000;

describe('a certificate whose purchase got no answer is found and adopted, not bought twice:', () => {
  test.each<[string, string, FaultEffect]>([
    ['the connection broke', 'broke', { kind: 'reset-after' }],
    ['half an answer came', 'half', { kind: 'truncated' }],
    ['a proxy answered for the CA', 'proxy', { kind: 'html', acts: true }],
    ['the answer was no JSON', 'no-json', { kind: 'not-json', acts: true }],
    ['the answer had no end', 'endless', { kind: 'huge', acts: true }],
  ])('%s', async (_, name, effect) => {
    const { world, operator } = await wanted(stage, name, { call: 'cert/new', ...effect });
    expect(bought(stage, `${name}.example.com`)).toHaveLength(1);

    await world.pass(QUIET_MS + 5_000);

    const [only, ...others] = bought(stage, `${name}.example.com`);
    expect(others).toEqual([]);
    await expectServed(world, name, only);
    expect(world.calls()).toMatchObject({ 'cert/new': 1 });
    expect(operator.traffic.writes()).toMatchObject({
      // That it is being found out, and the result.
      'PATCH tinycertcertificates/status': 2,
      'POST secrets': 1,
    });
    expect(await journalOf(world)).toMatchObject({ attempts: [], released: [], abandoned: [] });
    expect(complaints(operator)).toEqual([]);
  });

  test('the CA acted only after the call was aborted', async () => {
    const { world } = await wanted(stage, 'late', { call: 'cert/new', kind: 'late', ms: 10 });
    expect(bought(stage, 'late.example.com')).toEqual([]);
    await world.pass(CALL_MS);
    await world.call(({ call, late }) => call === 'cert/new' && late === true);

    await world.pass(QUIET_MS + 5_000);

    await expectBoughtOnce(world, 'late');
  });

  test.each<FaultEffect>([{ kind: 'future', seconds: 3600 }, { kind: 'expired' }])(
    'although the CA once gives a wrong answer about it: $kind',
    async (effect) => {
      const name = `wrong-${effect.kind}`;
      const { world } = await wanted(stage, name, { call: 'cert/new', kind: 'reset-after' });
      stage.dev.addFault({ call: 'cert/get', ...effect });

      await world.pass(QUIET_MS * 4);

      await expectBoughtOnce(world, name);
    },
  );

  test('several at once, each by the resource that requested it', async () => {
    const names = ['one', 'two', 'three'];
    const world = await aWorld(stage);
    stage.dev.addFault({ call: 'cert/new', times: 3, kind: 'reset-after' });
    await world.account();
    await world.operator();
    await Promise.all(names.map((name) => world.certificate(name)));

    await world.pass(QUIET_MS * 3);

    for (const name of names) {
      const [only, ...others] = bought(stage, `${name}.example.com`);
      expect(others).toEqual([]);
      await expectServed(world, name, only);
    }
    expect(world.calls()).toMatchObject({ 'cert/new': 3 });
  });
});

test('a purchase that the CA never executed is repeated once that is certain', async () => {
  const { world } = await wanted(stage, 'never', { call: 'cert/new', kind: 'hang' });
  await world.pass(QUIET_MS - 1_000);
  expect(world.calls()).toMatchObject({ 'cert/new': 1 });

  await world.pass(10_000 + CALL_MS);

  const [only, ...others] = bought(stage, 'never.example.com');
  expect(others).toEqual([]);
  await expectServed(world, 'never', only);
  expect(world.calls()).toMatchObject({ 'cert/new': 2 });
});

describe('an operator that was killed', () => {
  /** An operator that requested `name` and dies while the CA delays a call. */
  async function ended(name: string, hold: Fault & { kind: 'hold' }): Promise<World> {
    const { world, operator } = await wanted(stage, name, hold);
    await world.call(({ call, held }) => call === hold.call && held === true);
    await operator.stop('by force').catch(() => undefined);
    return world;
  }

  test('before the answer came is followed by one that adopts, after the waiting time', async () => {
    const world = await ended('answer', { call: 'cert/new', kind: 'hold', when: 'after' });
    stage.dev.release();

    const mark = world.mark();
    const next = await world.operator();
    await world.pass(QUIET_MS - 5_000);
    const why =
      'Recovering: An attempt has no result; the operator finds out what it bought before it makes another one.';
    expect(await world.says(certificates, 'answer')).toEqual([`Ready=False ${why}`, `Issuing=True ${why}`]);
    await world.pass(10_000);

    const [only, ...others] = bought(stage, 'answer.example.com');
    expect(others).toEqual([]);
    await expectServed(world, 'answer', only);
    expect(world.calls(mark)).toEqual({
      connect: 1,
      'ca/list': 1,
      'cert/list': 2,
      'ca/details': 1,
      'ca/get': 1,
      'cert/details': 1,
      // The candidate's certificate, then chain and key.
      'cert/get': 3,
    });
    expect(next.traffic.writes()).toEqual({ 'PATCH tinycertcertificates/status': 2, 'POST secrets': 1 });
  });

  test('for longer than the certificate lives is followed by one that renews it', async () => {
    await stage.dev.setOptions({ validity: '5m' });
    const world = await ended('slept', { call: 'cert/new', kind: 'hold', when: 'after' });
    stage.dev.release();
    await stage.dev.setOptions({ validity: '365d' });
    await stage.clock.skip(10 * 60_000);

    await world.operator();
    await world.pass(QUIET_MS + 10_000);

    const [first, renewed, ...others] = bought(stage, 'slept.example.com');
    expect(others).toEqual([]);
    await expectServed(world, 'slept', renewed);
    expect(renewed?.keyFingerprint).toBe(first?.keyFingerprint);
    expect(world.calls()).toMatchObject({ 'cert/new': 1, 'cert/reissue': 1 });
  });

  test('before the CA acted is followed by one that waits long enough to see it', async () => {
    const world = await ended('acted', { call: 'cert/new', kind: 'hold' });
    await world.operator();
    await world.pass(QUIET_MS - 5_000);
    stage.dev.release();
    await world.call(({ call, late }) => call === 'cert/new' && late === true);

    await world.pass(10_000);

    await expectBoughtOnce(world, 'acted');
  });

  test('before it fetched its certificate is followed by one that does', async () => {
    const world = await ended('fetch', { call: 'cert/get', kind: 'hold', times: 2 });
    stage.dev.release();
    await world.operator();

    await world.pass(QUIET_MS + 5_000);

    await expectBoughtOnce(world, 'fetch');
  });

  test('between the Secret and the status is followed by one that trusts the Secret', async () => {
    const { world } = await diesBeforeStatus(stage, 'between');
    expect((await world.get(certificates, 'between')).status?.certificateId).toBeUndefined();
    expect((await journalOf(world)).attempts).toHaveLength(1);
    await world.operator();

    await world.pass(QUIET_MS + 5_000);

    await expectBoughtOnce(world, 'between');
    expect((await journalOf(world)).attempts).toEqual([]);
  });
});

describe('a reissue without an answer', () => {
  test.each<[string, FaultEffect, number]>([
    ['that the CA made is adopted by its key', { kind: 'reset-after' }, 1],
    ['that the CA did not make is repeated', { kind: 'reset-before' }, 2],
  ])('%s', async (_, effect, calls) => {
    const { world, id } = await issued(stage, '1h');
    stage.dev.addFault({ call: 'cert/reissue', ...effect });

    await world.pass(45 * 60_000);

    const successors = stage.dev.certificates().filter(({ previousId }) => previousId === id);
    expect(successors).toHaveLength(1);
    await expectServed(world, 'web', successors[0]);
    expect(world.calls()).toMatchObject({ 'cert/new': 1, 'cert/reissue': calls });
  });
});

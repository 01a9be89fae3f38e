/** The CA's direct answers are believed no more than its list. */
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { certificates } from '../../src/api/kinds.ts';
import { secrets } from '../../src/kube/objects.ts';
import { events } from '../support/world/crds.ts';
import { bought, expectBoughtOnce, expectServed, QUIET_MS } from '../support/world/lost-answers.ts';
import { issued } from '../support/world/scenario.ts';
import type { TestOperator } from '../support/world/operator.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { type World, aWorld } from '../support/world/world.ts';
import { filesOf } from '../support/x509/openssl.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ otherCustomers: 0 });
});
afterAll(() => stage.close());
beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

const MINUTE = 60_000;

/** A world with a certificate `first` that is Ready, and an operator at rest. */
async function withFirst(
  spec: object = {},
): Promise<{ world: World; operator: TestOperator; firstId: number }> {
  await stage.dev.setOptions({ validity: '90d' });
  const world = await aWorld(stage);
  await world.account();
  const operator = await world.operator();
  await world.certificate('first', spec);
  const { status } = await world.ready('first');
  await world.settled();
  return { world, operator, firstId: status?.certificateId ?? 0 };
}

async function keyOf(world: World, name: string): Promise<string> {
  return filesOf(await world.get(secrets, `${name}-tls`)).key;
}

async function reasons(world: World): Promise<string[]> {
  const { items } = await stage.kube.listAll(events, { namespace: world.namespace });
  return items.map(({ reason }) => reason);
}

describe('an answer that repeats that of another request', () => {
  test.each([
    ['for the same names', 'same.example.com', false],
    ['for other names', 'other.example.com', true],
  ])('%s gives no two resources one key', async (_, name, acts) => {
    const { world, firstId } = await withFirst({ dnsNames: ['same.example.com'] });
    stage.dev.addFault({ call: 'cert/new', kind: 'replay', acts });

    await world.certificate('second', { dnsNames: [name] });
    await world.settled();
    expect(await reasons(world)).toContain('AnswerDoubted');
    await world.pass(QUIET_MS + 5_000);

    const { status } = await world.ready('second');
    expect(status?.certificateId).toBeGreaterThan(firstId);
    expect(await keyOf(world, 'second')).not.toBe(await keyOf(world, 'first'));
    // What the request bought is found if it did buy something; else it is made again.
    expect(world.calls()).toMatchObject({ 'cert/new': acts ? 2 : 3 });
  });

  test('twice in a row buys nothing more and says what to do, and another request is made after a change', async () => {
    const { world } = await withFirst();
    stage.dev.addFault({ call: 'cert/new', kind: 'replay', times: 2 });
    await world.certificate('second');

    await world.pass(30 * MINUTE);

    expect(await world.says(certificates, 'second')).toEqual([
      expect.stringMatching(/^Ready=False AnswersDoubted: .*delete the resource and create it again\.$/),
      expect.stringMatching(/^Issuing=False AnswersDoubted: /),
    ]);
    expect(world.calls()).toMatchObject({ 'cert/new': 3 });
    expect(bought(stage, 'second.example.com')).toEqual([]);

    await world.patch(certificates, 'second', { spec: { dnsNames: ['changed.example.com'] } });
    await world.settled();
    await world.pass(5_000);
    await world.ready('second');
    expect(bought(stage, 'changed.example.com')).toHaveLength(1);
  });

  test('of a reissue keeps the key, and nothing is bought', async () => {
    await withFirst();
    const { world, id } = await issued(stage, '1h');
    const key = await keyOf(world, 'web');
    const foreign = await stage.dev.issueByHand({ cn: 'foreign.example.com' });
    stage.dev.addFault({
      call: 'cert/reissue',
      kind: 'not-json',
      body: `{"cert_id":${foreign.id}}`,
      acts: true,
    });

    await world.pass(50 * MINUTE);

    expect(await reasons(world)).toContain('AnswerDoubted');
    expect(await keyOf(world, 'web')).toBe(key);
    const { status } = await world.ready('web');
    expect(status?.certificateId).toBeGreaterThan(id);
    expect(status?.certificateId).not.toBe(foreign.id);
    expect(world.calls()).toMatchObject({ 'cert/new': 1, 'cert/reissue': 1 });
  });

  test('after a restart is in doubt too', async () => {
    const { world, operator, firstId } = await withFirst();
    await operator.stop();
    stage.dev.addFault({ call: 'cert/new', kind: 'not-json', body: `{"cert_id":${firstId}}`, acts: true });
    await world.operator();
    await world.certificate('second');
    await world.pass(QUIET_MS + 10_000);

    await expectServed(world, 'second', bought(stage, 'second.example.com')[0]);
    expect(await keyOf(world, 'second')).not.toBe(await keyOf(world, 'first'));
  });
});

describe('an answer with a certificate for other names', () => {
  test('leads each resource to its own certificate if another one is asking for these names', async () => {
    const { world } = await withFirst();
    const match = (name: string) => ({ match: { CN: `${name}.example.com` } });
    stage.dev.addFault({ call: 'cert/new', kind: 'hold', when: 'after', ...match('one') });
    await world.certificate('one');
    await world.call(({ held }) => held === true);
    const body = `{"cert_id":${bought(stage, 'one.example.com')[0]?.id}}`;
    stage.dev.addFault({ call: 'cert/new', kind: 'not-json', body, acts: true, ...match('two') });
    await world.certificate('two');
    await world.call(({ call, params }) => call === 'cert/get' && params['what'] === 'key.dec');
    await world.settled();
    stage.dev.release();
    await world.settled();
    await world.ready('one');
    await world.pass(QUIET_MS + 5_000);

    for (const name of ['one', 'two']) {
      const [only, ...others] = bought(stage, `${name}.example.com`);
      expect(others).toEqual([]);
      await expectServed(world, name, only);
    }
  });
});

describe('one wrong line with a huge id in the list', () => {
  test('does not hide what a request bought whose answer was lost', async () => {
    const world = await aWorld(stage);
    await world.account();
    stage.dev.addFault({ call: 'cert/list', kind: 'stray-line', id: Number.MAX_SAFE_INTEGER });
    stage.dev.addFault({ call: 'cert/new', kind: 'reset-after' });
    await world.operator();
    await world.certificate('hidden');
    await world.pass(QUIET_MS + 10_000);

    await expectBoughtOnce(world, 'hidden');
  });

  test('makes nothing be bought twice, and puts no later answer in doubt', async () => {
    const world = await aWorld(stage);
    await world.account();
    stage.dev.addFault({ call: 'cert/list', kind: 'stray-line', id: Number.MAX_SAFE_INTEGER });
    await world.operator();
    await world.certificate('stray');
    await world.pass(QUIET_MS + 10_000);

    const [only, ...others] = bought(stage, 'stray.example.com');
    expect(others).toEqual([]);
    await expectServed(world, 'stray', only);
    const mark = world.mark();

    await world.certificate('later');
    await world.settled();
    await world.ready('later');
    expect(world.calls(mark)).toEqual({ 'cert/new': 1, 'cert/get': 2 });
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { certificates } from '../../src/api/kinds.ts';
import { secrets } from '../../src/kube/objects.ts';
import { bought, expectServed, QUIET_MS, wanted } from '../support/world/lost-answers.ts';
import { issued } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import type { World } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

describe('a recovery', () => {
  test('previousBeforeList: reads the previous certificate before the list', async () => {
    const { world } = await issued(stage, '1h');
    stage.dev.addFault({ call: 'cert/reissue', kind: 'reset-after' });
    const mark = world.mark();

    await world.pass(45 * 60_000);

    const looks = stage.dev
      .journal(mark)
      .map(({ call }) => call)
      .filter((call) => call.startsWith('cert/'));
    const look = looks.indexOf('cert/details', looks.indexOf('cert/reissue'));
    expect(looks.slice(look, look + 2)).toEqual(['cert/details', 'cert/list']);
    expect(looks.filter((call) => call === 'cert/reissue')).toHaveLength(1);
  });

  test('listBeforeCluster: reads the CA’s list before the cluster’s', async () => {
    const { world, operator } = await wanted(stage, 'order', { call: 'cert/new', kind: 'reset-after' });
    await world.pass(QUIET_MS - 5_000);
    const before = world.mark();
    const atCluster: string[][] = [];
    operator.traffic.onAnswer = ({ method, resource, name }) => {
      if (method === 'GET' && resource === 'tinycertcertificates' && name === undefined)
        atCluster.push(stage.dev.journal(before).map(({ call }) => call));
    };

    await world.pass(10_000);

    await expectServed(world, 'order', bought(stage, 'order.example.com')[0]);
    expect(atCluster).toHaveLength(1);
    expect(atCluster[0]).toContain('cert/list');
    expect(atCluster[0]).not.toContain('cert/new');
  });

  test.each<[string, string, (world: World) => Promise<unknown>]>([
    [
      'its resource',
      'live-a',
      (world) => world.patch(certificates, 'live-a', { metadata: { annotations: { note: 'changed' } } }),
    ],
    [
      'its Secret',
      'live-b',
      (world) => world.create(secrets, 'live-b-tls', { type: 'Opaque', stringData: { note: 'not ours' } }),
    ],
  ])('liveGet: starts over if somebody else changed %s meanwhile', async (_, name, change) => {
    const { world } = await wanted(stage, name, { call: 'cert/new', kind: 'reset-after' });
    await world.pass(QUIET_MS - 5_000);
    stage.dev.addFault({ call: 'cert/details', kind: 'hold' });
    await world.pass(6_000);
    await world.call(({ call, held }) => call === 'cert/details' && held === true);

    await change(world);
    const mark = world.mark();
    stage.dev.release();
    await world.settled();
    await world.delete(secrets, `${name}-tls`).catch(() => undefined);
    await world.pass(120_000);

    const [only, ...others] = bought(stage, `${name}.example.com`);
    expect(others).toEqual([]);
    await expectServed(world, name, only);
    const looks = world.calls(mark);
    expect(looks).toMatchObject({ 'cert/details': 1 });
  });

  test('notLatestRecovers: adopts what a person reissued, and requests no new key', async () => {
    const { world, id } = await issued(stage, '1h');
    const byHand = stage.dev.reissueByHand(id);

    await world.pass(45 * 60_000);

    expect(world.calls()).toMatchObject({ 'cert/new': 1 });
    expect((await world.ready('web')).status?.certificateId).toBeGreaterThanOrEqual(byHand.id);
  });
});

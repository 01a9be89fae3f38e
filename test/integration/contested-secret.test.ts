import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { certificates } from '../../src/api/kinds.ts';
import { secrets } from '../../src/kube/objects.ts';
import { complaints, issued } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import type { World } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

const MINUTE = 60_000;

/** Changes the Secret of `web` whenever a certificate is being fetched for it. Returns the function that ends this. */
function contest(world: World): () => Promise<void> {
  const over = new AbortController();
  let seen = world.mark();
  const run = async (): Promise<void> => {
    for (let count = 0; !over.signal.aborted; await pause(1)) {
      const fetched = stage.dev.journal(seen).find(({ call }) => call === 'cert/get');
      if (!fetched) continue;
      seen = fetched.seq;
      count += 1;
      const annotations = { 'example.com/count': `${count}` };
      await stage.kube.mergePatch(secrets, world.ref('web-tls'), { metadata: { annotations } });
    }
  };
  const ended = run();
  return () => {
    over.abort();
    return ended;
  };
}

test('a Secret that something else changes during each fetch costs few calls, and is right once that ends', async () => {
  const { world, operator } = await issued(stage, '90d');
  stage.dev.addFault({ call: 'cert/get', kind: 'delay', ms: 100, times: 'forever' });
  const mark = world.mark();
  const end = contest(world);
  await world.patch(certificates, 'web', { spec: { dnsNames: ['two.example.com'] } });
  await world.pass(10_000);

  const calls = world.calls(mark);
  expect(calls['cert/new']).toBe(1);
  // Three times without a pause, as after a change by a person, and then after 5 s.
  expect(calls['cert/get']).toBeLessThanOrEqual(10);

  await end();
  stage.dev.clearFaults();
  await world.pass(15 * MINUTE);
  expect((await world.says(certificates, 'web'))[0]).toContain('Ready=True');
  expect(world.calls(mark)['cert/new']).toBe(1);
  expect(complaints(operator)).toEqual([]);
});

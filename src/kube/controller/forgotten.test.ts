import { expect, test } from 'vitest';
import { setUp } from '../../../test/support/kube/queue.ts';
import { silentLog } from '../../lib/log.ts';
import { createMetrics } from '../../metrics/registry.ts';
import { runController } from './controller.ts';

test('the failures of a key are forgotten with it, although its retry is dropped', async () => {
  const { clock, queue } = setUp();
  const counted: number[] = [];
  const end = new AbortController();
  const running = runController(
    {
      name: 'test',
      queue,
      concurrency: 1,
      reconcile: (_, { failures }) => {
        counted.push(failures);
        return Promise.reject(new Error('down'));
      },
      clock,
      log: silentLog,
      metrics: createMetrics().controller,
    },
    end.signal,
  );
  queue.add('ns/a');
  await clock.advance(1_500);
  queue.forget('ns/a');
  await clock.advance(600_000);
  queue.add('ns/a');
  await clock.advance(0);
  expect(counted).toEqual([0, 1, 0]);
  end.abort();
  await running;
});

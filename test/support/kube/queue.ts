import { WorkQueue } from '../../../src/kube/controller/queue.ts';
import { VirtualClock } from '../virtual-clock.ts';

/** An empty queue and its clock. */
export function setUp(options: { owns?: (key: string) => boolean } = {}): {
  clock: VirtualClock;
  queue: WorkQueue;
} {
  const clock = new VirtualClock();
  return { clock, queue: new WorkQueue({ clock, name: 'test', ...options }) };
}

/** All keys that are ready now, in the queue's order; each is done at once. */
export async function drain(queue: WorkQueue): Promise<string[]> {
  const keys: string[] = [];
  while (queue.depth > 0) {
    const { key } = await queue.next();
    queue.done(key);
    keys.push(key);
  }
  return keys;
}

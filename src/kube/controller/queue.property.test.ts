import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { type QueueItem, WorkQueue } from './queue.ts';

const KEYS = ['a', 'b', 'c', 'd'] as const;

/** A model of the queue without heaps or timers: it checks all keys at every step. */
class Model {
  readonly pending = new Map<string, { due: number; wallDue: number; priority: number; order: number }>();
  readonly running = new Set<string>();
  #order = 0;

  add(key: string, due: number, wallDue: number, priority: number): void {
    const known = this.pending.get(key);
    this.pending.set(key, {
      due: Math.min(known?.due ?? Infinity, due),
      wallDue: Math.min(known?.wallDue ?? Infinity, wallDue),
      priority: Math.min(known?.priority ?? Infinity, priority),
      order: known?.order ?? this.#order++,
    });
  }

  ready(now: number, wall: number): string[] {
    return [...this.pending]
      .filter(([key, { due, wallDue }]) => !this.running.has(key) && (due <= now || wallDue <= wall))
      .map(([key]) => key);
  }

  take(key: string): void {
    this.pending.delete(key);
    this.running.add(key);
  }
}

const key = fc.constantFrom(...KEYS);
const step = fc.oneof(
  fc.record({
    kind: fc.constant('add' as const),
    key,
    afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 50 })),
    priority: fc.constantFrom(0, 0, 100),
  }),
  fc.record({ kind: fc.constant('addAt' as const), key, inMs: fc.integer({ min: -20, max: 80 }) }),
  fc.record({ kind: fc.constant('next' as const) }),
  fc.record({ kind: fc.constant('done' as const), pick: fc.nat(3) }),
  fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 40 }) }),
);

test('the queue behaves like the model: no key runs twice at once, no add is lost or doubled, the most urgent key goes first', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
      const clock = new VirtualClock();
      const queue = new WorkQueue({ clock, name: 'test' });
      const model = new Model();

      async function takeOne(): Promise<void> {
        const ready = model.ready(clock.monotonic(), clock.now());
        if (ready.length === 0) return;
        const item = await queue.next();
        expect(ready).toContain(item.key);
        const urgency = (one: string): number => model.pending.get(one)?.priority ?? Infinity;
        expect(urgency(item.key)).toBe(Math.min(...ready.map(urgency)));
        model.take(item.key);
      }

      for (const one of steps) {
        if (one.kind === 'add') {
          queue.add(one.key, { afterMs: one.afterMs, priority: one.priority });
          model.add(one.key, clock.monotonic() + one.afterMs, Infinity, one.priority);
        } else if (one.kind === 'addAt') {
          queue.addAt(one.key, clock.now() + one.inMs);
          model.add(one.key, Infinity, clock.now() + one.inMs, 0);
        } else if (one.kind === 'advance') {
          await clock.advance(one.ms);
        } else if (one.kind === 'done') {
          const chosen = [...model.running][one.pick % Math.max(1, model.running.size)];
          if (chosen !== undefined) {
            queue.done(chosen);
            model.running.delete(chosen);
          }
        } else {
          await takeOne();
        }
        expect(queue.depth).toBe(model.ready(clock.monotonic(), clock.now()).length);
      }

      for (const left of model.running) queue.done(left);
      model.running.clear();
      await clock.advance(200);
      while (model.pending.size > 0) await takeOne();
      expect(queue.depth + queue.delayed).toBe(0);
      expect(clock.pending).toBe(0);
    }),
    { numRuns: 200 },
  );
});

test('waiting workers get each add once, whatever they do meanwhile', async () => {
  const work = fc.record({
    key,
    afterMs: fc.integer({ min: 0, max: 30 }),
    takesMs: fc.integer({ min: 0, max: 30 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(work, { minLength: 1, maxLength: 25, size: 'max' }),
      fc.integer({ min: 1, max: 3 }),
      async (adds, workers) => {
        const clock = new VirtualClock();
        const queue = new WorkQueue({ clock, name: 'test' });
        const stop = new AbortController();
        const inside = new Set<string>();
        const startedAt = new Map<string, number>();

        async function worker(): Promise<void> {
          for (;;) {
            let item: QueueItem;
            try {
              item = await queue.next(stop.signal);
            } catch {
              return;
            }
            expect(inside.has(item.key)).toBe(false);
            inside.add(item.key);
            startedAt.set(item.key, clock.monotonic());
            await clock.sleep(adds.find((one) => one.key === item.key)?.takesMs ?? 0);
            inside.delete(item.key);
            queue.done(item.key);
          }
        }

        const running = Array.from({ length: workers }, worker);
        const wantedAfter = new Map<string, number>();
        for (const one of adds) {
          queue.add(one.key, { afterMs: one.afterMs });
          wantedAfter.set(one.key, clock.monotonic());
          await clock.advance(7);
        }
        await clock.advance(5000);
        for (const [one, at] of wantedAfter) expect(startedAt.get(one)).toBeGreaterThanOrEqual(at);
        expect(inside.size + queue.depth + queue.delayed).toBe(0);
        stop.abort();
        await Promise.all(running);
      },
    ),
    { numRuns: 40 },
  );
});

test('50,000 keys over a year are all due at their hour, with one timer', async () => {
  const clock = new VirtualClock();
  const queue = new WorkQueue({ clock, name: 'test' });
  const hour = 3_600_000;
  for (let i = 0; i < 50_000; i += 1)
    queue.add(`ns/key-${i}`, { afterMs: (1 + ((i * 7919) % 24)) * 365 * hour });
  expect(clock.pending).toBe(1);
  const counts: number[] = [];
  for (let month = 0; month < 24; month += 1) {
    await clock.advance(365 * hour);
    counts.push(queue.depth);
  }
  expect(counts.at(-1)).toBe(50_000);
  expect(counts.every((count, index) => count >= (50_000 / 24) * (index + 1) - 24)).toBe(true);
});

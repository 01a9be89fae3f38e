import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Heap, type HeapItem } from './heap.ts';

interface Ranked extends HeapItem {
  rank: number;
}

const step = fc.oneof(
  fc.record({ kind: fc.constant('push' as const), rank: fc.integer({ min: 0, max: 20 }) }),
  fc.record({ kind: fc.constant('pop' as const) }),
  fc.record({ kind: fc.constant('remove' as const), at: fc.nat(30) }),
  fc.record({ kind: fc.constant('update' as const), at: fc.nat(30), rank: fc.integer({ min: 0, max: 20 }) }),
);

test('after any steps the first item is the least, and each item has its place', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
      const heap = new Heap<Ranked>((a, b) => a.rank < b.rank);
      const model: Ranked[] = [];
      const all: Ranked[] = [];
      const least = (): number => Math.min(...model.map((item) => item.rank));
      for (const one of steps) {
        const chosen = 'at' in one ? model[one.at % Math.max(1, model.length)] : undefined;
        if (one.kind === 'push') {
          const item = { rank: one.rank, place: -1 };
          heap.push(item);
          model.push(item);
          all.push(item);
        } else if (one.kind === 'pop') {
          const item = heap.pop();
          if (item) model.splice(model.indexOf(item), 1);
        } else if (chosen && one.kind === 'remove') {
          heap.remove(chosen);
          model.splice(model.indexOf(chosen), 1);
        } else if (chosen && one.kind === 'update') {
          chosen.rank = one.rank;
          heap.update(chosen);
        }
        expect(heap.size).toBe(model.length);
        expect(heap.peek()?.rank ?? Infinity).toBe(least());
        expect(all.filter((item) => heap.has(item))).toEqual(all.filter((item) => model.includes(item)));
      }
      expect(heap.size).toBe(model.length);
      const drained = Array.from({ length: heap.size }, () => heap.pop()?.rank);
      expect(drained).toEqual(drained.toSorted((a, b) => (a ?? 0) - (b ?? 0)));
    }),
  );
});

test('a cleared heap is empty', () => {
  const heap = new Heap<Ranked>((a, b) => a.rank < b.rank);
  const item = { rank: 1, place: -1 };
  heap.push(item);
  heap.clear();
  expect(heap.size).toBe(0);
  expect(heap.has(item)).toBe(false);
  expect(heap.pop()).toBeUndefined();
});

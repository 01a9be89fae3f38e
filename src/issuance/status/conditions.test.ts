import { expect, test } from 'vitest';
import { conditionOf, sameConditions, says, withConditions } from './conditions.ts';

const at = Date.parse('2026-01-01T00:00:00Z');
const ready = { type: 'Ready', status: 'False', reason: 'Issuing', message: 'wait' } as const;

test('a new condition gets the time and the generation', () => {
  expect(withConditions(undefined, [ready], { now: at, generation: 3 })).toEqual([
    { ...ready, lastTransitionTime: '2026-01-01T00:00:00Z', observedGeneration: 3 },
  ]);
});

test('the transition time stays while the status stays, whatever else changes', () => {
  const first = withConditions(undefined, [ready], { now: at, generation: 1 });
  const second = withConditions(first, [{ ...ready, reason: 'Other' }], { now: at + 60_000, generation: 2 });
  expect(second[0]?.lastTransitionTime).toBe('2026-01-01T00:00:00Z');
  const third = withConditions(second, [{ ...ready, status: 'True' }], { now: at + 60_000, generation: 2 });
  expect(third[0]?.lastTransitionTime).toBe('2026-01-01T00:01:00Z');
});

test('conditions of other controllers stay, removed ones go', () => {
  const present = withConditions(
    undefined,
    [ready, { ...ready, type: 'Issuing' }, { ...ready, type: 'Theirs' }],
    {
      now: at,
      generation: 1,
    },
  );
  const next = withConditions(present, [ready], { now: at, generation: 1, removed: ['Issuing'] });
  expect(next.map(({ type }) => type)).toEqual(['Theirs', 'Ready']);
  expect(conditionOf(next, 'Issuing')).toBeUndefined();
});

test('lists with the same conditions are the same, whatever their order and times', () => {
  const a = withConditions(undefined, [ready, { ...ready, type: 'Issuing' }], { now: at, generation: 1 });
  const b = withConditions(undefined, [{ ...ready, type: 'Issuing' }, ready], {
    now: at + 1000,
    generation: 1,
  });
  expect(sameConditions(a, b)).toBe(true);
  expect(sameConditions(a, withConditions(a, [ready], { now: at, generation: 2 }))).toBe(false);
});

test('what a list says already is the same words for the same generation, with nothing that is to go', () => {
  const list = withConditions(undefined, [ready], { now: at, generation: 1 });
  expect(says(list, [ready], { generation: 1 })).toBe(true);
  expect(says(list, [{ ...ready, message: 'other' }], { generation: 1 })).toBe(false);
  expect(says(list, [ready], { generation: 2 })).toBe(false);
  expect(says(list, [], { generation: 1, removed: ['Ready'] })).toBe(false);
  expect(says(undefined, [], { generation: 1, removed: ['Ready'] })).toBe(true);
});

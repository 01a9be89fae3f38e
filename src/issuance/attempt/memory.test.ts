import { expect, test } from 'vitest';
import { AttemptMemory, boughtBy } from './memory.ts';

const timing = { sendWindow: 5, callDeadline: 20, lateExecution: 20 };

test('an attempt is remembered from when it was first seen until it is forgotten', () => {
  const memory = new AttemptMemory<number>();
  const knownAt = (id: string, now: number) => memory.knowledgeOf(id, now, timing);
  expect(knownAt('a', 100)).toEqual({ quietAt: 145, progress: { is: 'open' } });
  expect(knownAt('a', 200)).toMatchObject({ quietAt: 145 });
  memory.bought('a', 300, 7);
  memory.prepared('b', 400);
  expect(knownAt('a', 500)).toEqual({ quietAt: 145, progress: { is: 'bought', bought: 7 } });
  expect(knownAt('b', 500)).toEqual({ quietAt: 445, progress: { is: 'unsent' } });
  memory.sent('b');
  expect(knownAt('b', 500)).toEqual({ quietAt: 445, progress: { is: 'open' } });
  memory.fruitless('b', 600);
  expect(knownAt('b', 700)).toEqual({ quietAt: 445, progress: { is: 'fruitless' } });
  expect([boughtBy(knownAt('a', 500)), boughtBy(knownAt('b', 500)), boughtBy(undefined)]).toEqual([
    7,
    undefined,
    undefined,
  ]);
  memory.forget('a');
  memory.forget('b');
  expect(memory.size).toBe(0);
});

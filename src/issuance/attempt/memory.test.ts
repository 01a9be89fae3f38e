import { expect, test } from 'vitest';
import { AttemptMemory, boughtBy } from './memory.ts';

const timing = { sendWindow: 5, callDeadline: 20, lateExecution: 20 };

test('an attempt is remembered from when it was first seen until it is forgotten', () => {
  const memory = new AttemptMemory<number>();
  const knownAt = (id: string, now: number) => memory.knowledgeOf(id, now, timing, 'uid');
  expect(knownAt('a', 100)).toEqual({ quietAt: 145, progress: { is: 'open' } });
  expect(knownAt('a', 200)).toMatchObject({ quietAt: 145 });
  memory.bought('a', 7);
  memory.prepared('b', 400, 'uid');
  expect(knownAt('a', 500)).toEqual({ quietAt: 145, progress: { is: 'bought', bought: 7 } });
  expect(knownAt('b', 500)).toEqual({ quietAt: 445, progress: { is: 'unsent' } });
  memory.sent('b');
  expect(knownAt('b', 500)).toEqual({ quietAt: 445, progress: { is: 'open' } });
  memory.fruitless('b');
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

test('nothing is remembered of the attempts of a resource that is gone, and of no others', () => {
  const memory = new AttemptMemory<number>();
  memory.prepared('a', 0, 'gone');
  memory.prepared('b', 0, 'gone');
  memory.prepared('c', 0, 'kept');
  memory.forget('b');
  memory.forgetOwner('gone');
  memory.sent('a');
  memory.unsent('a');
  memory.bought('a', 7);
  memory.fruitless('a');
  expect(memory.size).toBe(1);
  memory.forgetOwner('kept');
  expect(memory.size).toBe(0);
});

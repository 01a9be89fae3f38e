import { expect, test } from 'vitest';
import { AttemptMemory } from './memory.ts';

const timing = { sendWindow: 5, callDeadline: 20, lateExecution: 20 };

test('knowledge of an attempt counts from its first sight and ends with the attempt', () => {
  const memory = new AttemptMemory<number>();
  const knownAt = (id: string, now: number) => memory.knowledgeOf(id, now, timing);
  expect(knownAt('a', 100)).toMatchObject({ quietAt: 145, unsent: false });
  expect(knownAt('a', 200)).toMatchObject({ quietAt: 145 });
  memory.bought('a', 300, 7);
  memory.prepared('b', 400);
  expect(knownAt('a', 500)).toMatchObject({ quietAt: 145, bought: 7 });
  expect(knownAt('b', 500)).toMatchObject({ quietAt: 445, unsent: true });
  memory.sent('b');
  expect(knownAt('b', 500)).toMatchObject({ quietAt: 445, unsent: false });
  memory.forget('a');
  memory.forget('b');
  expect(memory.size).toBe(0);
});

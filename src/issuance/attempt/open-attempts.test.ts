import { describe, expect, test } from 'vitest';
import { OpenAttempts } from './open-attempts.ts';

const timing = { sendWindow: 5, callDeadline: 30, lateExecution: 10 };

describe('what a process knows of an attempt', () => {
  test('goes from not sent to open to bought, and its clock starts once', () => {
    const attempts = new OpenAttempts<string>();
    attempts.prepared('uid', 'a', 100);
    expect(attempts.knowledgeOf('uid', 'a', 200, timing)).toEqual({
      quietAt: 145,
      progress: { is: 'unsent' },
    });
    attempts.sent('uid', 'a', 300);
    expect(attempts.knowledgeOf('uid', 'a', 400, timing)).toEqual({ quietAt: 145, progress: { is: 'open' } });
    attempts.bought('uid', 'a', 500, 'pem');
    expect(attempts.knowledgeOf('uid', 'a', 600, timing).progress).toEqual({ is: 'bought', bought: 'pem' });
  });

  test('of another process is that it may have been sent, from the moment at which it was seen first', () => {
    const attempts = new OpenAttempts<string>();
    expect(attempts.knowledgeOf('uid', 'a', 100, timing)).toEqual({ quietAt: 145, progress: { is: 'open' } });
    expect(attempts.knowledgeOf('uid', 'a', 120, timing).quietAt).toBe(145);
  });

  test('says nothing of another attempt of the same resource', () => {
    const attempts = new OpenAttempts<string>();
    attempts.bought('uid', 'a', 100, 'pem');
    expect(attempts.knowledgeOf('uid', 'b', 200, timing)).toEqual({ quietAt: 245, progress: { is: 'open' } });
  });

  test('is one note for each resource, which can be forgotten', () => {
    const attempts = new OpenAttempts<string>();
    for (const id of ['a', 'b', 'c']) attempts.prepared('uid', id, 100);
    expect(attempts.size).toBe(1);
    attempts.forget('uid');
    expect(attempts.size).toBe(0);
  });
});

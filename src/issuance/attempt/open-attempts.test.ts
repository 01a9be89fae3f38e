import { describe, expect, test } from 'vitest';
import { boughtBy, OpenAttempts } from './open-attempts.ts';

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

  test('is that a recovery found nothing, until it is sent again', () => {
    const attempts = new OpenAttempts<string>();
    attempts.sent('uid', 'a', 100);
    attempts.fruitless('uid', 'a', 200);
    expect(attempts.knowledgeOf('uid', 'a', 300, timing)).toEqual({
      quietAt: 145,
      progress: { is: 'fruitless' },
    });
    attempts.sent('uid', 'a', 400);
    expect(attempts.knowledgeOf('uid', 'a', 500, timing).progress).toEqual({ is: 'open' });
  });

  test('stays known when its entry goes on under another id, and its clock goes on', () => {
    const attempts = new OpenAttempts<string>();
    attempts.bought('uid', 'a', 100, 'pem');
    attempts.renamed('uid', 'a', 'b');
    expect(attempts.knowledgeOf('uid', 'b', 200, timing)).toEqual({
      quietAt: 145,
      progress: { is: 'bought', bought: 'pem' },
    });
    // The write of the other id may have failed.
    expect(attempts.knowledgeOf('uid', 'a', 200, timing).progress).toEqual({ is: 'bought', bought: 'pem' });
    attempts.renamed('uid', 'a', 'c');
    expect(attempts.knowledgeOf('uid', 'c', 200, timing).progress).toEqual({ is: 'bought', bought: 'pem' });
    // Nothing was known of this one.
    attempts.renamed('uid', 'other', 'd');
    expect(attempts.knowledgeOf('uid', 'd', 300, timing)).toEqual({ quietAt: 345, progress: { is: 'open' } });
    attempts.renamed('none', 'a', 'b');
    expect(attempts.size).toBe(1);
  });

  test('is one note for each owner, which can be forgotten', () => {
    const attempts = new OpenAttempts<string>();
    for (const id of ['a', 'b', 'c']) attempts.prepared('uid', id, 100);
    expect(attempts.size).toBe(1);
    attempts.forget('uid');
    expect(attempts.size).toBe(0);
  });

  test('is kept apart by account, and found by the resource', () => {
    const attempts = new OpenAttempts<string>();
    attempts.prepared('uid.one', 'a', 100);
    attempts.sent('uid.two', 'b', 200);
    attempts.sent('uid-2.one', 'c', 300);
    attempts.sent('alone', 'd', 400);
    expect(attempts.knowledgeOf('uid.one', 'a', 500, timing).progress).toEqual({ is: 'unsent' });
    expect(attempts.ownersOf('uid')).toEqual(['uid.one', 'uid.two']);
    expect(attempts.ownersOf('alone')).toEqual(['alone']);
    attempts.forget('uid.one');
    expect(attempts.ownersOf('uid')).toEqual(['uid.two']);
  });
});

test('what an attempt bought is known once the CA has answered', () => {
  expect(boughtBy({ quietAt: 0, progress: { is: 'bought', bought: 'pem' } })).toBe('pem');
  expect(boughtBy({ quietAt: 0, progress: { is: 'open' } })).toBeUndefined();
  expect(boughtBy(undefined)).toBeUndefined();
});

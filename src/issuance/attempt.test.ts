import { expect, test } from 'vitest';
import { attempt, ISSUED, issued } from '../../test/support/inputs.ts';
import { AttemptMemory, isOpen, newAttempt } from './attempt.ts';

const names = { commonName: 'www.example.com', dns: ['www.example.com'], ip: [], uri: [], email: [] };
const request = { authorityId: 1, names, subject: { country: 'NL', organization: 'Example' } };
const wish = {
  operation: 'New',
  request,
  specHash: 'v1:x',
  reason: 'DoesNotExist',
  afterId: 9,
} as const;

test('a first attempt is number one and reaches back to what is known', () => {
  expect(newAttempt(wish, undefined, 'pod', ISSUED)).toMatchObject({
    number: 1,
    afterId: 9,
    startTime: '2026-01-01T00:00:00.000Z',
    since: '2026-01-01T00:00:00.000Z',
    commonName: 'www.example.com',
  });
});

test('an attempt that replaces an open one keeps how far that one reached back', () => {
  expect(newAttempt(wish, { attempt }, 'pod', ISSUED + 60_000)).toMatchObject({
    number: 2,
    afterId: 5,
    since: attempt.since,
  });
});

test('an attempt after a concluded one, or at another authority, reaches back to what is known', () => {
  expect(newAttempt(wish, issued, 'pod', ISSUED).afterId).toBe(9);
  expect(
    newAttempt({ ...wish, request: { ...request, authorityId: 2 } }, { attempt }, 'pod', ISSUED).afterId,
  ).toBe(9);
});

test('only a reissue names the certificate it starts from', () => {
  expect(newAttempt({ ...wish, previousId: 7 }, undefined, 'pod', ISSUED)).not.toHaveProperty('previousId');
  expect(
    newAttempt({ ...wish, operation: 'Reissue', previousId: 7 }, undefined, 'pod', ISSUED).previousId,
  ).toBe(7);
});

test('two attempts never share an id', () => {
  expect(newAttempt(wish, undefined, 'pod', ISSUED).id).not.toBe(
    newAttempt(wish, undefined, 'pod', ISSUED).id,
  );
});

test.each([
  ['no attempt', {}, false],
  ['one without an answer', { attempt }, true],
  [
    'one whose certificate is not served yet',
    { certificateId: 6, attempt: { ...attempt, certificateId: 7 } },
    true,
  ],
  ['one whose certificate is served', issued, false],
  ['one that the CA refused', { attempt: { ...attempt, outcome: 'Refused' } }, false],
] as const)('%s: open is %s', (_, status, want) => {
  expect(isOpen(status)).toBe(want);
});

test('what is remembered of an attempt counts from when it was first seen, and ends with it', () => {
  const memory = new AttemptMemory();
  expect(memory.seen('a', 100)).toBe(100);
  expect(memory.seen('a', 200)).toBe(100);
  memory.bought('a', 300, 7);
  memory.prepared('b', 400);
  expect(memory.get('a')).toEqual({ seenAt: 100, certificateId: 7 });
  expect(memory.get('b')).toEqual({ seenAt: 400, unsent: true });
  memory.sent('b');
  expect(memory.get('b')).toEqual({ seenAt: 400, unsent: false });
  memory.forget('a');
  memory.forget('b');
  expect(memory.size).toBe(0);
});

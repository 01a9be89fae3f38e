import { expect, test } from 'vitest';
import { eventOf, exitCodeOf, lineOf, type TestResult } from './result.ts';

const passed: TestResult = { name: 'ingress', result: 'passed', seconds: 3.21, figures: { handshakes: 20 } };
const failed: TestResult = { name: 'leader', result: 'failed', seconds: 30, error: 'No leader.' };

test('a line of the program is an event, and anything else progress', () => {
  expect(eventOf(JSON.stringify({ kind: 'test', test: passed }))).toEqual({ kind: 'test', test: passed });
  expect(eventOf('(node:1) Warning: {')).toEqual({ kind: 'progress', line: '(node:1) Warning: {' });
  expect(eventOf('7')).toEqual({ kind: 'progress', line: '7' });
});

test('a test is one line, and a failure says why', () => {
  expect(lineOf(passed)).toBe('passed  ingress  (3.2 s)  handshakes 20');
  expect(lineOf(failed)).toBe('FAILED  leader  (30.0 s)\n    No leader.');
});

test('a run succeeds only if it had tests and all passed', () => {
  expect([[passed], [passed, failed], []].map(exitCodeOf)).toEqual([0, 1, 1]);
});

import { expect, test } from 'vitest';
import { count } from './vitest.ts';

const report = { numPassedTests: 3, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, success: true };

test.each([
  ['a green run', report, 0, { passed: 3, failed: 0 }],
  ['a failed test', { ...report, numFailedTests: 1, success: false }, 1, { passed: 3, failed: 1 }],
  ['a skipped test', { ...report, numPendingTests: 2 }, 0, { passed: 3, failed: 2 }],
  ['a file that does not load', { ...report, success: false }, 1, { passed: 3, failed: 1 }],
  ['a run without tests', { ...report, numPassedTests: 0 }, 0, { passed: 0, failed: 1 }],
  ['a run without a report', undefined, 1, { passed: 0, failed: 1 }],
])('%s is counted', (_, given, code, want) => {
  expect(count(given, code)).toEqual(want);
});

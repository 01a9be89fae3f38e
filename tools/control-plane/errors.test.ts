import { expect, test } from 'vitest';
import { ControlPlaneError, explain } from './errors.ts';

test('the text has the message, the details and every cause, in that order', () => {
  const error = new ControlPlaneError('DownloadFailed', 'No archive.', ['first', 'second'], {
    cause: new Error('no route'),
  });
  expect(explain(error)).toBe('No archive.\n  first\n  second\nno route');
});

test.each([
  [new Error('plain'), 'plain'],
  ['a text', 'a text'],
])('any thrown value gives a text', (thrown, want) => {
  expect(explain(thrown)).toBe(want);
});

import { expect, test } from 'vitest';
import { formatText } from './log-text.ts';

test.each(['plain text\n', '"a string"\n', 'null\n', ''])(
  'a line that is not a JSON object stays as it is: %j',
  (line) => {
    expect(formatText(line)).toBe(line);
  },
);

test('missing parts are left empty', () => {
  expect(formatText('{"msg":"m"}')).toBe('       m\n');
});

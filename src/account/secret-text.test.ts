import { expect, test } from 'vitest';
import { expectLinear, runsOf } from '../../test/support/scaling.ts';
import { credential } from './secret-text.ts';

/** The most that a Secret can contain. */
const to = 1024 * 1024;

function read(passphrase: string): string {
  const ref = { namespace: 'team', name: 'login' };
  return credential({ ref, found: true, version: '1', text: { passphrase } }, 'passphrase');
}

test.each([
  ['open sesame', 'open sesame'],
  ['open sesame\n', 'open sesame'],
  ['open sesame\r\n\n', 'open sesame'],
  ['\nopen\nsesame \n', '\nopen\nsesame '],
  ['\n', ''],
  ['', ''],
])('a credential is read without the line breaks at its end: %j', (text, want) => {
  expect(read(text)).toBe(want);
});

test.each(['\n', '\r\n'])('a credential of nothing but %j is read in linear time', (lineBreak) => {
  expectLinear(read, runsOf(lineBreak), { to });
});

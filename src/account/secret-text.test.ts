import { expect, test } from 'vitest';
import { expectLinear, runsOf } from '../../test/support/scaling.ts';
import { credential } from './secret-text.ts';

/** As much as a Secret holds. */
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
])('of the credential %j the line breaks at the end do not count', (text, want) => {
  expect(read(text)).toBe(want);
});

test.each(['\n', '\r\n'])('a credential of line breaks %j is read in linear time', (lineBreak) => {
  expectLinear(read, runsOf(lineBreak), { to });
});

import { expect, test } from 'vitest';
import { expectLinear, runsOf } from '../../test/support/scaling.ts';
import { type Answer, plainText, readAnswer } from './answer.ts';

/** The most bytes of an answer. */
const to = 1024 * 1024;
const context = { call: 'ccsr.php', clean: (text: string) => text, now: 0 };

function read(body: string): Answer {
  return readAnswer({ status: 200, headers: {}, body: Buffer.from(body, 'latin1') }, context);
}

test.each([
  ['a <b>bold</b> word', 'a bold word'],
  ['<a href="x\ny">a link</a>', 'a link'],
  ['1 < 2', '1 < 2'],
  ['1 > 2 < 3', '1 > 2 < 3'],
  ['a <<b>> c', 'a > c'],
])('the plain text of %j is %j', (text, want) => {
  expect(plainText(read(`403,${text}`))).toBe(want);
});

test.each([
  ['opening brackets', '<'],
  ['blanks', ' '],
  ['line breaks', '\n'],
  ['ampersands', '&#'],
  ['status lines', '\n403,'],
  ['beginnings of a web page', '<!doctype  '],
])('the text of an answer of %s is read in linear time', (_, part) => {
  const words = runsOf(part);
  expectLinear(
    (text) => plainText(read(text)),
    (size) => `403,${words(size)}`,
    { to },
  );
});

test.each([
  ['blanks', ' '],
  ['blank lines', ' \n'],
  ['digits', '1'],
])('an answer of nothing but %s is refused in linear time', (_, part) => {
  expectLinear(read, runsOf(part), { to });
});

import { describe, expect, test } from 'vitest';
import { expectLinear, runsOf } from '../../test/support/scaling.ts';
import { costOf } from './expression-cost.ts';
import { literalsOf } from './expression-literals.ts';
import { type Exception, slowExpressions } from './expressions.ts';

const file = 'src/lib/a.ts';

function check(source: string, allowed: readonly Exception[] = [], of = file): string[] {
  return slowExpressions([of], () => source, allowed);
}

describe('an expression is refused', () => {
  test.each([
    ['that ends in a repetition which may begin anywhere', /[\r\n]+$/],
    ['the same where only one alternative does so', /^[ \t]+|[ \t]+$/g],
    ['the same with a group', /(?:ab)*$/],
    ['the same with a number that has no end', /x{3,}$/],
    ['the same with a number that is large', /x{1,5000}$/],
    ['the same without regard to case', /x[A-Z]*y/i],
    ['that looks for an end which may not come', /<[^>]*>/g],
    ['the same over several lines', /a[\s\S]*?b/],
    ['that begins at a line and reads over lines', /^\s*x/m],
    ['with two repetitions of the same side by side', /^[A-Za-z0-9+/\s]*={0,2}\s*$/],
    ['with two that share one character', /^[a-f]+[f-z]+$/],
    ['with an optional sign between two', /(\d+\.?\d*|\.\d+)(s|m|h)/y],
    ['with a sign between two that both take it', /^(.*)=(.*)$/],
    ['with a repetition of a repetition', /^(?:a+)+$/],
    ['with a repetition of what may be empty', /^(?:a*b?)*$/],
    ['with a repetition of two that are alike', /^(?:a|a)*$/],
    ['with a repetition that a reference repeats', /^(a+)\1$/],
    ['with a repetition that a name repeats', /^(?<name>a+)\k<name>$/],
    ['with a repetition that may end without a match', /(?:a+b)*/g],
  ])('%s', (_, { source, flags }) => {
    expect(costOf(source, flags)).toBeDefined();
    expect(check(`export const a = /${source}/${flags};`)).toEqual([
      expect.stringContaining(`${file}:1: /${source}/${flags}: `),
    ]);
  });

  test('that looks around, which the check cannot judge', () => {
    expect(check('export const a = /a(?=b)/;')).toEqual([expect.stringContaining('looks around')]);
  });
});

test.each([
  ['one repetition from the beginning to the end', /^[A-Za-z0-9+/\s]*$/],
  ['one with nothing behind it', /\s+/g],
  ['one with a few signs behind it', /^[^@]+@[^@]+$/u],
  ['one behind a word that it does not take', /-----BEGIN [A-Z ]+-----/],
  ['one at the beginning of a line that stays on the line', /^[ \t]*(\d{3}),([^\n]*)/m],
  ['one whose parts are told apart by a dot', /^([a-z]([a-z-]{0,20}[a-z])?[.])*[a-z]+$/],
  ['groups of four', /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==)?$/],
  ['several from one place on', /\d+(?:\.\d*)?/y],
  ['a small number', /x{1,64}$/],
  ['a reference to a word', /^(['"])[a-z]*\1$/],
  ['nothing that repeats', /\.$/],
])('an expression with %s passes', (_, { source, flags }) => {
  expect(costOf(source, flags)).toBeUndefined();
});

test('a refused expression takes more than linear time indeed', () => {
  const read = (text: string): boolean => /[\r\n]+$/.test(text);

  expect(() => expectLinear(read, runsOf('\n'), { to: 16 * 1024 })).toThrow(/not linear/);
});

test('an exception is for one expression of one file', () => {
  const exception = { file, expression: 'x+$', reason: 'a flag of the administrator' };

  expect(check('export const a = /x+$/;', [exception])).toEqual([]);
  expect(check('export const a = /y+$/;', [exception])).toHaveLength(2);
  expect(check('export const a = /x+$/;', [exception], 'src/lib/b.ts')).toHaveLength(2);
});

test('an exception that no expression needs is refused', () => {
  expect(check('', [{ file, expression: 'x+$', reason: 'none' }])).toEqual([
    `${file}: nothing needs the exception for /x+$/`,
  ]);
});

test('tests and tools may have any expression', () => {
  expect(check('export const a = /x+$/;', [], 'src/lib/a.test.ts')).toEqual([]);
  expect(check('export const a = /x+$/;', [], 'tools/check/a.ts')).toEqual([]);
});

describe('in a source', () => {
  test.each([
    ['after a word', 'return /a/g.test(x);', ['a']],
    ['among arguments', 'f(/a/, [/b/u], { c: /c/ });', ['a', 'b', 'c']],
    ['after an arrow and an operator', 'const f = () => /a/ ?? /b/;', ['a', 'b']],
    ['with slashes in it', String.raw`const a = /[/]\/[\]/]/;`, [String.raw`[/]\/[\]/]`]],
    ['in a template', 'const a = `/x/ ${f({ b: /a/ })} /y/ ${/b/.test(`${c}/z/`)}`;', ['a', 'b']],
    ['after comments and strings', `/* /x/ */ f('/y/', "it's /z/"); // /u/\n/a/.test(b);`, ['a']],
  ])('an expression is found %s', (_, source, want) => {
    expect(literalsOf(source).map((literal) => literal.source)).toEqual(want);
  });

  test.each([
    ['a division', 'const a = b / c / d;'],
    ['a division of what parentheses hold', 'const a = (b) / c[0] / `${d}` / 2;'],
    ['a path in a string', `const a = '/a/' + "/b/" + \`/c/\`;`],
    ['a comment', '// it is /a/\n/** and /b/ */'],
  ])('%s is none', (_, source) => {
    expect(literalsOf(source)).toEqual([]);
  });

  test('the line of an expression is told', () => {
    expect(literalsOf('const a = 1;\n\nconst b = /x/iu;\n')).toEqual([{ source: 'x', flags: 'iu', line: 3 }]);
  });
});

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { formPairs, nestForm, phpQuery } from './form.ts';

test.each([
  [
    'a=1&b=2',
    [
      ['a', '1'],
      ['b', '2'],
    ],
  ],
  [
    'a=&b',
    [
      ['a', ''],
      ['b', ''],
    ],
  ],
  ['a=x+y%2Bz', [['a', 'x y+z']]],
  ['SANs%5B0%5D%5BDNS%5D=x', [['SANs[0][DNS]', 'x']]],
  ['a=%zz', [['a', '%zz']]],
  ['', []],
])('the pairs of %j', (body, want) => {
  expect(formPairs(body)).toEqual(want);
});

test('brackets nest as in PHP, and a later pair replaces an earlier one with the same name', () => {
  const form = nestForm([
    ['SANs[0][DNS]', 'a'],
    ['SANs[2][IP]', 'b'],
    ['x', '1'],
    ['x', '2'],
    ['list[]', 'p'],
    ['list[]', 'q'],
  ]);
  expect(phpQuery(form)).toBe('SANs%5B0%5D%5BDNS%5D=a&SANs%5B2%5D%5BIP%5D=b&list%5B0%5D=p&list%5B1%5D=q&x=2');
});

test('every ASCII sign is escaped as PHP does', () => {
  const bare = /[A-Za-z0-9_.-]/;
  for (let code = 0; code < 128; code += 1) {
    const sign = String.fromCharCode(code);
    const hex = `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
    const want = sign === ' ' ? '+' : bare.test(sign) ? sign : hex;
    expect(phpQuery(new Map([['a', sign]]))).toBe(`a=${want}`);
  }
});

test('what PHP writes is read back unchanged', () => {
  const name = fc.stringMatching(/^[a-z_]{1,8}$/);
  const value = fc.string({ unit: 'grapheme' });
  fc.assert(
    fc.property(fc.dictionary(name, value), (record) => {
      const form = new Map(Object.entries(record));
      expect(new Map(formPairs(phpQuery(form)))).toEqual(form);
    }),
  );
});

import { describe, expect, test } from 'vitest';
import { boughtTwice, type JournalLine } from './purchases.ts';

const once = new Map([
  ['a.example', 1],
  ['b.example', 1],
]);

function bought(commonName: string, change: Partial<JournalLine> = {}): JournalLine {
  return { call: 'cert/new', params: { CN: commonName }, result: { certId: 1 }, ...change };
}

describe('certificates bought twice', () => {
  test('are none if each resource bought one for each revision', () => {
    expect(boughtTwice([bought('a.example'), bought('b.example')], once)).toBe(0);
    expect(boughtTwice([bought('a.example'), bought('a.example')], new Map([['a.example', 2]]))).toBe(0);
  });

  test('are those beyond that, counted for each resource', () => {
    expect(boughtTwice([bought('a.example'), bought('a.example'), bought('a.example')], once)).toBe(2);
  });

  test('include those that no resource wanted', () => {
    expect(boughtTwice([bought('c.example')], once)).toBe(1);
  });

  test('do not include refused calls or other calls', () => {
    const { result: _, ...refused } = bought('a.example');
    const fetched = bought('a.example', { call: 'cert/get' });
    expect(boughtTwice([bought('a.example'), refused, fetched, fetched], once)).toBe(0);
  });
});

import { describe, expect, test } from 'vitest';
import { table } from './table.ts';
import { baseline, measured } from './test-measurements.ts';

/** The columns behind a name that the table has once. */
function columnsOf(text: string, name: string): string[] {
  const rows = text.split('\n').filter((line) => line.trim().startsWith(`${name}  `));
  expect(rows).toHaveLength(1);
  return rows[0]?.trim().slice(name.length).trim().split(/ {2,}/) ?? [];
}

describe('the table', () => {
  const text = table(measured);

  test.each([
    ['bare floor', '100.0', '50.0 to 200.0'],
    ['operator / bare floor', '0.60', '0.50 to 0.80'],
    ['conflicts', '0.010', '0.010 to 0.010'],
    ['created to Ready, idle', '20.0', '30.0'],
    ['raw loop with CA', '14.0', '16.0'],
  ])('gives %s as %s, spread %s, and its meaning', (name, value, range) => {
    const [shown, spread, meaning] = columnsOf(text, name);
    expect([shown, spread]).toEqual([value, range]);
    expect(meaning).toMatch(/\w/);
  });

  test('states how many certificates the operator cached when memory was at its peak', () => {
    expect(text).toContain('more than 300 certificates in its caches by the end: 101 MB');
  });

  test('does not mention a baseline', () => {
    expect(text).not.toContain('baseline');
  });
});

describe('with a baseline, the table', () => {
  const text = table({ ...measured, baseline });

  test.each([
    ['operator', '60.0', '40.0 to 100.0'],
    ['baseline', '60.0', '50.0 to 80.0'],
    ['operator / bare floor', '0.60', '0.50 to 0.80'],
    ['baseline / bare floor', '0.60', '0.25 to 1.60'],
    ['baseline / floor with CA', '0.60', '0.50 to 0.80'],
    ['operator / baseline', '1.00', '0.50 to 2.00'],
    ['operator, own', '4.50', '4.50 to 4.50'],
    ['baseline, own', '4.50', '4.50 to 4.50'],
    ['operator, idle', '20.0', '30.0'],
    ['baseline, idle', '40.0', '40.0'],
    ['baseline, busy', '250.0', '350.0'],
  ])('gives %s as %s, spread %s', (name, value, range) => {
    expect(columnsOf(text, name).slice(0, 2)).toEqual([value, range]);
  });

  test.each([
    ['operator', '3.00', '0 to 1'],
    ['baseline', '4.00', '0 to 2'],
  ])('has the costs of the %s under a heading of their own', (name, writes, boughtTwice) => {
    const [, section = ''] = text.split(`What a certificate costs, ${name}`);
    const [costs = ''] = section.split('\n\n');
    expect(columnsOf(costs, 'writes')[0]).toBe(writes);
    expect(columnsOf(costs, 'bought twice')[1]).toBe(boughtTwice);
  });

  test('has the peak memory of both', () => {
    expect(text).toMatch(/of the operator, .*: 101 MB/);
    expect(text).toMatch(/of the baseline, .*: 90 MB/);
  });
});

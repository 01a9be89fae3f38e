import { describe, expect, test } from 'vitest';
import { type OutageRound, outageTable, summarizeOutage } from './outage-report.ts';

function round(secondsToAllReady: number, change: Partial<OutageRound> = {}): OutageRound {
  return {
    certificates: 100,
    minutesOfOutage: 2,
    callsDuringOutage: 1,
    writesDuringOutage: 101,
    secondsToFirstReady: 0.5,
    secondsToAllReady,
    callsAfter: 305,
    writesAfter: 301,
    conflictsAfter: 0,
    cpuMs: { operator: 500, apiServer: 900, etcd: 150, ca: 300, bench: 100 },
    boughtTwice: 0,
    ...change,
  };
}

const rounds = [
  round(10),
  round(30, { callsDuringOutage: 3, secondsToFirstReady: 2, boughtTwice: 1 }),
  round(20, { writesDuringOutage: 200, secondsToFirstReady: 1 }),
];

test('the line of JSON has medians of the times, and the worst value of each limit', () => {
  expect(summarizeOutage(rounds)).toEqual({
    certificates: 100,
    rounds: 3,
    callsDuringOutagePerMinute: 1.5,
    writesDuringOutagePerCertificate: 2,
    secondsToFirstReady: 1,
    secondsToAllReady: 20,
    spread: [10, 30],
    boughtTwice: 1,
  });
});

describe('the table', () => {
  const lines = outageTable(rounds).split('\n');

  test.each([
    ['CA calls a minute', '0.50', '0.50 to 1.50'],
    ['seconds to the first', '1.00', '0.50 to 2.00'],
    ['seconds to all', '20.0', '10.0 to 30.0'],
    ['certificates a second', '5.0', '3.3 to 10.0'],
    ['CPU ms, apiServer', '9.00', '9.00 to 9.00'],
    ['bought twice', '0', '0 to 1'],
  ])('gives %s as %s, spread %s, and its meaning', (name, value, range) => {
    const row = lines.find((line) => line.trim().startsWith(name));
    const [shown, spread, meaning] = row?.trim().slice(name.length).trim().split(/ {2,}/) ?? [];
    expect([shown, spread]).toEqual([value, range]);
    expect(meaning).toMatch(/\w/);
  });

  test('separates the writes of the outage from those after it', () => {
    const writes = lines.filter((line) => line.includes('writes a certificate'));
    expect(writes.map((line) => line.trim().split(/ {2,}/)[1])).toEqual(['1.010', '3.010']);
  });
});

test('a summary without rounds is an error', () => {
  expect(() => summarizeOutage([])).toThrow(RangeError);
});

import { describe, expect, test } from 'vitest';
import { type Measurements, summarize, table } from './report.ts';
import type { OperatorRound, Round } from './rounds.ts';

function floorRound(perSecond: number): Round {
  return {
    certificates: 100,
    elapsedMs: 100_000 / perSecond,
    cpuMs: { own: 200, apiServer: 800, etcd: 100, ca: 0 },
    requests: { writes: 300, reads: 0, conflicts: 0, failures: 0 },
  };
}

function operatorRound(perSecond: number, change: Partial<OperatorRound> = {}): OperatorRound {
  const requests = { writes: 300, reads: 100, conflicts: 1, failures: 0 };
  return {
    ...floorRound(perSecond),
    requests,
    cpuMs: { own: 450, apiServer: 900, etcd: 100, ca: 300 },
    boughtTwice: 0,
    ...change,
  };
}

const measured: Measurements = {
  certificates: 100,
  concurrency: 8,
  floor: [200, 100, 50].map(floorRound),
  floorWithCa: [100, 100, 100].map(floorRound),
  operator: [operatorRound(100), operatorRound(60), operatorRound(40, { boughtTwice: 1 })],
  peakRssMb: 101.234,
  oneAtATime: [30, 10, 20],
  atOnce: [100, 300, 200],
  rawOneAtATime: [12, 14, 16],
};

test('the line of JSON has medians, and the ratio of the pairs rather than of the medians', () => {
  expect(summarize(measured)).toEqual({
    certificates: 100,
    concurrency: 8,
    pairs: 3,
    floor: { perSecond: 100, apiServerCpuMsEach: 8 },
    floorWithCa: { perSecond: 100 },
    operator: {
      perSecond: 60,
      p50Ms: 20,
      p95Ms: 30,
      writesPerCertificate: 3,
      readsPerCertificate: 1,
      conflictsPerCertificate: 0.01,
      boughtTwice: 1,
      peakRssMb: 101.2,
      cpuMsEach: 4.5,
      apiServerCpuMsEach: 9,
    },
    ratio: 0.6,
    ratioWithCa: 0.6,
    ratioSpread: [0.5, 0.8],
  });
});

test('a certificate bought twice in any round is shown, however the median lies', () => {
  const rounds = [3, 0, 0].map((boughtTwice) => operatorRound(100, { boughtTwice }));
  expect(summarize({ ...measured, operator: rounds }).operator.boughtTwice).toBe(3);
});

describe('the table', () => {
  const text = table(measured);

  test.each([
    ['bare floor', '100.0', '50.0 to 200.0'],
    ['operator / bare floor', '0.60', '0.50 to 0.80'],
    ['conflicts', '0.010', '0.010 to 0.010'],
    ['created to Ready, idle', '20.0', '30.0'],
    ['raw loop with CA', '14.0', '16.0'],
  ])('gives %s as %s, spread %s, and says what it means', (name, value, range) => {
    const row = text.split('\n').find((line) => line.trim().startsWith(`${name}  `));
    const [shown, spread, meaning] = row?.trim().slice(name.length).trim().split(/ {2,}/) ?? [];
    expect([shown, spread]).toEqual([value, range]);
    expect(meaning).toMatch(/\w/);
  });

  test('says how much the operator held when memory was at its most', () => {
    expect(text).toContain('more than 300 certificates by the end: 101 MB');
  });
});

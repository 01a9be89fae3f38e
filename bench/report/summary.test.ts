import { describe, expect, test } from 'vitest';
import { type Measurements, summarize } from './summary.ts';
import { baseline, measured, operatorRound } from './test-measurements.ts';

const SUMMARY = {
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
};

test('the line of JSON has medians, and the ratio of the pairs rather than of the medians', () => {
  expect(summarize(measured)).toEqual(SUMMARY);
});

test('a certificate bought twice in any round is shown, whatever the median is', () => {
  const rounds = [3, 0, 0].map((boughtTwice) => operatorRound(100, { boughtTwice }));
  const changed: Measurements = { ...measured, operator: { ...measured.operator, rounds } };
  expect(summarize(changed).operator.boughtTwice).toBe(3);
});

describe('with a baseline', () => {
  const summary = summarize({ ...measured, baseline });

  test("the operator's figures stay as they are without one", () => {
    expect(summary).toMatchObject(SUMMARY);
  });

  test('the baseline has the same figures and its own ratios to the floors', () => {
    expect(summary.baseline).toEqual({
      perSecond: 60,
      p50Ms: 40,
      p95Ms: 40,
      writesPerCertificate: 4,
      readsPerCertificate: 1,
      conflictsPerCertificate: 0.01,
      boughtTwice: 2,
      peakRssMb: 90,
      cpuMsEach: 4.5,
      apiServerCpuMsEach: 9,
      ratio: 0.6,
      ratioWithCa: 0.6,
      ratioSpread: [0.25, 1.6],
    });
  });

  test('the two are compared pair by pair, so equal medians hide nothing', () => {
    // 100/50, 60/60, 40/80.
    expect(summary.operatorToBaseline).toEqual({ median: 1, min: 0.5, max: 2 });
  });
});

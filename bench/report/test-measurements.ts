/** Measurements for the tests of the summary and the table. */
import type { OperatorRound, Round } from '../rounds.ts';
import type { Measurements, OperatorMeasurements } from './summary.ts';

function floorRound(perSecond: number): Round {
  return {
    certificates: 100,
    elapsedMs: 100_000 / perSecond,
    cpuMs: { own: 200, apiServer: 800, etcd: 100, ca: 0 },
    requests: { writes: 300, reads: 0, conflicts: 0, failures: 0 },
  };
}

/** A round of 100 certificates. */
export function operatorRound(perSecond: number, change: Partial<OperatorRound> = {}): OperatorRound {
  return {
    ...floorRound(perSecond),
    requests: { writes: 300, reads: 100, conflicts: 1, failures: 0 },
    cpuMs: { own: 450, apiServer: 900, etcd: 100, ca: 300 },
    boughtTwice: 0,
    ...change,
  };
}

/** Three pairs without a baseline. */
export const measured: Measurements = {
  certificates: 100,
  concurrency: 8,
  floor: [200, 100, 50].map(floorRound),
  floorWithCa: [100, 100, 100].map(floorRound),
  operator: {
    rounds: [operatorRound(100), operatorRound(60), operatorRound(40, { boughtTwice: 1 })],
    peakRssMb: 101.234,
    oneAtATime: [30, 10, 20],
    atOnce: [100, 300, 200],
  },
  rawOneAtATime: [12, 14, 16],
};

const requests = { writes: 400, reads: 100, conflicts: 1, failures: 0 };

/** A baseline to `measured`: another order of the rates, and a write more for each certificate. */
export const baseline: OperatorMeasurements = {
  rounds: [50, 60, 80].map((perSecond, index) =>
    operatorRound(perSecond, { requests, boughtTwice: index === 0 ? 2 : 0 }),
  ),
  peakRssMb: 90,
  oneAtATime: [40, 40, 40],
  atOnce: [150, 250, 350],
};

/** From measured rounds to the figures that `--json` prints. Pure. */
import type { OperatorRound, Round } from '../rounds.ts';
import { median, pairRatios, percentile, rounded, spread } from './statistics.ts';

/** Everything that was measured. Rounds with the same index ran one after the other and make a pair. */
export interface Measurements {
  certificates: number;
  concurrency: number;
  floor: readonly Round[];
  floorWithCa: readonly Round[];
  operator: OperatorMeasurements;
  /** The bundle of `--against`. */
  baseline?: OperatorMeasurements;
  /** Milliseconds of one issuance of the raw loop with its CA calls, one at a time. */
  rawOneAtATime: readonly number[];
}

/** What was measured of one operator process. */
export interface OperatorMeasurements {
  rounds: readonly OperatorRound[];
  /** Peak over all rounds. */
  peakRssMb: number;
  /** Milliseconds from creation to Ready: one at a time on an idle operator, and `concurrency` at a time. */
  oneAtATime: readonly number[];
  atOnce: readonly number[];
}

/** What `--json` prints. Medians of the rounds; each `ratio` is the median of the pairs' ratios. */
export interface Summary extends FloorRatios {
  certificates: number;
  concurrency: number;
  pairs: number;
  floor: { perSecond: number; apiServerCpuMsEach: number };
  floorWithCa: { perSecond: number };
  operator: OperatorSummary;
  /** With `--against` only. */
  baseline?: OperatorSummary & FloorRatios;
  /** With `--against` only: issuances per second of the operator, divided by the baseline's, pair by pair. */
  operatorToBaseline?: { median: number; min: number; max: number };
}

interface OperatorSummary {
  perSecond: number;
  p50Ms: number;
  p95Ms: number;
  writesPerCertificate: number;
  readsPerCertificate: number;
  conflictsPerCertificate: number;
  boughtTwice: number;
  peakRssMb: number;
  cpuMsEach: number;
  apiServerCpuMsEach: number;
}

interface FloorRatios {
  /** To the bare floor. */
  ratio: number;
  ratioWithCa: number;
  /** Of `ratio`. */
  ratioSpread: [min: number, max: number];
}

/** Throws a RangeError without rounds. */
export function summarize(measured: Measurements): Summary {
  const { certificates, concurrency, floor, floorWithCa, operator, baseline } = measured;
  return {
    certificates,
    concurrency,
    pairs: operator.rounds.length,
    floor: {
      perSecond: rounded(median(floor.map(perSecond)), 1),
      apiServerCpuMsEach: rounded(median(floor.map(apiServerCpuEach)), 2),
    },
    floorWithCa: { perSecond: rounded(median(floorWithCa.map(perSecond)), 1) },
    operator: summarizeOperator(operator),
    ...floorRatios(operator, measured),
    ...(baseline && {
      baseline: { ...summarizeOperator(baseline), ...floorRatios(baseline, measured) },
      operatorToBaseline: ratioToBaseline(operator, baseline),
    }),
  };
}

function summarizeOperator({ rounds, peakRssMb, oneAtATime }: OperatorMeasurements): OperatorSummary {
  const each = (pick: (round: OperatorRound) => number): number =>
    median(rounds.map((round) => pick(round) / round.certificates));
  return {
    perSecond: rounded(median(rounds.map(perSecond)), 1),
    p50Ms: rounded(percentile(oneAtATime, 50), 1),
    p95Ms: rounded(percentile(oneAtATime, 95), 1),
    writesPerCertificate: rounded(
      each(({ requests }) => requests.writes),
      3,
    ),
    readsPerCertificate: rounded(
      each(({ requests }) => requests.reads),
      3,
    ),
    conflictsPerCertificate: rounded(
      each(({ requests }) => requests.conflicts),
      3,
    ),
    // One is one too many, so no median may hide it.
    boughtTwice: rounds.reduce((sum, { boughtTwice }) => sum + boughtTwice, 0),
    peakRssMb: rounded(peakRssMb, 1),
    cpuMsEach: rounded(
      each(({ cpuMs }) => cpuMs.own),
      2,
    ),
    apiServerCpuMsEach: rounded(median(rounds.map(apiServerCpuEach)), 2),
  };
}

function floorRatios(
  { rounds }: OperatorMeasurements,
  { floor, floorWithCa }: Pick<Measurements, 'floor' | 'floorWithCa'>,
): FloorRatios {
  const ratios = rateRatios(rounds, floor);
  const [min, max] = spread(ratios);
  return {
    ratio: rounded(median(ratios), 3),
    ratioWithCa: rounded(median(rateRatios(rounds, floorWithCa)), 3),
    ratioSpread: [rounded(min, 3), rounded(max, 3)],
  };
}

function ratioToBaseline(
  operator: OperatorMeasurements,
  baseline: OperatorMeasurements,
): { median: number; min: number; max: number } {
  const ratios = rateRatios(operator.rounds, baseline.rounds);
  const [min, max] = spread(ratios);
  return { median: rounded(median(ratios), 3), min: rounded(min, 3), max: rounded(max, 3) };
}

/** Issuances per second of the first, divided by those of the second, pair by pair. */
export function rateRatios(rounds: readonly Round[], others: readonly Round[]): number[] {
  return pairRatios(rounds.map(perSecond), others.map(perSecond));
}

/** Issuances per second. */
export function perSecond({ certificates, elapsedMs }: Round): number {
  return (certificates / elapsedMs) * 1000;
}

function apiServerCpuEach({ cpuMs, certificates }: Round): number {
  return cpuMs.apiServer / certificates;
}

import { availableParallelism, loadavg } from 'node:os';
import { freshBundle, givenBundle } from './processes/build.ts';
import { createToReady } from './measure/latency.ts';
import { type BenchOptions, ENOUGH_PAIRS } from './options.ts';
import { certificateNames } from './floor/payloads.ts';
import type { OperatorProcess } from './processes/operator-process.ts';
import type { Measurements, OperatorMeasurements } from './report/summary.ts';
import { floorRound, operatorRound, type OperatorRound, type Round } from './rounds.ts';
import { openStage, type Stage, unlessStopped } from './stage.ts';
import { inHalves, ofRound } from './turns.ts';

/** Certificates of the first round, which warms everything up and is not counted. */
const WARM_UP = 300;
/** Certificates that are timed one at a time. */
const TIMED = 100;

const FLOOR_ONE_BY_ONE = 'with-ca-one-by-one';

type Progress = (line: string) => void;

/** Names of the two that `--against` compares; also the prefixes of their namespaces. */
type OperatorName = 'operator' | 'baseline';

/** Starts everything, measures, and leaves nothing behind, whatever happens. Rejects if `signal` aborts. */
export async function runBench(
  options: BenchOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<Measurements> {
  const { concurrency, pairs, profile, against, againstCrds, node } = options;
  const bundle = options.operator === undefined ? freshBundle(progress) : givenBundle(options.operator);
  const rounds = ['warm-up', ...Array.from({ length: pairs }, (_, index) => String(index + 1))];
  const namespacesOf = (name: OperatorName): string[] =>
    [...rounds, 'idle', 'busy'].map((purpose) => `${name}-${purpose}`);
  const baseline =
    against === undefined
      ? undefined
      : { bundle: givenBundle(against), namespaces: namespacesOf('baseline') };
  if (pairs < ENOUGH_PAIRS) progress(`Fewer than ${ENOUGH_PAIRS} pairs prove nothing.`);
  const [load = 0] = loadavg();
  progress(`${availableParallelism()} CPUs, load ${load.toFixed(1)} before anything was started.`);
  return unlessStopped(signal, async (cleanup) => {
    const stage = await openStage(
      {
        concurrency,
        operator: { bundle, namespaces: namespacesOf('operator'), ...(node ? { node } : {}) },
        baseline,
        floorNamespaces: [...rounds.map(floorNamespace), ...rounds.map(withCaNamespace), FLOOR_ONE_BY_ONE],
        profile,
        ...(againstCrds === undefined ? {} : { otherCrds: againstCrds }),
        progress,
        signal,
      },
      cleanup,
    );
    const operators = operatorsOf(stage);
    const throughput = await measureThroughput(stage, operators, options, rounds, progress);
    // Read it before the next measurement raises it.
    const peaks = new Map(operators.map(({ name, process }) => [name, process.peakRssMb()]));
    const latency = await measureLatency(stage, operators, options, progress);
    const of = (name: OperatorName): OperatorMeasurements => ({
      rounds: throughput.operators[name],
      peakRssMb: peaks.get(name) ?? 0,
      ...latency.operators[name],
    });
    return {
      certificates: options.certificates,
      concurrency,
      floor: throughput.floor,
      floorWithCa: throughput.floorWithCa,
      operator: of('operator'),
      ...(stage.baseline ? { baseline: of('baseline') } : {}),
      rawOneAtATime: latency.rawOneAtATime,
    };
  });
}

function floorNamespace(round: string): string {
  return `floor-${round}`;
}

function withCaNamespace(round: string): string {
  return `with-ca-${round}`;
}

interface NamedOperator {
  name: OperatorName;
  process: OperatorProcess;
}

/** The operators in the order of the first round. */
function operatorsOf({ operator, baseline }: Stage): NamedOperator[] {
  return [
    { name: 'operator', process: operator },
    ...(baseline ? [{ name: 'baseline' as const, process: baseline }] : []),
  ];
}

interface Throughput {
  operators: Record<OperatorName, OperatorRound[]>;
  floor: Round[];
  floorWithCa: Round[];
}

/** Runs round after round, everyone in turn. Of two operators, each goes first in every other round. */
async function measureThroughput(
  { site, bareFloor, floorWithCa }: Stage,
  operators: readonly NamedOperator[],
  { certificates, pairs }: BenchOptions,
  rounds: readonly string[],
  progress: Progress,
): Promise<Throughput> {
  const measured: Throughput = { operators: { operator: [], baseline: [] }, floor: [], floorWithCa: [] };
  for (const [index, round] of rounds.entries()) {
    const isWarmUp = index === 0;
    const count = isWarmUp ? Math.min(certificates, WARM_UP) : certificates;
    const label = isWarmUp ? 'Warm-up' : `Pair ${round} of ${pairs}`;
    const keep = <R extends Round>(who: string, done: R, into: R[]): void => {
      progress(`${label}, ${who}: ${((count / done.elapsedMs) * 1000).toFixed(0)} certificates a second.`);
      if (!isWarmUp) into.push(done);
    };
    for (const { name, process } of ofRound(operators, index)) {
      const done = await operatorRound(site, process, `${name}-${round}`, count);
      keep(name, done, measured.operators[name]);
    }
    keep('bare floor', await floorRound(site, bareFloor, floorNamespace(round), count), measured.floor);
    keep(
      'floor with CA',
      await floorRound(site, floorWithCa, withCaNamespace(round), count),
      measured.floorWithCa,
    );
  }
  return measured;
}

interface Latency {
  operators: Record<OperatorName, Pick<OperatorMeasurements, 'oneAtATime' | 'atOnce'>>;
  rawOneAtATime: number[];
}

/** Measures how long one certificate takes: alone, and among others. */
async function measureLatency(
  { site: { kube }, floorWithCa }: Stage,
  operators: readonly NamedOperator[],
  { certificates, concurrency }: BenchOptions,
  progress: Progress,
): Promise<Latency> {
  const timed = Math.min(certificates, TIMED);
  const measured: Record<OperatorName, { oneAtATime: number[]; atOnce: number[] }> = {
    operator: { oneAtATime: [], atOnce: [] },
    baseline: { oneAtATime: [], atOnce: [] },
  };
  progress(`Timing ${timed} certificates one at a time, then as many of the raw loop.`);
  for (const [{ name }, names] of inHalves(operators, certificateNames(timed)))
    measured[name].oneAtATime.push(...(await createToReady(kube, `${name}-idle`, names, 1)));
  await floorWithCa.order({ do: 'prepare', namespace: FLOOR_ONE_BY_ONE, count: timed });
  const rawOneAtATime = await floorWithCa.order({ do: 'one-by-one' });
  progress(`Timing ${certificates} certificates, ${concurrency} at a time.`);
  for (const [{ name }, names] of inHalves(operators, certificateNames(certificates)))
    measured[name].atOnce.push(...(await createToReady(kube, `${name}-busy`, names, concurrency)));
  return { operators: measured, rawOneAtATime };
}

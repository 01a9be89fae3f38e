import { availableParallelism, loadavg } from 'node:os';
import { resolve } from 'node:path';
import { freshBundle } from './build.ts';
import { createToReady } from './latency.ts';
import { type BenchOptions, ENOUGH_PAIRS } from './options.ts';
import type { Measurements } from './report.ts';
import { floorRound, operatorRound, type OperatorRound, type Round } from './rounds.ts';
import { openStage, type Stage, unlessStopped } from './stage.ts';

/** Certificates of the round that warms all three up and is not counted. */
const WARM_UP = 300;
/** Certificates that are timed one at a time. */
const TIMED = 100;

const OPERATOR_IDLE = 'operator-idle';
const OPERATOR_BUSY = 'operator-busy';
const FLOOR_ONE_BY_ONE = 'with-ca-one-by-one';

type Progress = (line: string) => void;

/** Starts everything, measures, and leaves nothing behind, whatever happens. Rejects if `signal` aborts. */
export async function runBench(
  options: BenchOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<Measurements> {
  const { concurrency, pairs, profile } = options;
  const bundle = options.operator === undefined ? freshBundle(progress) : resolve(options.operator);
  if (pairs < ENOUGH_PAIRS) progress(`Fewer than ${ENOUGH_PAIRS} pairs prove nothing.`);
  const [load = 0] = loadavg();
  progress(`${availableParallelism()} CPUs, load ${load.toFixed(1)} before anything was started.`);
  const rounds = ['warm-up', ...Array.from({ length: pairs }, (_, index) => String(index + 1))];
  return unlessStopped(signal, async (cleanup) => {
    const stage = await openStage(
      {
        bundle,
        concurrency,
        operatorNamespaces: [...rounds.map(operatorNamespace), OPERATOR_IDLE, OPERATOR_BUSY],
        floorNamespaces: [...rounds.map(floorNamespace), ...rounds.map(withCaNamespace), FLOOR_ONE_BY_ONE],
        profile,
        progress,
        signal,
      },
      cleanup,
    );
    return {
      ...(await throughput(stage, options, rounds, progress)),
      ...(await latency(stage, options, progress)),
    };
  });
}

function operatorNamespace(round: string): string {
  return `operator-${round}`;
}

function floorNamespace(round: string): string {
  return `floor-${round}`;
}

function withCaNamespace(round: string): string {
  return `with-ca-${round}`;
}

type Throughput = Omit<Measurements, keyof Latency>;

/** Round after round, the three in turn. */
async function throughput(
  { site, operator, bareFloor, floorWithCa }: Stage,
  { certificates, concurrency, pairs }: BenchOptions,
  rounds: readonly string[],
  progress: Progress,
): Promise<Throughput> {
  const measured = { operator: [] as OperatorRound[], floor: [] as Round[], floorWithCa: [] as Round[] };
  for (const [index, round] of rounds.entries()) {
    const isWarmUp = index === 0;
    const count = isWarmUp ? Math.min(certificates, WARM_UP) : certificates;
    const label = isWarmUp ? 'Warm-up' : `Pair ${round} of ${pairs}`;
    const tell = <R extends Round>(who: string, done: R): R => {
      progress(`${label}, ${who}: ${((count / done.elapsedMs) * 1000).toFixed(0)} certificates a second.`);
      return done;
    };
    const ofOperator = tell('operator', await operatorRound(site, operator, operatorNamespace(round), count));
    const ofFloor = tell('bare floor', await floorRound(site, bareFloor, floorNamespace(round), count));
    const ofFloorWithCa = tell(
      'floor with CA',
      await floorRound(site, floorWithCa, withCaNamespace(round), count),
    );
    if (isWarmUp) continue;
    measured.operator.push(ofOperator);
    measured.floor.push(ofFloor);
    measured.floorWithCa.push(ofFloorWithCa);
  }
  return { certificates, concurrency, ...measured, peakRssMb: operator.peakRssMb() };
}

type Latency = Pick<Measurements, 'oneAtATime' | 'atOnce' | 'rawOneAtATime'>;

/** How long one certificate takes: alone, and among others. */
async function latency(
  { site: { kube }, floorWithCa }: Stage,
  { certificates, concurrency }: BenchOptions,
  progress: Progress,
): Promise<Latency> {
  const timed = Math.min(certificates, TIMED);
  progress(`Timing ${timed} certificates one at a time, the operator's and the raw loop's.`);
  const oneAtATime = await createToReady(kube, OPERATOR_IDLE, timed, 1);
  await floorWithCa.order({ do: 'prepare', namespace: FLOOR_ONE_BY_ONE, count: timed });
  const rawOneAtATime = await floorWithCa.order({ do: 'one-by-one' });
  progress(`Timing ${certificates} certificates, ${concurrency} at a time.`);
  const atOnce = await createToReady(kube, OPERATOR_BUSY, certificates, concurrency);
  return { oneAtATime, atOnce, rawOneAtATime };
}

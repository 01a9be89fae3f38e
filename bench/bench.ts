import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir, availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { type ControlPlane, startControlPlane } from '../tools/control-plane/index.ts';
import { freshBundle } from './build.ts';
import { CaLoop } from './ca-loop.ts';
import { createIssuers, createNamespaces, installCrds, openClient, untilIssuersReady } from './cluster.ts';
import { DevServerProcess } from './dev-server-process.ts';
import { FloorProcess } from './floor-process.ts';
import { createToReady } from './latency.ts';
import { OperatorProcess } from './operator-process.ts';
import { type BenchOptions, ENOUGH_PAIRS } from './options.ts';
import { RawHttp } from './raw-http.ts';
import type { Measurements } from './report.ts';
import { floorRound, operatorRound, type OperatorRound, type Round, type Site } from './rounds.ts';

/** Certificates of the round that warms all three up and is not counted. */
const WARM_UP = 300;
/** Certificates that are timed one at a time. */
const TIMED = 100;

type Progress = (line: string) => void;

/** Starts everything, measures, and leaves nothing behind, whatever happens. Rejects if `signal` aborts. */
export async function runBench(
  options: BenchOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<Measurements> {
  const bundle = options.operator === undefined ? freshBundle(progress) : resolve(options.operator);
  if (options.pairs < ENOUGH_PAIRS) progress(`Fewer than ${ENOUGH_PAIRS} pairs prove nothing.`);
  const [load = 0] = loadavg();
  progress(`${availableParallelism()} CPUs, load ${load.toFixed(1)} before anything was started.`);
  const cleanup: (() => Promise<unknown>)[] = [];
  const stopped = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  try {
    return await Promise.race([measure(options, bundle, progress, signal, cleanup), stopped]);
  } finally {
    for (let last = cleanup.pop(); last; last = cleanup.pop()) await last();
  }
}

async function measure(
  options: BenchOptions,
  bundle: string,
  progress: Progress,
  signal: AbortSignal,
  cleanup: (() => Promise<unknown>)[],
): Promise<Measurements> {
  const { certificates, concurrency, pairs } = options;
  const folder = await mkdtemp(join(tmpdir(), 'tinycert-bench-'));
  cleanup.push(() => rm(folder, { recursive: true, force: true }));
  progress('Starting the control plane and the dev server.');
  const plane = await startControlPlane({ progress, signal });
  cleanup.push(() => plane.stop());
  const dev = await DevServerProcess.start();
  cleanup.push(() => dev.stop());
  const kube = await openClient(plane.kubeconfig);
  cleanup.push(() => kube.transport.close());
  const http = new RawHttp({ ...serverOf(plane), connections: concurrency });
  cleanup.push(() => http.close());
  const { endpoint, ca, credentials } = dev;
  const access = { endpoint, ca, credentials };

  const rounds = ['warm-up', ...Array.from({ length: pairs }, (_, index) => String(index + 1))];
  const namespaces = {
    operator: rounds.map((round) => `operator-${round}`),
    idle: 'operator-idle',
    busy: 'operator-busy',
    raw: 'with-ca-one',
  };
  const operators = [...namespaces.operator, namespaces.idle, namespaces.busy];
  await installCrds(kube);
  const floors = rounds.flatMap((round) => [`floor-${round}`, `with-ca-${round}`]);
  await createNamespaces(kube, [...operators, ...floors, namespaces.raw]);
  const buyer = await CaLoop.open(access, 2);
  cleanup.push(() => buyer.close());
  await createIssuers(kube, operators, { ...access, authorityId: buyer.authorityId });

  const operator = await OperatorProcess.start({
    bundle,
    kubeconfig: plane.kubeconfig,
    namespaces: operators,
    endpoint,
    concurrency,
    logFile: join(folder, 'operator.log'),
    profile: options.profile,
  });
  cleanup.push(() => operator.stop());
  const server = serverOf(plane);
  const { material } = await buyer.buy('floor.example.com');
  const bare = await FloorProcess.start({ do: 'open', server, concurrency, source: { material } });
  cleanup.push(() => bare.stop());
  const withCa = await FloorProcess.start({ do: 'open', server, concurrency, source: { access } });
  cleanup.push(() => withCa.stop());
  await untilIssuersReady(kube, operators, () => operator.assertRunning());

  const site: Site = { kube, http, dev, pids: plane.pids(), concurrency };
  const measured = { operator: [] as OperatorRound[], floor: [] as Round[], floorWithCa: [] as Round[] };
  for (const round of rounds) {
    const isWarmUp = round === rounds[0];
    const count = isWarmUp ? Math.min(certificates, WARM_UP) : certificates;
    const ofOperator = await operatorRound(site, operator, `operator-${round}`, count);
    const ofFloor = await floorRound(site, bare, `floor-${round}`, count);
    const ofFloorWithCa = await floorRound(site, withCa, `with-ca-${round}`, count);
    const rates = [ofOperator, ofFloor, ofFloorWithCa].map(({ elapsedMs }) =>
      ((count / elapsedMs) * 1000).toFixed(0),
    );
    const label = isWarmUp ? 'Warm-up' : `Pair ${round} of ${pairs}`;
    progress(`${label}: operator ${rates[0]}/s, bare floor ${rates[1]}/s, floor with CA ${rates[2]}/s.`);
    if (isWarmUp) continue;
    measured.operator.push(ofOperator);
    measured.floor.push(ofFloor);
    measured.floorWithCa.push(ofFloorWithCa);
  }
  const peakRssMb = operator.peakRssMb();

  progress('Timing certificates one at a time, then many at once.');
  const timed = Math.min(certificates, TIMED);
  const oneAtATime = await createToReady(kube, namespaces.idle, timed, 1);
  await withCa.order({ do: 'prepare', namespace: namespaces.raw, count: timed });
  const rawOneAtATime = await withCa.order({ do: 'one-by-one' });
  const atOnce = await createToReady(kube, namespaces.busy, certificates, concurrency);
  return { certificates, concurrency, ...measured, peakRssMb, oneAtATime, atOnce, rawOneAtATime };
}

function serverOf({ server, caData, adminCert, adminKey }: ControlPlane) {
  return { origin: server, ca: caData, cert: adminCert, key: adminKey };
}

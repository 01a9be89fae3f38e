/** One round of each kind, with what it cost. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeClient } from '../src/kube/client.ts';
import { readyCertificates } from './cluster.ts';
import type { DevServerProcess } from './processes/dev-server-process.ts';
import { BenchError } from './errors.ts';
import type { FloorProcess } from './floor/floor-process.ts';
import type { OperatorProcess } from './processes/operator-process.ts';
import { commonNameOf } from './floor/payloads.ts';
import { cpuMs } from './measure/process-usage.ts';
import { boughtTwice } from './measure/purchases.ts';
import type { RawHttp } from './floor/raw-http.ts';
import { createCertificates } from './floor/raw-loop.ts';
import { type RequestCounts, requestCounts, since } from './measure/request-counts.ts';

/** What a round needs besides its own process. */
export interface Site {
  kube: KubeClient;
  /** To the API server, for what is created and counted. */
  http: RawHttp;
  dev: DevServerProcess;
  pids: { apiServer: number; etcd: number };
  concurrency: number;
}

/** What was measured of one round. */
export interface Round {
  certificates: number;
  /** Milliseconds from the start of the clock to the last certificate. */
  elapsedMs: number;
  /** Milliseconds of CPU; `own` is the process that issues, `ca` the dev server. */
  cpuMs: CpuTimes;
  requests: RequestCounts;
}

export interface OperatorRound extends Round {
  boughtTwice: number;
}

export interface CpuTimes {
  own: number;
  apiServer: number;
  etcd: number;
  ca: number;
}

/** Work under way when the clock stops (watch events, echoes) belongs to the round's cost. */
const SETTLE_MS = 400;
/** A certificate with a recovered attempt comes 45 s late; one that takes longer than this will not come. */
const PATIENCE_MS = 90_000;

/** Runs a round of a floor. Throws unless it made three writes per certificate. */
export async function floorRound(
  site: Site,
  floor: FloorProcess,
  namespace: string,
  count: number,
): Promise<Round> {
  await floor.order({ do: 'prepare', namespace, count });
  const round = await measured(site, floor.pid, count, async () => {
    const [elapsedMs = 0] = await floor.order({ do: 'run' });
    return elapsedMs;
  });
  assertThreeWrites(round);
  await site.dev.forgetJournal();
  return round;
}

/** The API server or an idle watch may add a request in a long round. More than this means that the floor is wrong. */
const STRAY = 3;

function assertThreeWrites({ certificates, requests }: Round): void {
  const { writes, conflicts, failures } = requests;
  if (Math.abs(writes - 3 * certificates) <= STRAY && conflicts + failures <= STRAY) return;
  throw new BenchError(
    `The floor made ${writes} writes for ${certificates} certificates, ${conflicts} conflicts and ${failures} failures: something else uses this API server, or the floor is wrong.`,
  );
}

/**
 * Runs a round of the operator, which is stopped while the certificates are created. The clock runs from its SIGCONT until it
 * has issued the last one. Then a LIST checks that all are Ready.
 */
export async function operatorRound(
  site: Site,
  operator: OperatorProcess,
  namespace: string,
  count: number,
): Promise<OperatorRound> {
  const { kube, http, dev, concurrency } = site;
  await dev.forgetJournal();
  const issuedBefore = await operator.issued();
  operator.pause();
  let round: Round;
  try {
    await createCertificates(http, namespace, count, concurrency);
    round = await measured(site, operator.pid, count, async () => {
      const start = performance.now();
      operator.go();
      await untilIssued(operator, issuedBefore, count);
      return performance.now() - start;
    });
  } finally {
    operator.go();
  }
  const { all, ready } = await readyCertificates(kube, namespace);
  if (ready !== count)
    throw new BenchError(`${ready} of ${count} certificates are Ready.`, await operator.logTail());
  const revisions = new Map(
    all.map(({ metadata, status }) => [commonNameOf(namespace, metadata.name), status?.revision ?? 0]),
  );
  return { ...round, boughtTwice: boughtTwice(await dev.journal(), revisions) };
}

/** Counts requests and CPU time around `run`, which returns the milliseconds it took. */
async function measured(
  { http, dev, pids }: Site,
  ownPid: number,
  certificates: number,
  run: () => Promise<number>,
): Promise<Round> {
  const times = (): CpuTimes => ({
    own: cpuMs(ownPid),
    apiServer: cpuMs(pids.apiServer),
    etcd: cpuMs(pids.etcd),
    ca: cpuMs(dev.pid),
  });
  const requestsBefore = await countRequests(http);
  const before = times();
  const elapsedMs = await run();
  await sleep(SETTLE_MS);
  const after = times();
  return {
    certificates,
    elapsedMs,
    cpuMs: {
      own: after.own - before.own,
      apiServer: after.apiServer - before.apiServer,
      etcd: after.etcd - before.etcd,
      ca: after.ca - before.ca,
    },
    requests: since(requestsBefore, await countRequests(http)),
  };
}

async function countRequests(http: RawHttp): Promise<RequestCounts> {
  return requestCounts((await http.send('GET', '/metrics')).toString('latin1'));
}

/**
 * Polls the operator's counter, rarely while much is left and often near the end: some twenty polls of a millisecond each. A
 * watch would cost the API server and this process more.
 */
async function untilIssued(operator: OperatorProcess, before: number, count: number): Promise<void> {
  const start = performance.now();
  for (;;) {
    const issued = (await operator.issued()) - before;
    if (issued >= count) return;
    const elapsed = performance.now() - start;
    if (elapsed > PATIENCE_MS) {
      throw new BenchError(`The operator issued ${issued} of ${count} in time.`, await operator.logTail());
    }
    await operator.assertRunning();
    await sleep(pollDelayMs(issued, count, elapsed));
  }
}

/** Milliseconds until the next poll: half of the time that is left at the present speed, within bounds. */
export function pollDelayMs(issued: number, count: number, elapsedMs: number): number {
  const left = issued === 0 ? 400 : (elapsedMs / issued) * (count - issued);
  return Math.min(Math.max(left / 2, 10), 1000);
}

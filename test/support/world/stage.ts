import { gunzip, gzipSync } from 'node:zlib';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { connect } from '../../../src/kube/config/credentials.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { Transport } from '../../../src/kube/transport/transport.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { type DevServer, type DevServerOptions, startDevServer } from '../../../tools/dev-server/index.ts';
import type { JournalEntry } from '../../../tools/dev-server/types.ts';
import { ClusterApi } from './cluster-api.ts';
import { controlPlane } from './control-plane.ts';
import { FastClock } from './fast-clock.ts';
import type { Traffic } from './traffic.ts';

/** Where the operators under test run. */
export interface Cluster {
  /** Path of the administrator's kubeconfig. */
  kubeconfig: string;
  server: string;
}

/** What the tests of one file share: the API server, a CA, and one clock for the CA and all operators. */
export interface Stage {
  cluster: Cluster;
  /** The test's own client, as administrator. */
  kube: KubeClient;
  dev: DevServer;
  clock: FastClock;
  /** The running operators; a `skip` waits until all of them are at rest. */
  operators: Set<Traffic>;
  /** Resolves once no operator has anything under way except requests that the CA leaves unanswered on purpose. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

const SETTLE_LIMIT_MS = 60_000;
/** Consecutive turns of event loop and thread pool in which nothing may be under way. */
const CALM_TURNS = 6;

/** Opens a stage on the shared control plane, with the CRDs installed, or on another one. */
export async function openStage(options: DevServerOptions = {}, other?: Cluster): Promise<Stage> {
  const cluster = other ?? (await sharedCluster());
  const connection = await connect({ kubeconfig: cluster.kubeconfig, clock: systemClock });
  const transport = new Transport({ connection, clock: systemClock, userAgent: 'test', connections: 8 });
  const operators = new Set<Traffic>();
  const clock = new FastClock(() => settle());
  const dev = await startDevServer({ ...options, now: clock.now });
  const calls = new OpenCalls(dev);

  async function settle(): Promise<void> {
    const started = performance.now();
    for (let calm = 0; ; calm += 1) {
      const pending = underWay(operators, calls);
      if (pending.length === 0) {
        // Nothing may run between this check and the return: time would pass for work that has just begun.
        if (calm >= CALM_TURNS) return;
        await turn();
        continue;
      }
      calm = 0;
      if (performance.now() - started > SETTLE_LIMIT_MS)
        throw new Error(`Not at rest after ${SETTLE_LIMIT_MS} ms: ${pending.join(', ')}`);
      await pause(1);
    }
  }

  return {
    cluster,
    kube: new KubeClient(transport, { fieldManager: 'test' }),
    dev,
    clock,
    operators,
    settle,
    close: async () => {
      await dev.stop();
      await transport.close();
    },
  };
}

async function sharedCluster(): Promise<Cluster> {
  const api = new ClusterApi();
  await api.installCrds();
  api.close();
  const { kubeconfig, server } = controlPlane();
  return { kubeconfig, server };
}

/** Reads of files, such as a kubeconfig that is read again, and connections being made. */
const SHORT_WORK = /^(?:FS|FileHandle|TCPConnect|GetAddrInfo)/;

function underWay(operators: ReadonlySet<Traffic>, calls: OpenCalls): string[] {
  const pending = [
    ...process.getActiveResourcesInfo().filter((resource) => SHORT_WORK.test(resource)),
    ...[...operators].flatMap((traffic) => traffic.pendingAtApiServer()),
  ];
  const elsewhere = [...operators].reduce((sum, { pendingElsewhere }) => sum + pendingElsewhere, 0);
  const hanging = calls.leftHanging();
  return elsewhere > hanging ? [...pending, `${elsewhere - hanging} calls to the CA`] : pending;
}

/** The calls to the CA that have not ended. Each ended call is checked only once, however many there were. */
class OpenCalls {
  readonly #dev: DevServer;
  #seen = 0;
  #open: JournalEntry[] = [];

  constructor(dev: DevServer) {
    this.#dev = dev;
  }

  /** How many calls the CA leaves unanswered on purpose. */
  leftHanging(): number {
    const all = [...this.#open, ...this.#dev.journal(this.#seen)];
    this.#seen = all.at(-1)?.seq ?? this.#seen;
    this.#open = all.filter(({ endedAt }) => endedAt === undefined);
    return this.#open.filter(({ fault }) => fault === 'hang' || fault === 'hold' || fault === 'late').length;
  }
}

const zipped = gzipSync('x');
const unzip = promisify(gunzip);

/** Lets the event loop and the thread pool run what is already due. */
async function turn(): Promise<void> {
  await unzip(zipped);
  await new Promise((resolve) => setImmediate(resolve));
}

/** Everything that runs while the bench measures. It is started in order and ended in reverse. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeClient } from '../src/kube/client.ts';
import { type ControlPlane, startControlPlane } from '../tools/control-plane/index.ts';
import { type CaAccess, CaLoop } from './floor/ca-loop.ts';
import { createIssuers, createNamespaces, installCrds, openClient, untilIssuersReady } from './cluster.ts';
import { DevServerProcess } from './processes/dev-server-process.ts';
import { FloorProcess } from './floor/floor-process.ts';
import { OperatorProcess } from './processes/operator-process.ts';
import { RawHttp } from './floor/raw-http.ts';
import type { NodeSetup } from './options.ts';
import type { Site } from './rounds.ts';

export interface StageOptions {
  concurrency: number;
  operator: OperatorSetup;
  /** A second operator beside the first. */
  baseline: OperatorSetup | undefined;
  /** Namespaces that no operator sees. */
  floorNamespaces: readonly string[];
  /** Folder for a CPU profile of the operator. */
  profile: string | undefined;
  /** The folder of CRDs to install beside the present ones. */
  otherCrds?: string;
  progress: (line: string) => void;
  signal: AbortSignal;
}

export interface OperatorSetup {
  bundle: string;
  /** The namespaces it looks after, and no other operator; each gets an issuer. */
  namespaces: readonly string[];
  node?: NodeSetup;
}

export interface Stage {
  site: Site;
  operator: OperatorProcess;
  baseline: OperatorProcess | undefined;
  bareFloor: FloorProcess;
  floorWithCa: FloorProcess;
}

/** What has to be ended, last one first. */
export class Cleanup {
  readonly #ends: (() => Promise<unknown>)[] = [];

  add(end: () => Promise<unknown>): void {
    this.#ends.push(end);
  }

  async run(): Promise<void> {
    for (let end = this.#ends.pop(); end; end = this.#ends.pop()) await end();
  }
}

/** Runs `run`, which adds to `cleanup` whatever it starts, and ends all of that afterwards. Rejects if `signal` aborts. */
export async function unlessStopped<T>(
  signal: AbortSignal,
  run: (cleanup: Cleanup) => Promise<T>,
): Promise<T> {
  const cleanup = new Cleanup();
  const stopped = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  try {
    return await Promise.race([run(cleanup), stopped]);
  } finally {
    await cleanup.run();
  }
}

/** What every measurement needs: an API server with the CRDs, a CA, and ways to both. */
export interface Ground {
  /** For logs; removed when the bench ends. */
  folder: string;
  plane: ControlPlane;
  dev: DevServerProcess;
  kube: KubeClient;
  /** To the API server, to create and to count. */
  http: RawHttp;
  /** How to reach the API server. */
  server: { origin: string; ca: string; cert: string; key: string };
  access: CaAccess;
  /** Knows the account's authority. */
  buyer: CaLoop;
}

/** Starts the control plane and the dev server, and installs the CRDs. */
export async function openGround(
  {
    concurrency,
    otherCrds,
    progress,
    signal,
  }: Pick<StageOptions, 'concurrency' | 'otherCrds' | 'progress' | 'signal'>,
  cleanup: Cleanup,
): Promise<Ground> {
  const folder = await mkdtemp(join(tmpdir(), 'tinycert-bench-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  progress('Starting the control plane and the dev server.');
  const plane = await startControlPlane({ progress, signal });
  cleanup.add(() => plane.stop());
  const dev = await DevServerProcess.start();
  cleanup.add(() => dev.stop());
  const kube = await openClient(plane.kubeconfig);
  cleanup.add(() => kube.transport.close());
  const server = { origin: plane.server, ca: plane.caData, cert: plane.adminCert, key: plane.adminKey };
  const http = new RawHttp({ ...server, connections: concurrency });
  cleanup.add(() => http.close());
  const { endpoint, ca, credentials } = dev;
  const access = { endpoint, ca, credentials };
  const buyer = await CaLoop.open(access, 2);
  cleanup.add(() => buyer.close());
  await installCrds(kube, otherCrds);
  return { folder, plane, dev, kube, http, server, access, buyer };
}

/**
 * Starts all processes and waits until the operators' issuers are Ready. Whatever was started is in `cleanup`, even if this
 * rejects.
 */
export async function openStage(options: StageOptions, cleanup: Cleanup): Promise<Stage> {
  const { concurrency, floorNamespaces, profile, progress } = options;
  const ground = await openGround(options, cleanup);
  const { plane, dev, kube, http, server, access, buyer } = ground;
  await createNamespaces(kube, floorNamespaces);
  const start = async (
    name: string,
    { bundle, namespaces, node }: OperatorSetup,
    profile?: string,
  ): Promise<OperatorProcess> => {
    await createNamespaces(kube, namespaces);
    await createIssuers(kube, namespaces, { ...access, authorityId: buyer.authorityId });
    const operator = await OperatorProcess.start({
      bundle,
      kubeconfig: plane.kubeconfig,
      namespaces,
      endpoint: access.endpoint,
      concurrency,
      logFile: join(ground.folder, `${name}.log`),
      profile,
      ...(node ? { node } : {}),
    });
    cleanup.add(() => operator.stop());
    return operator;
  };
  progress(`Starting the operator${options.baseline ? ', the baseline' : ''} and the two floors.`);
  const operator = await start('operator', options.operator, profile);
  const baseline = options.baseline && (await start('baseline', options.baseline));
  const { material } = await buyer.buy('floor.example.com');
  const bareFloor = await FloorProcess.start({ do: 'open', server, concurrency, source: { material } });
  cleanup.add(() => bareFloor.stop());
  const floorWithCa = await FloorProcess.start({ do: 'open', server, concurrency, source: { access } });
  cleanup.add(() => floorWithCa.stop());
  await untilIssuersReady(kube, options.operator.namespaces, () => operator.assertRunning());
  if (baseline && options.baseline)
    await untilIssuersReady(kube, options.baseline.namespaces, () => baseline.assertRunning());
  const site = { kube, http, dev, pids: plane.pids(), concurrency };
  return { site, operator, baseline, bareFloor, floorWithCa };
}

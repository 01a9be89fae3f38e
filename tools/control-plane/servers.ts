import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { apiRequest, type ApiEndpoint } from './api-request.ts';
import type { Binaries } from './binaries.ts';
import { describeExit, startDaemon, type Daemon } from './daemon.ts';
import { ControlPlaneError } from './errors.ts';
import { apiServerArgs, etcdArgs, type Layout } from './flags.ts';
import { freePorts } from './ports.ts';
import { startReaper, type Reaper } from './reaper.ts';

const READY_TIMEOUT_MS = 90_000;
const POLL_MS = 25;
const PORT_TRIES = 5;

/** Namespaces that the API server creates by itself, some time after it reports ready. */
const SYSTEM_NAMESPACES = ['default', 'kube-system', 'kube-public'];

export interface ServersConfig {
  binaries: Binaries;
  dataDir: string;
  auditLog: string | undefined;
  extraApiServerArgs: readonly string[];
  keepData: boolean;
  /** PEM: the CA, and a client certificate that may read everything. */
  caData: string;
  cert: string;
  key: string;
}

type Part = 'etcd' | 'apiServer';

/** Starts, watches, restarts and ends the two processes, and ensures that they never outlive this process. */
export class Servers {
  /** Resolves if one of them ends unexpectedly. */
  readonly died: Promise<ControlPlaneError>;

  readonly #config: ServersConfig;
  readonly #reaper: Reaper;
  readonly #daemons = new Map<Part, Daemon>();
  readonly #expected = new Set<Daemon>();
  #layout: Layout;
  #announce: (error: ControlPlaneError) => void = () => {};
  /** Until then an early end fails the start, which reports it. */
  #started = false;
  readonly #closing = new AbortController();
  #stopping: Promise<void> | undefined;
  /** What ends and starts them runs one after the other. */
  #turn: Promise<void> = Promise.resolve();

  constructor(config: ServersConfig) {
    this.#config = config;
    this.#layout = { dataDir: config.dataDir, etcdPort: 0, etcdPeerPort: 0, apiPort: 0 };
    this.#reaper = startReaper(config.keepData ? undefined : config.dataDir);
    this.died = new Promise((resolve) => {
      this.#announce = resolve;
    });
    process.once('exit', this.#killAll);
  }

  get url(): string {
    return `https://127.0.0.1:${this.#layout.apiPort}`;
  }

  get etcdUrl(): string {
    return `http://127.0.0.1:${this.#layout.etcdPort}`;
  }

  pids(): { etcd: number; apiServer: number } {
    return { etcd: this.#daemons.get('etcd')?.pid ?? 0, apiServer: this.#daemons.get('apiServer')?.pid ?? 0 };
  }

  /** Starts both on free ports and waits until they serve. Tries other ports if one was taken meanwhile. */
  async start(signal: AbortSignal | undefined): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const [etcdPort = 0, etcdPeerPort = 0, apiPort = 0] = await freePorts(3);
      this.#layout = { dataDir: this.#config.dataDir, etcdPort, etcdPeerPort, apiPort };
      try {
        await this.#launch('etcd');
        // After one refused connection the API server waits a whole second, so wait for etcd first.
        await this.#unlessDead(untilListening(etcdPort, this.#within(signal)));
        await this.#launch('apiServer');
        await this.#untilReady(signal);
        this.#started = true;
        return;
      } catch (error) {
        if (attempt === PORT_TRIES || !isPortTaken(error)) throw error;
        await this.#end('apiServer', 'SIGKILL');
        await this.#end('etcd', 'SIGKILL');
        this.#daemons.clear();
        // etcd has stored its address in its data.
        await rm(join(this.#config.dataDir, 'etcd'), { recursive: true, force: true });
      }
    }
  }

  restart(part: Part, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    return this.#inTurn(async (closing) => {
      await this.#end(part, signal);
      closing.throwIfAborted();
      await this.#launch(part);
      await this.#untilReady(undefined);
    });
  }

  /** Ends both, runs `work` on etcd's data folder, and starts them again with the same ports. */
  whileDown(work: (etcdData: string) => Promise<void>): Promise<void> {
    return this.#inTurn(async (closing) => {
      await this.#end('apiServer', 'SIGTERM');
      await this.#end('etcd', 'SIGTERM');
      // Or the wait for the new ones would find these dead.
      this.#daemons.clear();
      await work(join(this.#config.dataDir, 'etcd'));
      closing.throwIfAborted();
      await this.#launch('etcd');
      await this.#unlessDead(untilListening(this.#layout.etcdPort, this.#within(undefined)));
      await this.#launch('apiServer');
      await this.#untilReady(undefined);
    });
  }

  /** Runs `work` after what is under way, unless the control plane is stopped. */
  #inTurn(work: (closing: AbortSignal) => Promise<void>): Promise<void> {
    const closing = this.#closing.signal;
    const result = this.#turn.then(() => {
      closing.throwIfAborted();
      return work(closing);
    });
    this.#turn = result.catch(() => {});
    return result;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#tearDown();
    return this.#stopping;
  }

  async #tearDown(): Promise<void> {
    const { keepData, dataDir } = this.#config;
    // Wait for a restart under way: it must not start a server afterwards.
    this.#closing.abort(new ControlPlaneError('StartFailed', 'The control plane was stopped.'));
    await this.#turn;
    // Data that will be removed need no graceful stop.
    const signal = keepData ? 'SIGTERM' : 'SIGKILL';
    await this.#end('apiServer', signal);
    await this.#end('etcd', signal);
    process.removeListener('exit', this.#killAll);
    if (!keepData) await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    await this.#reaper.close();
  }

  readonly #killAll = (): void => {
    for (const daemon of this.#daemons.values()) {
      if (daemon.running) process.kill(daemon.pid, 'SIGKILL');
    }
  };

  async #launch(part: Part): Promise<void> {
    const { binaries, dataDir, auditLog, extraApiServerArgs } = this.#config;
    const [binary, args] =
      part === 'etcd'
        ? [binaries.etcd, etcdArgs(this.#layout)]
        : [binaries.kubeApiserver, apiServerArgs(this.#layout, auditLog, extraApiServerArgs)];
    const daemon = await startDaemon(
      binary,
      args,
      join(dataDir, `${part === 'etcd' ? 'etcd' : 'kube-apiserver'}.log`),
    );
    this.#daemons.set(part, daemon);
    this.#guard();
    void daemon.exited.then(async () => {
      this.#guard();
      if (this.#started && !this.#expected.has(daemon)) this.#announce(await deathOf(daemon));
    });
  }

  async #end(part: Part, signal: NodeJS.Signals): Promise<void> {
    const daemon = this.#daemons.get(part);
    if (daemon === undefined) return;
    this.#expected.add(daemon);
    await daemon.stop(signal);
  }

  #guard(): void {
    this.#reaper.guard(
      [...this.#daemons.values()].filter((daemon) => daemon.running).map((daemon) => daemon.pid),
    );
  }

  /** Waits for /readyz and the system namespaces. Rejects as soon as one of the processes ends. */
  #untilReady(signal: AbortSignal | undefined): Promise<void> {
    const endpoint: ApiEndpoint = { server: this.url, ...this.#config };
    return this.#unlessDead(untilReady(endpoint, this.#within(signal)));
  }

  /** The signals that end a wait: the caller's, `stop`'s, and the time limit. */
  #within(signal: AbortSignal | undefined): AbortSignal {
    const ends = [this.#closing.signal, AbortSignal.timeout(READY_TIMEOUT_MS)];
    return AbortSignal.any(signal === undefined ? ends : [...ends, signal]);
  }

  /** The result of `wait`. Rejects if a process ends first. */
  async #unlessDead(wait: Promise<void>): Promise<void> {
    const deaths = [...this.#daemons.values()].map(async (daemon) => {
      await daemon.exited;
      throw await deathOf(daemon);
    });
    try {
      await Promise.race([wait, ...deaths]);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'TimeoutError') throw error;
      const log = (await this.#daemons.get('apiServer')?.tail()) ?? [];
      throw new ControlPlaneError('StartFailed', 'The control plane did not become ready in time.', log);
    }
  }
}

/** Resolves once that loopback port accepts connections. */
async function untilListening(port: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    const accepted = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (accepted) return;
    await pause(signal);
  }
}

/** Resolves once the API server reports ready and has created its namespaces. */
async function untilReady(endpoint: ApiEndpoint, signal: AbortSignal): Promise<void> {
  for (const path of ['/readyz', ...SYSTEM_NAMESPACES.map((name) => `/api/v1/namespaces/${name}`)]) {
    for (;;) {
      const reply = await apiRequest(endpoint, 'GET', path, { timeoutMs: 5000, signal }).catch(
        () => undefined,
      );
      if (reply?.status === 200) break;
      await pause(signal);
    }
  }
}

/** Rejects with the signal's own reason, which explains why the wait ended. */
async function pause(signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await sleep(POLL_MS);
  signal.throwIfAborted();
}

async function deathOf(daemon: Daemon): Promise<ControlPlaneError> {
  const exit = await daemon.exited;
  return new ControlPlaneError(
    'ProcessDied',
    `${daemon.name} ended. ${describeExit(exit)}`,
    await daemon.tail(),
  );
}

/** Whether a process ended because its port, which was free before, is now in use. */
function isPortTaken(error: unknown): boolean {
  return (
    error instanceof ControlPlaneError &&
    error.code === 'ProcessDied' &&
    error.details.some((line) => line.includes('address already in use'))
  );
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../../tools/control-plane/ports.ts';
import { hasEnded, tied } from './children.ts';
import { BenchError } from '../errors.ts';
import { peakRssMb } from '../measure/process-usage.ts';
import { sumOf } from '../measure/prometheus.ts';
import type { NodeSetup } from '../options.ts';
import { RawHttp } from '../floor/raw-http.ts';

export interface OperatorOptions {
  bundle: string;
  kubeconfig: string;
  /** The namespaces it looks after. */
  namespaces: readonly string[];
  endpoint: string;
  concurrency: number;
  logFile: string;
  /** Folder for a CPU profile, written when it stops. */
  profile: string | undefined;
  node?: NodeSetup;
}

const STOP_MS = 20_000;

/** The operator as shipped, in a process of its own. */
export class OperatorProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly #metrics: RawHttp;

  private constructor(child: ChildProcess, pid: number, logFile: string, metricsPort: number) {
    this.#child = child;
    this.pid = pid;
    this.#logFile = logFile;
    this.#metrics = new RawHttp({ origin: `http://127.0.0.1:${metricsPort}`, connections: 1 });
  }

  static async start(options: OperatorOptions): Promise<OperatorProcess> {
    const { bundle, kubeconfig, namespaces, endpoint, concurrency, logFile, profile, node } = options;
    const [port = 0] = await freePorts(1);
    const args = [
      ...(node?.flags ?? []),
      ...(profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]),
      bundle,
      `--kubeconfig=${kubeconfig}`,
      `--namespace=${namespaces.join(',')}`,
      // Of two operators each has a journal of its own.
      `--cluster-resource-namespace=${namespaces[0]}`,
      `--allowed-endpoints=${endpoint}`,
      `--concurrency=${concurrency}`,
      `--metrics-bind-address=127.0.0.1:${port}`,
      '--health-probe-bind-address=0',
      // A process that is stopped for longer than its Lease lasts would lose it.
      '--leader-elect=false',
    ];
    const log = openSync(logFile, 'a', 0o600);
    try {
      const child = tied(
        spawn(process.execPath, args, { stdio: ['ignore', log, log], env: { ...process.env, ...node?.env } }),
      );
      await once(child, 'spawn');
      return new OperatorProcess(child, child.pid ?? 0, logFile, port);
    } finally {
      closeSync(log);
    }
  }

  /** Stops the process (SIGSTOP) until `go`. */
  pause(): void {
    this.#signal('SIGSTOP');
  }

  go(): void {
    this.#signal('SIGCONT');
  }

  /** Certificates issued since its start, from its own metrics. */
  async issued(): Promise<number> {
    const text = (await this.#metrics.send('GET', '/metrics')).toString('latin1');
    return sumOf(text, 'tinycert_certificate_issuances_total', { outcome: 'success' });
  }

  peakRssMb(): number {
    return peakRssMb(this.pid);
  }

  /** Throws with the end of its log if the process has ended. */
  async assertRunning(): Promise<void> {
    if (this.#ended) throw new BenchError('The operator ended.', await this.logTail());
  }

  async logTail(lines = 15): Promise<string[]> {
    const text = await readFile(this.#logFile, 'utf8').catch(() => '');
    return text.trimEnd().split('\n').slice(-lines);
  }

  async stop(): Promise<void> {
    await this.#metrics.close();
    if (this.#ended) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    this.#child.kill('SIGCONT');
    const over = new AbortController();
    const insist = sleep(STOP_MS, undefined, { signal: over.signal }).then(
      () => this.#child.kill('SIGKILL'),
      () => false,
    );
    await exited;
    over.abort();
    await insist;
  }

  get #ended(): boolean {
    return hasEnded(this.#child);
  }

  #signal(signal: NodeJS.Signals): void {
    if (!this.#child.kill(signal)) throw new BenchError('The operator ended.');
  }
}

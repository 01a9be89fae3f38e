import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tied } from '../../bench/processes/children.ts';
import { type RunClock, clockText } from './clock.ts';

/** How to start an operator. */
export interface OperatorOptions {
  bundle: string;
  kubeconfig: string;
  namespaces: readonly string[];
  endpoints: readonly string[];
  clock: RunClock;
  /** The folder for its logs. */
  folder: string;
  /** Whether to log enough to investigate a finding. */
  isVerbose: boolean;
  name: string;
  /** Called with a sentence if the process does not end although it has stopped working. */
  onHung: (finding: string) => void;
}

/** What a process should do to itself, in the form of `TINYCERT_FAILPOINT`. */
export interface Launch {
  failpoint?: string;
  election: boolean;
}

/** When a process led, in real milliseconds since the epoch. */
export interface Reign {
  namespaces: readonly string[];
  startedAt: number;
  from: number;
  to: number;
}

/** Longer than any message that is listened for. */
const LONGEST_MESSAGE = 100;
/** How long a process may take to end after its last line, on a busy machine. */
const TO_END_MS = 10_000;

/** One process of the operator. */
export class Operator {
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;
  readonly #stepsFile: string;
  #log = '';
  #leading = false;
  #onLeading: (() => void)[] = [];
  #ready = false;
  readonly #startedAt = Date.now();
  #ledFrom: number | undefined;
  #ledUntil: number | undefined;
  #endedAt: number | undefined;
  readonly #namespaces: readonly string[];
  readonly #onHung: () => void;
  readonly #frozenAt: number[] = [];
  #wasFrozen = false;
  #stopped = false;

  constructor(options: OperatorOptions, { failpoint, election }: Launch, incarnation: number) {
    const { bundle, kubeconfig, namespaces, endpoints, clock, folder, name, isVerbose } = options;
    this.#namespaces = namespaces;
    this.#onHung = () => options.onHung(`${name}-${incarnation} has stopped and does not end`);
    this.#stepsFile = join(folder, `${name}-${incarnation}.steps`);
    const args = [
      bundle,
      `--kubeconfig=${kubeconfig}`,
      `--namespace=${namespaces.join(',')}`,
      `--cluster-resource-namespace=${namespaces[0]}`,
      `--allowed-endpoints=${endpoints.join(',')}`,
      `--leader-elect=${election}`,
      '--metrics-bind-address=0',
      '--health-probe-bind-address=0',
      // The certificates are dated by a clock that is ahead of the API server's: those of others would look like lost ones.
      '--unclaimed-wait=0s',
      `--log-level=${isVerbose ? 'debug' : 'info'}`,
    ];
    this.#child = tied(
      spawn(process.execPath, args, {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          HOME: folder,
          TINYCERT_CLOCK: clockText(clock),
          TINYCERT_FAILPOINT_LOG: this.#stepsFile,
          ...(failpoint === undefined ? {} : { TINYCERT_FAILPOINT: failpoint }),
        },
      }),
    );
    const logFile = join(folder, `${name}.log`);
    appendFileSync(logFile, `--- ${incarnation} election=${election} ${failpoint ?? ''}\n`);
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        appendFileSync(logFile, chunk);
        this.#hear(chunk.toString());
      });
    if (!election) this.#lead();
    this.exited = new Promise((resolve) =>
      this.#child.once('close', () => {
        this.#endedAt = Date.now();
        resolve();
      }),
    );
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** When it led, if it did; until now while it runs. */
  reign(): Reign | undefined {
    if (this.#ledFrom === undefined) return undefined;
    const to = this.#ledUntil ?? this.#endedAt ?? Date.now();
    return { namespaces: this.#namespaces, startedAt: this.#startedAt, from: this.#ledFrom, to };
  }

  get leading(): boolean {
    return this.#leading && this.running;
  }

  /** Resolves once it leads or has ended. */
  whenLeading(): Promise<void> {
    if (this.#leading) return Promise.resolve();
    return Promise.race([this.exited, new Promise<void>((resolve) => this.#onLeading.push(resolve))]);
  }

  /** Whether it has taken its journal over, before which it asks no CA for anything. */
  get ready(): boolean {
    return this.#ready;
  }

  /** When it ended or was frozen, if it led, in real milliseconds since the epoch. */
  get interruptions(): readonly number[] {
    if (this.#ledFrom === undefined) return [];
    const ends = [this.#ledUntil, this.#endedAt, ...this.#frozenAt];
    return ends.filter((at) => at !== undefined);
  }

  /** Whether a SIGSTOP has stopped it. */
  get frozen(): boolean {
    const isFrozen = this.#isFrozen();
    if (isFrozen && !this.#wasFrozen) this.#frozenAt.push(Date.now());
    this.#wasFrozen = isFrozen;
    return isFrozen;
  }

  #isFrozen(): boolean {
    try {
      const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8');
      return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
    } catch {
      return false;
    }
  }

  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    if (!this.running) return;
    if (signal === 'SIGSTOP') this.#frozenAt.push(Date.now());
    this.#child.kill(signal);
  }

  /** The steps that it has reached, each as `STEP` or `STEP kill` or `STEP stop`. */
  steps(): string[] {
    if (!existsSync(this.#stepsFile)) return [];
    return readFileSync(this.#stepsFile, 'utf8').trimEnd().split('\n');
  }

  #hear(text: string): void {
    const heard = this.#log + text;
    // A line may come in two pieces.
    this.#log = heard.slice(-LONGEST_MESSAGE);
    if (!this.#leading && heard.includes('"msg":"Leading"')) this.#lead();
    if (heard.includes('"msg":"The journal is taken over"')) this.#ready = true;
    // A deposed leader may take seconds to end, and writes nothing in them.
    if (this.#leading && heard.includes('"msg":"Leadership lost"')) this.#ledUntil ??= Date.now();
    if (!this.#stopped && heard.includes('"msg":"Operator stopped"')) this.#expectEnd();
  }

  /** Nothing but the end of the process may follow. */
  #expectEnd(): void {
    this.#stopped = true;
    const isLate = setTimeout(() => {
      // One that was frozen or is being thawed has had no time.
      if (!this.running || this.frozen) return;
      this.#onHung();
      this.signal('SIGKILL');
    }, TO_END_MS);
    this.#child.once('close', () => clearTimeout(isLate));
  }

  #lead(): void {
    this.#leading = true;
    this.#ledFrom = Date.now();
    for (const wake of this.#onLeading) wake();
    this.#onLeading = [];
  }
}

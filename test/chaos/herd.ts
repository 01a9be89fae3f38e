/** The two processes of the main installation, which are killed and frozen by the plan, and restarted. */
import { setTimeout as pause } from 'node:timers/promises';
import { wishForMail } from './cacert/deeds.ts';
import { perform } from './deeds/perform.ts';
import { attemptOf, caOf, hasCertificate, someone } from './deeds/pick.ts';
import { dropSecret, recreate, renew, respec } from './deeds/resources.ts';
import { Operator, type OperatorOptions, type Reign } from './operator.ts';
import { type Order, ordersAt, type Stimulus, type StepName } from './plan.ts';
import type { Wanted } from './population.ts';
import type { Random } from './random.ts';
import type { RunState } from './run-state.ts';

/** How often a step was reached, and how often a process was killed or frozen at it. */
export interface StepCount {
  hits: number;
  kills: number;
  stops: number;
}

/** How long an order waits for its step. Recoveries begin only after all times of an attempt have passed. */
const PATIENCE_MS = { usual: 15_000, recovery: 25_000 };
const FROZEN_MS = { least: 2_500, most: 8_000 };
const LEAD_MS = 20_000;
const TO_TERMINATE_MS = 15_000;
/** The longest wait of a takeover, on the operator's clock: W + T + X of CAcert. Kills at random come within it too. */
const TAKEOVER_MS = 125_000;
/** How often an order is repeated after a process ended too early. */
const TRIES = 3;
const POLL_MS = 20;

export class Herd {
  kills = 0;
  readonly steps = new Map<string, StepCount>();
  readonly #state: RunState;
  readonly #options: readonly OperatorOptions[];
  readonly #orders: Order[];
  /** Steps at which a process must be killed and one frozen before the run may end, with the tries left for each. */
  readonly #wanted: Map<StepName, { kill: number; stop: number }>;
  readonly #random: Random;
  readonly #running = new Set<Operator>();
  /** Every process without an order to freeze. */
  readonly #wakeful: Operator[] = [];
  readonly #all: Operator[] = [];
  #calm: Promise<void>[] = [];
  readonly #again = new Map<Order, number>();
  #incarnation = 0;
  #ending = false;

  /** One process for each of the options. */
  constructor(
    state: RunState,
    options: readonly OperatorOptions[],
    orders: readonly Order[],
    covered: readonly StepName[],
    random: Random,
  ) {
    this.#state = state;
    this.#wanted = new Map(covered.map((step) => [step, { kill: TRIES, stop: TRIES }]));
    this.#options = options;
    this.#orders = [...orders];
    this.#random = random;
  }

  /** When processes led and were not frozen. */
  reigns(): Reign[] {
    return this.#wakeful.flatMap((operator) => operator.reign() ?? []);
  }

  /** When leading processes ended or were frozen. */
  interruptions(): number[] {
    return this.#all.flatMap((operator) => operator.interruptions);
  }

  get left(): number {
    return this.#orders.length;
  }

  /** Executes the orders. Resolves once none is left or the signal aborts; all processes have ended then. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#options.map((options) => this.#slot(options, signal)));
  }

  /** Keeps processes without orders running until `stop`, for the end of the run. */
  calm(): void {
    this.#calm = this.#options.map(async (options) => {
      while (!this.#ending) {
        const operator = this.#start(options, { election: true });
        this.#wakeful.push(operator);
        await operator.exited;
      }
    });
  }

  /** Restarts every process. */
  async renew(): Promise<void> {
    await Promise.all([...this.#running].map((operator) => this.#terminate(operator)));
  }

  async stop(): Promise<void> {
    this.#ending = true;
    await Promise.all([...this.#running].map((operator) => this.#terminate(operator)));
    await Promise.all(this.#calm);
  }

  async #slot(options: OperatorOptions, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#ending) {
      if (this.#orders.length === 0) this.#makeUp();
      const order = this.#orders.shift();
      if (!order) break;
      const isDone = await this.#execute(options, order, signal);
      const again = (this.#again.get(order) ?? 0) + 1;
      this.#again.set(order, again);
      if (!isDone && again < TRIES) this.#orders.push(order);
    }
  }

  /** Orders for what the plan did not achieve: a step was not reached in time, or the process ended before. */
  #makeUp(): void {
    for (const [step, left] of this.#wanted) {
      const { kills = 0, stops = 0 } = this.steps.get(step) ?? {};
      for (const [what, count] of [
        ['kill', kills],
        ['stop', stops],
      ] as const) {
        if (count > 0 || left[what] === 0) continue;
        left[what] -= 1;
        this.#orders.push(...ordersAt(step, what));
        return;
      }
    }
  }

  /** False if the process ended by itself first. */
  async #execute(options: OperatorOptions, order: Order, signal: AbortSignal): Promise<boolean> {
    const { election } = order;
    const failpoint =
      order.do === 'kill' || order.do === 'stop'
        ? `${order.step}:${order.do}:${order.do === 'kill' ? order.nth : 1}`
        : undefined;
    const operator = this.#start(options, { election, ...(failpoint === undefined ? {} : { failpoint }) });
    if (order.do === 'kill' || order.do === 'random') this.#wakeful.push(operator);
    const whom = this.#random.next();
    await Promise.race([operator.whenLeading(), pause(LEAD_MS)]);
    if (order.do !== 'random') await this.#untilReady(operator, options.clock.speed);
    if (operator.leading) await this.#happen(operator, order, whom, signal);
    if (!operator.running) {
      return order.do === 'random'
        ? false
        : order.do === 'pool' || operator.steps().some((line) => line.includes(' '));
    }
    if (order.do === 'kill' || order.do === 'random') {
      this.kills += 1;
      operator.signal('SIGKILL');
      await operator.exited;
    } else {
      await this.#terminate(operator);
    }
    return true;
  }

  /** Waits until it can ask the CAs, so that what happens then leads to its step; one that is frozen before needs nothing more. */
  async #untilReady(operator: Operator, speed: number): Promise<void> {
    const end = Date.now() + LEAD_MS + TAKEOVER_MS / speed;
    while (operator.leading && !operator.ready && !operator.frozen && Date.now() < end) await pause(POLL_MS);
  }

  async #happen(operator: Operator, order: Order, whom: number, signal: AbortSignal): Promise<void> {
    switch (order.do) {
      case 'random':
        await this.#stimulate(order.stimulus, whom);
        await Promise.race([operator.exited, pause(order.afterMs)]);
        return;
      case 'pool':
        await this.#freezeInPool(operator, order.how, whom);
        return;
      case 'kill':
      case 'stop': {
        await this.#stimulate(order.stimulus, whom);
        const isRecovery = order.stimulus.startsWith('lost');
        const end = Date.now() + (isRecovery ? PATIENCE_MS.recovery : PATIENCE_MS.usual);
        while (operator.running && Date.now() < end && !signal.aborted) {
          if (operator.frozen) {
            await this.#thaw(operator);
            return;
          }
          await pause(POLL_MS);
        }
        return;
      }
      default:
        order satisfies never;
    }
  }

  /** Resumes a frozen process once another one leads and has had some time. */
  async #thaw(operator: Operator): Promise<void> {
    const end = Date.now() + FROZEN_MS.most;
    await pause(FROZEN_MS.least);
    while (Date.now() < end && ![...this.#running].some((other) => other !== operator && other.leading))
      await pause(POLL_MS);
    operator.signal('SIGCONT');
    await Promise.race([operator.exited, pause(1_000)]);
  }

  async #freezeInPool(operator: Operator, how: 'session' | 'connections', whom: number): Promise<void> {
    const cas = Object.values(this.#state.cas);
    if (how === 'session') {
      for (const ca of cas) {
        await ca.addFault({ call: 'connect', kind: 'hold', times: 2 });
        await ca.expireSessions();
      }
    } else {
      for (const ca of cas) await ca.addFault({ call: 'cert/get', kind: 'hold', times: 200 });
      for (const wanted of this.#state.population.of('main'))
        if (!wanted.forged) await dropSecret(this.#state, wanted);
      await pause(300);
    }
    // One that is under way already would be recovered first.
    const isIdle = (wanted: Wanted): boolean =>
      hasCertificate(wanted, this.#state) && attemptOf(this.#state, wanted) === undefined;
    const asked = [0, 0.3, 0.6].map((step) => someone(this.#state, (whom + step) % 1, isIdle));
    const before = asked.map((wanted) => attemptOf(this.#state, wanted)?.id);
    for (const wanted of asked) await respec(this.#state, wanted);
    const end = Date.now() + 3_000;
    const waits = (): boolean =>
      asked.some((wanted, i) => {
        const id = attemptOf(this.#state, wanted)?.id;
        return id !== undefined && id !== before[i];
      });
    while (!waits() && Date.now() < end && operator.running) await pause(POLL_MS);
    if (waits() && operator.running) {
      operator.signal('SIGSTOP');
      this.#count('pool', 'stops');
    }
    for (const ca of cas) {
      await ca.release();
      await ca.clearFaults();
    }
    await this.#thaw(operator);
  }

  async #stimulate(stimulus: Stimulus, whom: number): Promise<void> {
    const state = this.#state;
    switch (stimulus) {
      case 'lost-issue':
        return lost('cert/new', someone(state, whom), respec);
      case 'lost-reissue':
        return lost(
          'cert/reissue',
          someone(state, whom, (wanted) => hasCertificate(wanted, state) && !isAlways(wanted)),
          renew,
        );
      case 'issue':
        return respec(state, someone(state, whom));
      case 'reissue':
        return renew(
          state,
          someone(state, whom, (wanted) => hasCertificate(wanted, state) && !isAlways(wanted)),
        );
      case 'replace':
        return renew(
          state,
          someone(state, whom, (wanted) => hasCertificate(wanted, state) && isAlways(wanted)),
        );
      case 'delete':
        return recreate(
          state,
          someone(state, whom, (wanted) => wanted.more['revocation'] !== undefined),
        );
      case 'mail':
        return wishForMail(state, whom);
      case 'lost-mail':
        await state.cacert.addFault({ call: 'ccsr', kind: 'reset-after' });
        return wishForMail(state, whom);
      case 'repair':
        return perform(state, { do: 'drop-secret' }, whom);
      default:
        return stimulus satisfies never;
    }

    async function lost(
      call: 'cert/new' | 'cert/reissue',
      wanted: Wanted,
      change: typeof respec,
    ): Promise<void> {
      await caOf(state, wanted).addFault({ call, kind: 'reset-after' });
      await change(state, wanted);
    }
  }

  #start(options: OperatorOptions, launch: { election: boolean; failpoint?: string }): Operator {
    const operator = new Operator(options, launch, this.#incarnation++);
    this.#running.add(operator);
    this.#all.push(operator);
    void operator.exited.then(() => {
      this.#running.delete(operator);
      this.#take(operator);
    });
    return operator;
  }

  /** Counts the steps that an ended process had reached. */
  #take(operator: Operator): void {
    for (const line of operator.steps()) {
      const [step = '', action] = line.split(' ');
      if (step === '') continue;
      this.#count(step, 'hits');
      if (action === 'kill') {
        this.kills += 1;
        this.#count(step, 'kills');
      }
      if (action === 'stop') this.#count(step, 'stops');
    }
  }

  #count(step: string, what: keyof StepCount): void {
    const counted = this.steps.get(step) ?? { hits: 0, kills: 0, stops: 0 };
    counted[what] += 1;
    this.steps.set(step, counted);
  }

  async #terminate(operator: Operator): Promise<void> {
    operator.signal('SIGTERM');
    operator.signal('SIGCONT');
    // A process that has stopped and does not end is a finding of its own (`onHung`).
    await Promise.race([operator.exited, pause(TO_TERMINATE_MS)]);
    operator.signal('SIGKILL');
    await operator.exited;
  }
}

function isAlways({ more }: { more: Record<string, unknown> }): boolean {
  return more['privateKey'] !== undefined;
}

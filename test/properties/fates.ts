import type { Handling, Reply } from './network.ts';

/** What becomes of one call. The CA carries it out before its answer, after the client gave up, or never. */
export interface Fate {
  acts: 'in time' | 'late' | 'never';
  answer:
    | { is: 'true' }
    /** It is true and takes long. */
    | { is: 'slow' }
    /** The connection breaks. */
    | { is: 'cut' }
    /** No answer ever comes; the client gives up. */
    | { is: 'silence' }
    | { is: 'refusal'; code: string; status: number; retryAfter?: number }
    /** A success whose body ends in the middle. */
    | { is: 'half' }
    /** The last success of the same call once more, whoever got it. */
    | { is: 'replay' };
}

/** A fate of the next calls of some name. */
export interface Fault {
  call: string;
  /** How many of them pass before it. */
  after: number;
  times: number;
  fate: Fate;
}

/** One call that arrived. Times are milliseconds of virtual time. */
export interface AnyCall {
  at: number;
  name: string;
  /** What was done to its answer; undefined if it was answered as usual. */
  fate: Fate | undefined;
}

/** The fate of a call that nothing happens to. */
const TRUE: Fate = { acts: 'in time', answer: { is: 'true' } };
const LATENCY_MS = 150;
/** A slow answer, in milliseconds: less than any client waits. */
const SLOW_MS = 8_000;
/** A late call is carried out after the client gave up, and within this time, in milliseconds. */
const LATE_MS = 15_000;

/** The faults of one CA, and how a call goes that meets one. */
export class Faults {
  readonly #random: () => number;
  readonly #giveUpMs: number;
  readonly #lastBodies = new Map<string, string>();
  #faults: Fault[] = [];

  /** `giveUpMs`: when a client gives up at the latest. */
  constructor(options: { random: () => number; giveUpMs: number }) {
    this.#random = options.random;
    this.#giveUpMs = options.giveUpMs;
  }

  /** The next calls of this name meet this fate. */
  add(fault: Fault): void {
    this.#faults.push({ ...fault });
  }

  /** The CA is well from now on. */
  clear(): void {
    this.#faults = [];
  }

  /** The fate of the next call of this name. Faults that begin later count it. `isSpared`: whether a fault leaves it alone. */
  next(name: string, isSpared: (fault: Fault) => boolean = () => false): Fate | undefined {
    for (const fault of this.#faults) {
      const { call, times, fate } = fault;
      if (times === 0 || (call !== '*' && call !== name) || isSpared(fault)) continue;
      if (fault.after > 0) {
        fault.after -= 1;
        continue;
      }
      fault.times -= 1;
      return fate;
    }
    return undefined;
  }

  /** How a call goes. `run` carries it out, and `dated` gives an answer its headers. */
  handle(call: AnyCall, run: () => Promise<Reply>, dated: (reply: Reply) => Reply): Handling {
    const { name } = call;
    const { acts, answer } = call.fate ?? TRUE;
    const earlier = this.#lastBodies.get(name);
    let reply: Reply | undefined;
    const act = async (): Promise<void> => {
      reply = await run();
      if (reply.status === 200) this.#lastBodies.set(name, reply.body);
    };
    const actsAfter = acts === 'late' ? this.#giveUpMs + 500 + this.#random() * LATE_MS : this.#latency();
    const slowness = answer.is === 'slow' ? SLOW_MS : 0;
    const heardAfter = (acts === 'in time' ? actsAfter : 0) + slowness + this.#latency();
    const shown = (): Reply | undefined => {
      const said = shownAs(answer, reply, earlier);
      return said && dated(said);
    };
    return {
      unheard: () => {
        call.fate = { acts, answer: { is: 'cut' } };
      },
      ...(acts === 'never' ? {} : { act: { afterMs: actsAfter, run: act } }),
      ...(answer.is === 'silence' ? {} : { hear: { afterMs: heardAfter, reply: shown } }),
    };
  }

  #latency(): number {
    return 1 + Math.floor(this.#random() * LATENCY_MS);
  }
}

/** What the client hears; undefined if the connection breaks. */
function shownAs(
  answer: Fate['answer'],
  reply: Reply | undefined,
  earlier: string | undefined,
): Reply | undefined {
  switch (answer.is) {
    case 'cut':
    case 'silence':
      return undefined;
    case 'refusal': {
      const { code, status, retryAfter } = answer;
      const body = JSON.stringify({ code, text: 'A fault was asked for' });
      const headers = retryAfter === undefined ? {} : { headers: { 'retry-after': String(retryAfter) } };
      return { status, body, ...headers };
    }
    case 'replay':
      return earlier === undefined ? reply : { status: 200, body: earlier };
    case 'half':
      return reply?.status === 200
        ? { ...reply, body: reply.body.slice(0, Math.max(1, reply.body.length >> 1)) }
        : reply;
    case 'true':
    case 'slow':
      return reply;
    default:
      return answer satisfies never;
  }
}

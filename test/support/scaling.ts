/** How much more CPU time twice the size may take. Linear work takes 2, quadratic work 4. */
const MOST = 2.5;
/** The minimum of `enough` measurements counts, or of up to `most` while the result is not linear; if they are long, of `long` or `longMost`. */
const MEASUREMENTS = { long: 3, longMost: 15, enough: 7, most: 35 };
/** A measurement takes at least this long, by repeating the call: shorter ones are noise. */
const LEAST_MS = 5;
/** A measurement of this length does not differ by chance. */
const PLAIN_MS = 20;
/** How much longer the longer one of two texts is. Over two doublings, what other processes do to the caches in one of them counts less. */
const TIMES = 4;
/** The shortest text, in characters: short enough for quadratic work to fail within seconds. */
const FROM = 8 * 1024;

/**
 * Expects the CPU time of `read` to grow no faster than its text, which `makeText` makes with about the given number of
 * characters, from 8 KiB to `to`. At both ends of that range it compares a text with one of four times the size, by the minimum of
 * seven measurements, of three long ones, or of more if a busy machine may have disturbed them all. An error from `read` counts as an answer.
 */
export function expectLinear(
  read: (text: string) => unknown,
  makeText: (size: number) => string,
  { to }: { to: number },
): void {
  for (const size of [FROM, Math.floor(to / TIMES)]) {
    const growth = growthOf(read, makeText(size), makeText(TIMES * size));
    if (growth > MOST)
      throw new Error(
        `not linear: from ${size} characters to ${TIMES * size}, twice as many take ${growth.toFixed(2)} times as long`,
      );
  }
}

/**
 * Expects the same of work that waits in between: `to` things at once take about as long as the same number of them, `from` at a
 * time. `prepare` makes the work on so many things, and its own time does not count.
 */
export async function expectLinearWork(
  prepare: (count: number) => () => Promise<unknown>,
  { from, to }: { from: number; to: number },
): Promise<void> {
  const times = to / from;
  const growth = new Growth(times);
  while (!growth.isKnown) {
    const few = Array.from({ length: times }, () => prepare(from));
    const small = await cpuMsOf(async () => {
      for (const work of few) await work();
    });
    growth.add(small, await cpuMsOf(prepare(to)));
  }
  if (growth.perDoubling > MOST)
    throw new Error(
      `not linear: from ${from} to ${to}, twice as many take ${growth.perDoubling.toFixed(2)} times as long`,
    );
}

/** Makes texts with runs of `part` at the beginning, in the middle and at the end, each broken by `x!`. */
export function runsOf(part: string): (size: number) => string {
  return (size) => `${part.repeat(Math.ceil(size / 3 / part.length))}x!`.repeat(3);
}

/**
 * How many times as long it takes to read twice as much. A measurement reads the short text so much more often that both take
 * about as long, and garbage collection and other processes disturb both equally.
 */
function growthOf(read: (text: string) => unknown, short: string, long: string): number {
  const calls = callsFor(read, long);
  const growth = new Growth(TIMES);
  while (!growth.isKnown) growth.add(cpuMs(read, short, TIMES * calls), cpuMs(read, long, calls));
  return growth.perDoubling;
}

/** How the CPU time grows with the size, by the least of several measurements. */
class Growth {
  readonly #times: number;
  #measured = 0;
  #small = Infinity;
  #large = Infinity;

  /** `times`: how many times as large the large size is. */
  constructor(times: number) {
    this.#times = times;
  }

  /** A measurement of the small size, so often that the work is as much, and of the large one. */
  add(small: number, large: number): void {
    this.#measured += 1;
    this.#small = Math.min(this.#small, small);
    this.#large = Math.min(this.#large, large);
  }

  /** How many times as long twice the size takes. */
  get perDoubling(): number {
    return 2 * (this.#large / this.#small) ** (1 / Math.log2(this.#times));
  }

  /** Whether more measurements would tell no more. */
  get isKnown(): boolean {
    if (this.#measured < MEASUREMENTS.long) return false;
    const isLong = this.#small > PLAIN_MS;
    if (this.perDoubling <= MOST) return isLong || this.#measured >= MEASUREMENTS.enough;
    return this.#measured >= (isLong ? MEASUREMENTS.longMost : MEASUREMENTS.most);
  }
}

/** How often to read a text for a meaningful measurement. */
function callsFor(read: (text: string) => unknown, text: string): number {
  let calls = 1;
  const isShort = (): boolean => cpuMs(read, text, calls) < LEAST_MS;
  // Three times, since the first includes the engine's compilation.
  while (isShort() || isShort() || isShort()) calls *= 2;
  return calls;
}

async function cpuMsOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  return sinceMs(before);
}

function cpuMs(read: (text: string) => unknown, text: string, calls: number): number {
  const before = process.cpuUsage();
  for (let call = 0; call < calls; call += 1) {
    try {
      read(text);
    } catch {
      // A refusal is as good as any answer.
    }
  }
  return sinceMs(before);
}

function sinceMs(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

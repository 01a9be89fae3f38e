/** How much more CPU time twice the text may take. Linear work takes 2, quadratic work 4. */
const MOST = 2.5;
/** The least of so many measurements counts, and of up to so many while they are too far apart for linear work. */
const MEASUREMENTS = { enough: 7, most: 35 };
/** A measurement goes on for at least so long, by more calls of the same kind: shorter ones are noise. */
const LEAST_MS = 5;
/** What takes so long is not far apart by chance. */
const PLAIN_MS = 20;
/** The shortest text, in characters: so short that quadratic work fails within seconds. */
const FROM = 8 * 1024;

/**
 * Expects that the CPU time of `read` grows no faster than its text, which `makeText` makes of about so many characters,
 * from 8 KiB up to `to`. Both ends of that range are looked at, each by a text and its double, at the least of seven
 * measurements; of more while a busy machine may have disturbed them all. What `read` throws is taken for an answer.
 */
export function expectLinear(
  read: (text: string) => unknown,
  makeText: (size: number) => string,
  { to }: { to: number },
): void {
  for (const size of [FROM, Math.floor(to / 2)]) {
    const growth = growthOf(read, makeText(size), makeText(2 * size));
    if (growth > MOST)
      throw new Error(
        `not linear: twice as many characters as ${size} take ${growth.toFixed(2)} times as long`,
      );
  }
}

/** Makes texts with runs of `part` at the beginning, in the middle and at the end, each of them broken by `x!`. */
export function runsOf(part: string): (size: number) => string {
  return (size) => `${part.repeat(Math.ceil(size / 3 / part.length))}x!`.repeat(3);
}

/**
 * How many times as long a reading of the double text takes. The single one is read twice as often in a measurement, so
 * that both take about as long, and garbage and other processes come in their way about as often.
 */
function growthOf(read: (text: string) => unknown, single: string, double: string): number {
  const calls = callsFor(read, double);
  const least = { single: Infinity, double: Infinity };
  const growth = (): number => (2 * least.double) / least.single;
  for (let measured = 0; measured < MEASUREMENTS.most; measured += 1) {
    const isSettled = measured >= MEASUREMENTS.enough && (growth() <= MOST || least.single > PLAIN_MS);
    if (isSettled) break;
    least.single = Math.min(least.single, cpuMs(read, single, 2 * calls));
    least.double = Math.min(least.double, cpuMs(read, double, calls));
  }
  return growth();
}

/** How often a text is to be read for a measurement that means something. */
function callsFor(read: (text: string) => unknown, text: string): number {
  let calls = 1;
  const isShort = (): boolean => cpuMs(read, text, calls) < LEAST_MS;
  // Three times, as the first also takes what the engine needs to compile.
  while (isShort() || isShort() || isShort()) calls *= 2;
  return calls;
}

function cpuMs(read: (text: string) => unknown, text: string, calls: number): number {
  const before = process.cpuUsage();
  for (let call = 0; call < calls; call += 1) {
    try {
      read(text);
    } catch {
      // A refusal is as good as any other answer.
    }
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

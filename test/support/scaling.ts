/** How much more CPU time a text of twice the size may take. Linear work takes 2, quadratic work 4. */
const MOST = 2.5;
/** The minimum of `enough` measurements counts, or of up to `most` while the result is not linear; of `long` ones if they are long. */
const MEASUREMENTS = { long: 3, enough: 7, most: 35 };
/** A measurement takes at least this long, by repeating the call: shorter ones are noise. */
const LEAST_MS = 5;
/** A measurement of this length does not differ by chance. */
const PLAIN_MS = 20;
/** The shortest text, in characters: short enough for quadratic work to fail within seconds. */
const FROM = 8 * 1024;

/**
 * Expects the CPU time of `read` to grow no faster than its text, which `makeText` makes with about the given number of
 * characters, from 8 KiB to `to`. At both ends of that range it compares a text with one of twice the size, by the minimum of
 * seven measurements, of three long ones, or of more if a busy machine may have disturbed them all. An error from `read` counts as an answer.
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

/** Makes texts with runs of `part` at the beginning, in the middle and at the end, each broken by `x!`. */
export function runsOf(part: string): (size: number) => string {
  return (size) => `${part.repeat(Math.ceil(size / 3 / part.length))}x!`.repeat(3);
}

/**
 * How many times as long it takes to read the double text. A measurement reads the single text twice as often, so both take
 * about as long, and garbage collection and other processes disturb both equally.
 */
function growthOf(read: (text: string) => unknown, single: string, double: string): number {
  const calls = callsFor(read, double);
  const least = { single: Infinity, double: Infinity };
  const growth = (): number => (2 * least.double) / least.single;
  for (let measured = 0; measured < MEASUREMENTS.most; measured += 1) {
    const isLong = least.single > PLAIN_MS && least.single < Infinity;
    if (measured >= MEASUREMENTS.enough && (growth() <= MOST || isLong)) break;
    if (measured >= MEASUREMENTS.long && isLong && growth() <= MOST) break;
    least.single = Math.min(least.single, cpuMs(read, single, 2 * calls));
    least.double = Math.min(least.double, cpuMs(read, double, calls));
  }
  return growth();
}

/** How often to read a text for a meaningful measurement. */
function callsFor(read: (text: string) => unknown, text: string): number {
  let calls = 1;
  const isShort = (): boolean => cpuMs(read, text, calls) < LEAST_MS;
  // Three times, since the first includes the engine's compilation.
  while (isShort() || isShort() || isShort()) calls *= 2;
  return calls;
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
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

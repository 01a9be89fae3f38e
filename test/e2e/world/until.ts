import { setTimeout as sleep } from 'node:timers/promises';

/** A wait for the cluster was too long. */
export class TooLate extends Error {}

const POLL_MS = 250;

/**
 * Looks until there is something other than undefined, and returns it. Fails after `seconds` with what was waited for. A look that fails
 * ends the wait too.
 */
export async function until<T>(what: string, look: () => Promise<T | undefined>, seconds = 60): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new TooLate(`Not within ${seconds} s: ${what}.`);
    await sleep(POLL_MS);
  }
}

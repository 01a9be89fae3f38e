/**
 * Repeats the measurement behind docs/adr/0010: how long RSA keys take, and how late the event loop is meanwhile.
 * Run: npm run bench:rsa-keys
 */
import { generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RsaKeySize, generateRsaKey } from '../src/x509/generate-rsa-key.ts';
import { createSigningRequest } from '../src/x509/signing-request.ts';

const SIZES: readonly RsaKeySize[] = [2048, 3072, 4096];
const KEYS = 12;

interface Delay {
  name: string;
  /** Milliseconds for each key, sorted. */
  took: number[];
  /** How late the loop was, in milliseconds beyond the timer's millisecond. */
  p50: number;
  p99: number;
  max: number;
}

/** Runs `step` so many times, beside a timer that should fire each millisecond. */
async function measure(name: string, times: number, step: () => unknown): Promise<Delay> {
  await sleep(50);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const took: number[] = [];
  for (let i = 0; i < times; i += 1) {
    const started = performance.now();
    await step();
    took.push(performance.now() - started);
    // Let the blocked timer fire.
    await sleep(5);
  }
  delay.disable();
  const ms = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - 1);
  return {
    name,
    took: took.sort((a, b) => a - b),
    p50: ms(delay.percentile(50)),
    p99: ms(delay.percentile(99)),
    max: ms(delay.max),
  };
}

function row({ name, took, p50, p99, max }: Delay): string {
  const middle = took[took.length >> 1] ?? 0;
  const cells = [middle, took.at(-1) ?? 0, p50, p99, max].map((ms) => ms.toFixed(1));
  return `| ${name} | ${cells.join(' | ')} |`;
}

const never = new AbortController().signal;
const rows = [await measure('nothing (sleeping 200 ms)', KEYS, () => sleep(200))];
for (const bits of SIZES) {
  rows.push(await measure(`${bits}, on a thread`, KEYS, () => generateRsaKey(bits, never)));
}
rows.push(
  await measure('4096, in the loop (`generateKeyPairSync`)', KEYS, () =>
    generateKeyPairSync('rsa', { modulusLength: 4096 }),
  ),
);
const key = await generateRsaKey(4096, never);
rows.push(
  await measure('a request signed with 4096', KEYS, () => createSigningRequest({ key, commonName: 'bench' })),
);
const stop = new AbortController();
const background = (async () => {
  while (!stop.signal.aborted) await generateRsaKey(4096, never);
})();
rows.push(
  await measure('reading a file while 4096-bit keys are made', 200, () => readFile(import.meta.filename)),
);
stop.abort();
await background;

console.log(`| ${KEYS} each | took, median (ms) | took, max | loop late, p50 (ms) | p99 | max |`);
console.log('|---|---|---|---|---|---|');
for (const each of rows) console.log(row(each));

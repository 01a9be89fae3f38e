import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { findingsOf } from './run.ts';
import { sequences } from './sequences.ts';

/** The usual number of sequences, unless `PROPERTY_RUNS` says another one. */
const RUNS = 20;
/** So that the usual run is the same everywhere. */
const SEED = 20_260_101;

const { PROPERTY_RUNS, PROPERTY_SEED, PROPERTY_REPLAY } = process.env;
const runs = Number(PROPERTY_RUNS ?? RUNS);

async function holds(sequence: Parameters<typeof findingsOf>[0]): Promise<void> {
  expect(await findingsOf(sequence)).toEqual([]);
}

test(
  'whatever the CAs answer and users do: few calls, no wait without end, true conditions, bought once, nothing left',
  async () => {
    expect.hasAssertions();
    if (PROPERTY_REPLAY !== undefined) {
      await holds(JSON.parse(PROPERTY_REPLAY) as Parameters<typeof findingsOf>[0]);
      return;
    }
    await fc.assert(fc.asyncProperty(sequences, holds), {
      numRuns: runs,
      seed: Number(PROPERTY_SEED ?? SEED),
      endOnFailure: false,
    });
  },
  Math.max(60_000, runs * 5_000),
);

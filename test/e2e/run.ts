import { explain } from '../../tools/control-plane/index.ts';
import type { Cluster } from './clusters/cluster.ts';
import type { Event, Figures, TestResult } from './result.ts';
import { TRIALS } from './trials/index.ts';
import type { Trial } from './trials/trial.ts';
import { removeNamespaces } from './world/certificates.ts';
import { createWorld, type Supplies, type World } from './world/world.ts';
import { diagnosis } from './world/diagnosis.ts';

const TICK_MS = 20_000;
/** Of certificates, unless a test asks for another one. */
const VALIDITY = '365d';

/** Runs the tests, one after the other, in a cluster that is there. Each result is reported when it is known. */
export async function runTrials(
  cluster: Cluster,
  supplies: Supplies,
  only: readonly string[],
  folder: string,
  report: (event: Event) => void,
): Promise<void> {
  const say = (line: string): void => report({ kind: 'progress', line });
  const world = await createWorld(cluster, supplies, folder, say);
  try {
    await cluster.load(supplies.operatorArchive);
    const wanted = TRIALS.filter(
      ({ name, applies }) => (only.length === 0 || only.includes(name)) && (applies?.(world) ?? true),
    );
    const unable = only.filter((name) =>
      TRIALS.some((trial) => trial.name === name && !wanted.includes(trial)),
    );
    if (unable.length > 0)
      throw new Error(`There is nothing to upgrade from: name a revision with --upgrade-from.`);
    for (const trial of wanted) report({ kind: 'test', test: await runOne(trial, world) });
  } finally {
    await world.close();
  }
}

async function runOne(trial: Trial, world: World): Promise<TestResult> {
  const { name } = trial;
  world.say(`${name}: ${trial.about}.`);
  const startedAt = performance.now();
  const ticker = setInterval(() => world.say(`${name}: ${Math.round(seconds())} s.`), TICK_MS);
  const seconds = (): number => Number(((performance.now() - startedAt) / 1000).toFixed(1));
  try {
    const figures: Figures = await Promise.race([trial.run(world), failure(world.cluster.died)]);
    await removeNamespaces(world);
    return { name, result: 'passed', seconds: seconds(), figures };
  } catch (error) {
    const after = seconds();
    const reason = [explain(error), ...(await diagnosis(world))].join('\n    ');
    // What the next test finds must not depend on this one. If it cannot be removed, the next one says so.
    await removeNamespaces(world).catch(() => {});
    return { name, result: 'failed', seconds: after, error: reason };
  } finally {
    clearInterval(ticker);
    world.ca.clearFaults();
    world.ca.release();
    await world.ca.setOptions({ validity: VALIDITY });
  }
}

async function failure(reason: Promise<Error>): Promise<never> {
  throw await reason;
}

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Ca } from './ca.ts';
import { TIMING, type RunClock } from './clock.ts';
import { authorityIds, certificatePath, furnish, openCluster, setCrd } from './cluster.ts';
import { create, dropSecret, perform, recreate, respec } from './deeds.ts';
import { Herd } from './herd.ts';
import { History, type Status } from './history.ts';
import { Operator, type OperatorOptions, type Reign } from './operator.ts';
import type { Options } from './options.ts';
import { coversAll, makePlan, type Planned, STEPS, type StepName } from './plan.ts';
import { MAIN, OTHER, Population, type Wanted } from './population.ts';
import { Random } from './random.ts';
import { type Result, resultOf } from './report.ts';
import type { RunState } from './run-state.ts';
import { traceCa, traceVersions } from './trace.ts';
import { judge, type Verdict } from './verdict.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const BUNDLE = join(root, 'dist/failpoints/operator.js');
const POLL_MS = 500;

/** One run, from an empty etcd to the verdict. */
export async function runChaos(options: Options, progress: (line: string) => void): Promise<Result> {
  const { seed, certificates, kills, durationLimit, speed } = options;
  progress(`Seed ${seed}.`);
  buildOperator();
  const folder = options.logs ?? mkdtempSync(join(tmpdir(), 'chaos-'));
  mkdirSync(folder, { recursive: true });
  const clock: RunClock = { speed, epoch: Date.now() };
  const random = new Random(seed);
  const cluster = await openCluster(progress);
  const ca = await Ca.start(clock);
  const population = new Population(certificates, random.fork());
  const history = new History(cluster.etcd, clock, (place) => {
    const [namespace = '', name = ''] = place.split('/');
    return population.find(namespace, name) !== undefined;
  });
  if (options.logs !== undefined) traceVersions(cluster.etcd, clock, folder);
  let turns = 0;
  const state: RunState = {
    clock,
    cluster,
    ca,
    history,
    population,
    authorities: await authorityIds(ca),
    turn: () => (turns += 1),
    allowances: new Map(),
    forgotten: new Set(),
    isOutdated: false,
    done: new Map(),
    background: new Set(),
    progress,
    killOther: () => {},
    over: new AbortController(),
  };
  const common = {
    bundle: BUNDLE,
    kubeconfig: cluster.plane.kubeconfig,
    endpoint: ca.ready.endpoint,
    clock,
    folder,
    isVerbose: options.logs !== undefined,
  };
  const mains = ['main-a', 'main-b'].map((name): OperatorOptions => ({ ...common, namespaces: MAIN, name }));
  const steps = builtSteps();
  const plan = makePlan(seed, kills, speed, steps);
  const covered = coversAll(kills, steps) ? steps : [];
  const herd = new Herd(state, mains, plan.orders, covered, random.fork());
  const other = new Other({ ...common, namespaces: OTHER, name: 'other' });
  state.killOther = () => other.kill();
  try {
    await furnish(cluster.kube, ca);
    const over = new AbortController();
    const limit = setTimeout(() => over.abort(), durationLimit);
    const others = other.run();
    const creation = createAll(state);
    const deeds = runDeeds(state, plan.deeds, over.signal);
    const ticker = setInterval(() => progress(`${herd.kills} kills, ${herd.left} orders left`), 10_000);
    await herd.run(over.signal);
    over.abort();
    clearTimeout(limit);
    clearInterval(ticker);
    await creation;
    await deeds;
    progress('The last fault is over.');
    await heal(state);
    herd.calm();
    const healed = Promise.all(state.background).then(() => undo(state));
    const startAnew = async (): Promise<void> => {
      await Promise.all([herd.renew(), other.renew()]);
    };
    const reigns = (): Reign[] => [...herd.reigns(), ...other.reigns()];
    const { verdict, stuck } = await settle(state, reigns, options, startAnew);
    await herd.stop();
    await other.stop();
    await others;
    // No operator is left for those that still wait.
    state.over.abort();
    await healed;
    if (options.logs !== undefined) await traceCa(ca, folder);
    const struck = (await ca.journal()).filter(({ fault }) => fault !== undefined).length;
    const faults = struck + [...state.done.values()].reduce((sum, n) => sum + n, 0);
    progress(`Deeds: ${[...state.done].map(([deed, n]) => `${deed} ${n}`).join(', ')}.`);
    return resultOf({
      seed,
      kills: herd.kills + other.kills,
      faults,
      verdict,
      stuck,
      steps: herd.steps,
      covered,
    });
  } finally {
    await herd.stop();
    await other.stop();
    await ca.stop();
    await cluster.close();
    if (options.logs === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

/** The second installation: one process, restarted whenever it ends. */
class Other {
  kills = 0;
  readonly #options: OperatorOptions;
  #operator: Operator | undefined;
  readonly #all: Operator[] = [];
  #ending = false;

  constructor(options: OperatorOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    while (!this.#ending) {
      this.#operator = new Operator(this.#options, { election: true }, this.#all.length);
      this.#all.push(this.#operator);
      await this.#operator.exited;
    }
  }

  reigns(): Reign[] {
    return this.#all.flatMap((operator) => operator.reign() ?? []);
  }

  kill(): void {
    if (!this.#operator?.running) return;
    this.kills += 1;
    this.#operator.signal('SIGKILL');
  }

  async renew(): Promise<void> {
    this.#operator?.signal('SIGTERM');
    await this.#operator?.exited;
  }

  stop(): Promise<void> {
    this.#ending = true;
    return this.renew();
  }
}

async function createAll(state: RunState): Promise<void> {
  for (const wanted of state.population.all) await create(state, wanted);
}

async function runDeeds(state: RunState, deeds: readonly Planned[], signal: AbortSignal): Promise<void> {
  for (const { afterMs, deed, whom } of deeds) {
    await pause(afterMs);
    if (signal.aborted) return;
    await perform(state, deed, whom);
  }
}

/** Ends all faults. */
async function heal(state: RunState): Promise<void> {
  const { ca, cluster } = state;
  await ca.clearFaults();
  await ca.release();
  await ca.setOptions({ listening: true, passphrase: ca.ready.passphrase, rateLimit: null, validity: '2h' });
  await setCrd(cluster.kube, 'released');
}

/** Restores specs that can be fulfilled. */
async function undo(state: RunState): Promise<void> {
  const { cluster } = state;
  for (const wanted of state.population.all) {
    if (wanted.more['desiredStatus'] === 'Revoked') await recreate(state, wanted);
    else if (wanted.more['desiredStatus'] !== undefined)
      await cluster.kube.must('PATCH', certificatePath(wanted), { spec: { desiredStatus: 'Good' } }, [404]);
  }
}

/** Waits until everything is at rest, then until the witnesses find nothing, each up to its limit. */
async function settle(
  state: RunState,
  reigns: () => Reign[],
  { settle, speed }: Options,
  startAnew: () => Promise<void>,
): Promise<{ verdict: Verdict; stuck: string[] }> {
  const started = Date.now();
  const least = started + (TIMING.sendWindow + TIMING.callDeadline + TIMING.lateExecution) / speed;
  const seconds = (): string => ((Date.now() - started) / 1_000).toFixed(1);
  let stuck: string[];
  do {
    await pause(POLL_MS);
    await helpThoseWhoWait(state);
    stuck = stuckOf(state);
  } while ((stuck.length > 0 || Date.now() < least) && Date.now() < started + settle);
  state.progress(`${stuck.length} stuck after ${seconds()} s.`);
  // Restart, since the inventory runs at a start and then only at long intervals.
  await startAnew();
  const end = Date.now() + settle;
  let verdict: Verdict;
  do {
    await pause(POLL_MS);
    verdict = await verdictOf(state, reigns());
  } while (!resultIsQuiet(verdict) && Date.now() < end);
  state.progress(`At rest after ${seconds()} s.`);
  return { verdict, stuck };
}

function resultIsQuiet({ lost, orphansWitnessed, orphansReported }: Verdict): boolean {
  return (
    lost.length === 0 &&
    orphansWitnessed.length === orphansReported.length &&
    orphansWitnessed.every((id) => orphansReported.includes(id))
  );
}

/**
 * Does what a condition asks of a person: about a forged status without any remaining proof of the truth, and about a Secret
 * whose label somebody removed before the resource was created again.
 */
async function helpThoseWhoWait(state: RunState): Promise<void> {
  for (const { metadata, status } of state.history.certificates()) {
    const wanted = state.population.find(metadata.namespace ?? '', metadata.name);
    const { conditions = [] } = (status ?? {}) as Status;
    if (!wanted) continue;
    if (conditions.some(({ reason }) => reason === 'SecretNotOwned')) await dropSecret(state, wanted);
    if (wanted.forged === 0 || !conditions.some(({ reason }) => reason === 'SealBroken')) continue;
    wanted.forged = 0;
    await respec(state, wanted);
  }
}

async function verdictOf(state: RunState, reigns: readonly Reign[]): Promise<Verdict> {
  const { ca, history, population, allowances, forgotten } = state;
  const [certificates, journal, authorities] = await Promise.all([
    ca.certificates(),
    ca.journal(),
    ca.authorities(),
  ]);
  return judge({
    certificates,
    journal,
    authorities,
    history,
    tags: population.tags,
    allowances,
    forgotten,
    reigns,
    rekeys: ({ namespace, name }) => population.find(namespace, name)?.more['privateKey'] !== undefined,
  });
}

/** The resources that are not Ready for the present spec or do not exist, with the reason, and attempts that are still open. */
function stuckOf({ population, history }: RunState): string[] {
  const present = new Map(
    history.certificates().map((one) => [`${one.metadata.namespace}/${one.metadata.name}`, one]),
  );
  const open = history
    .journals()
    .entries.map(({ id, uid }) => `${history.placeOf(uid) ?? uid}: attempt ${id} is still in the journal`);
  const unready = population.all.flatMap((wanted: Wanted) => {
    const place = `${wanted.namespace}/${wanted.name}`;
    const resource = present.get(place);
    if (!resource) return [`${place} is not there`];
    const { conditions = [] } = (resource.status ?? {}) as Status;
    const ready = conditions.find(({ type }) => type === 'Ready');
    if (ready?.status === 'True' && ready.observedGeneration === resource.metadata.generation) return [];
    return [`${place}: ${ready ? `${ready.reason}: ${ready.message}` : 'no condition'}`];
  });
  return [...unready, ...open];
}

/** The steps in this build of the operator. */
function builtSteps(): StepName[] {
  const text = readFileSync(BUNDLE, 'utf8');
  return STEPS.filter((step) => text.includes(`failpoint("${step}")`));
}

function buildOperator(): void {
  const { status, stderr } = spawnSync(process.execPath, ['tools/build/build.ts', '--failpoints'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`The operator cannot be built:\n${stderr}`);
}

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Ca } from './ca.ts';
import { settle, type Witnessed } from './settle.ts';
import type { RunClock } from './clock.ts';
import { authorityIds, certificatePath, furnish, openCluster, setCrd } from './cluster.ts';
import { perform } from './deeds/perform.ts';
import { create, recreate } from './deeds/resources.ts';
import { Herd } from './herd.ts';
import { History } from './witness/history.ts';
import { CAcert } from './cacert/ca.ts';
import { createMail, furnishMail } from './cacert/deeds.ts';
import { MailHistory } from './cacert/history.ts';
import { MailPopulation } from './cacert/population.ts';
import { Operator, type OperatorOptions, type Reign } from './operator.ts';
import type { Options } from './options.ts';
import { coversAll, makePlan, type Planned, STEPS, type StepName } from './plan.ts';
import { MAIN, OTHER, Population } from './population.ts';
import { Random } from './random.ts';
import { type Result, resultOf } from './report.ts';
import type { RunState } from './run-state.ts';
import { traceCa, traceVersions } from './trace.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const BUNDLE = join(root, 'dist/failpoints/operator.js');
/** A CAcert certificate for so many others. */
const OTHERS_PER_MAIL = 6;

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
  const [near, far, cacert] = await Promise.all([
    Ca.start('near', clock),
    Ca.start('far', clock),
    CAcert.start(clock),
  ]);
  const cas = { near, far };
  const population = new Population(certificates, random.fork());
  const history = new History(cluster.etcd, clock, (place) => {
    const [namespace = '', name = ''] = place.split('/');
    return population.find(namespace, name) !== undefined;
  });
  const mails = new MailPopulation(Math.ceil(certificates / OTHERS_PER_MAIL));
  const mailHistory = new MailHistory(cluster.etcd, clock, (place) => mails.find(place) !== undefined);
  if (options.logs !== undefined) traceVersions(cluster.etcd, clock, folder);
  let turns = 0;
  const state: RunState = {
    clock,
    cluster,
    cas,
    history,
    population,
    cacert,
    mails,
    mailHistory,
    authorities: await authorityIds(cas),
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
  const hung: string[] = [];
  const common = {
    bundle: BUNDLE,
    kubeconfig: cluster.plane.kubeconfig,
    endpoints: [near, far, cacert].map(({ ready }) => ready.endpoint),
    clock,
    folder,
    isVerbose: options.logs !== undefined,
    onHung: (finding: string) => hung.push(finding),
  };
  const mains = ['main-a', 'main-b'].map((name): OperatorOptions => ({ ...common, namespaces: MAIN, name }));
  const steps = builtSteps();
  const plan = makePlan(seed, kills, speed, steps);
  const covered = coversAll(kills, steps) ? steps : [];
  const herd = new Herd(state, mains, plan.orders, covered, random.fork());
  const other = new Other({ ...common, namespaces: OTHER, name: 'other' });
  state.killOther = () => other.kill();
  try {
    await furnish(cluster.kube, cas);
    await furnishMail(state, MAIN);
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
    const witnessed = (): Witnessed => ({
      reigns: [...herd.reigns(), ...other.reigns()],
      interruptions: herd.interruptions(),
    });
    const { verdict, mail, stuck } = await settle(state, witnessed, options, startAnew);
    await herd.stop();
    await other.stop();
    await others;
    // No operator is left for those that still wait.
    state.over.abort();
    await healed;
    if (options.logs !== undefined) {
      for (const ca of [near, far]) await traceCa(ca.name, ca, folder);
      await traceCa('cacert', cacert, folder);
    }
    const calls = (await Promise.all([near.journal(), far.journal(), cacert.journal()])).flat();
    const struck = calls.filter(({ fault }) => fault !== undefined).length;
    const faults = struck + [...state.done.values()].reduce((sum, n) => sum + n, 0);
    progress(`Deeds: ${[...state.done].map(([deed, n]) => `${deed} ${n}`).join(', ')}.`);
    return resultOf({
      seed,
      kills: herd.kills + other.kills,
      faults,
      verdict,
      mail,
      stuck: [...stuck, ...hung],
      steps: herd.steps,
      covered,
    });
  } finally {
    await herd.stop();
    await other.stop();
    await Promise.all([near.stop(), far.stop(), cacert.stop()]);
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
  for (const wanted of state.mails.all) await createMail(state, wanted);
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
  const { cas, cacert, cluster } = state;
  await cacert.clearFaults();
  await cacert.release();
  for (const ca of Object.values(cas)) {
    await ca.clearFaults();
    await ca.release();
    await ca.setOptions({
      listening: true,
      passphrase: ca.ready.passphrase,
      rateLimit: null,
      validity: '2h',
    });
  }
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

/** The steps in this build of the operator. */
function builtSteps(): StepName[] {
  const folder = dirname(BUNDLE);
  const files = readdirSync(folder, { encoding: 'utf8', recursive: true }).filter((file) =>
    file.endsWith('.js'),
  );
  const text = files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n');
  const steps = STEPS.filter((step) => text.includes(`failpoint("${step}")`));
  if (steps.length === 0) throw new Error(`There is no failpoint in ${folder}.`);
  return steps;
}

function buildOperator(): void {
  const { status, stderr } = spawnSync(process.execPath, ['tools/build/build.ts', '--failpoints'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`The operator cannot be built:\n${stderr}`);
}

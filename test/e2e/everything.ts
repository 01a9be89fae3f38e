import { cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { version } from '../../src/operator/version.ts';
import { HELM_VERSION } from '../../tools/control-plane/versions.ts';
import { isolate, makePremises, type Premises } from '../../tools/node/isolation.ts';
import { requireMachine } from '../../tools/node/requirements.ts';
import { readTraces } from '../../tools/node/traces.ts';
import { TRAEFIK_VERSION } from '../../tools/node/versions.ts';
import { hasDocker, startKindCluster } from './clusters/kind.ts';
import type { Orders } from './inside.ts';
import { TEAR_DOWN, type Options } from './options.ts';
import { eventOf, lineOf, type Event, type Phase, type RunResult, type TestResult } from './result.ts';
import { runTrials } from './run.ts';
import { gather, type Measure } from './supplies.ts';
import { checkAfterKill, checkAfterRun, MARK } from './tear-down.ts';

const INSIDE = fileURLToPath(new URL('inside.ts', import.meta.url));

/** What a run has found out so far. */
interface Findings {
  phases: Phase[];
  tests: TestResult[];
  versions: Record<string, string>;
}

/** Everything from nothing to the result. Nothing is left on the machine but the cache, however it ends. */
export async function runEverything(
  options: Options,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<RunResult> {
  const startedAt = performance.now();
  const kind = (await hasDocker()) ? 'kind' : 'node';
  if (kind === 'node') await requireMachine();
  const before = await readTraces(MARK);
  const findings: Findings = {
    phases: [],
    tests: [],
    versions: { operator: version, helm: HELM_VERSION, traefik: TRAEFIK_VERSION, node: process.version },
  };
  const measure: Measure = async (name, work) => {
    const from = performance.now();
    const done = await work();
    findings.phases.push({ name, seconds: Number(((performance.now() - from) / 1000).toFixed(1)) });
    return done;
  };
  const listen = (event: Event): void => {
    if (event.kind === 'progress') progress(event.line);
    else if (event.kind === 'versions') Object.assign(findings.versions, event.versions);
    else if (event.kind === 'phase') findings.phases.push(event.phase);
    else if (event.kind === 'test') {
      findings.tests.push(event.test);
      progress(lineOf(event.test));
    } else if (event.kind === 'failed') {
      findings.tests.push({ name: 'cluster', result: 'failed', seconds: 0, error: event.error });
      progress(event.error);
    }
  };
  const premises = await makePremises();
  let killed: TestResult | undefined;
  try {
    const supplies = await gather(options, kind, premises.folder, measure, progress, signal);
    const only = options.only.filter((name) => !(TEAR_DOWN as readonly string[]).includes(name));
    const onlyTearDown = options.only.length > 0 && only.length === 0;
    const orders: Orders = {
      folder: premises.folder,
      name: premises.name,
      supplies,
      only: onlyTearDown ? undefined : only,
      keep: options.keep,
    };
    if (kind === 'kind') await runInKind(orders, listen, signal);
    else await runInNode(premises, orders, listen, progress, signal);
    if (kind === 'node' && isWanted(options, 'clean-after-kill') && !signal.aborted) {
      killed = await checkAfterKill(supplies, progress);
    }
    if (options.logs !== undefined) await saveLogs(premises.folder, options.logs);
  } finally {
    progress('Taking everything down.');
    await measure('take down', () => premises.reaper.close());
  }
  if (kind === 'node' && isWanted(options, 'clean-after-run'))
    findings.tests.push(await checkAfterRun(before));
  if (killed !== undefined) findings.tests.push(killed);
  return { cluster: kind, ...findings, seconds: Math.round((performance.now() - startedAt) / 1000) };
}

function isWanted({ only }: Options, name: (typeof TEAR_DOWN)[number]): boolean {
  return only.length === 0 || only.includes(name);
}

async function runInNode(
  premises: Premises,
  orders: Orders,
  listen: (event: Event) => void,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const file = join(premises.folder, 'orders.json');
  await writeFile(file, JSON.stringify(orders));
  const inside = await isolate(premises, [INSIDE, file], {
    stderrFile: join(premises.folder, 'inside.log'),
    onLine(line) {
      const event = eventOf(line);
      listen(event);
      if (event.kind === 'kept') {
        const enter = `nsenter --target $(pgrep --parent ${inside.pid}) --net --mount --pid`;
        progress(
          `The cluster stays until Ctrl-C. ${enter} ${orders.supplies.kubectl} --kubeconfig=${event.kubeconfig} get pods -A`,
        );
      }
    },
  });
  const aborted = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([inside.exited, aborted]);
}

async function runInKind(orders: Orders, listen: (event: Event) => void, signal: AbortSignal): Promise<void> {
  const { folder, supplies, only, keep } = orders;
  const say = (line: string): void => listen({ kind: 'progress', line });
  const startedAt = performance.now();
  const cluster = await startKindCluster(orders, say);
  try {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    listen({ kind: 'versions', versions: cluster.versions });
    listen({ kind: 'phase', phase: { name: 'cluster', seconds } });
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    if (only !== undefined) await Promise.race([runTrials(cluster, supplies, only, folder, listen), aborted]);
    if (keep && !signal.aborted) {
      say(`The cluster stays until Ctrl-C: export KUBECONFIG=${cluster.kubeconfig}`);
      await aborted;
    }
  } finally {
    await cluster.stop();
  }
}

/** Copies the logs of the node's programs and Pods, and the audit log. */
async function saveLogs(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  const names = await readdir(from, { recursive: true });
  for (const name of names.filter((each) => each.endsWith('.log'))) {
    // Links to logs of containers are named after both; the log itself is enough.
    await cp(join(from, name), join(to, name), { dereference: true }).catch(() => {});
  }
}

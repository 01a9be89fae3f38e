import { version } from '../../src/operator/version.ts';
import { HELM_VERSION } from '../../tools/control-plane/versions.ts';
import { makePremises } from '../../tools/node/isolation.ts';
import { requireMachine } from '../../tools/node/requirements.ts';
import { readTraces } from '../../tools/node/traces.ts';
import { TRAEFIK_VERSION } from '../../tools/node/versions.ts';
import { hasDocker, makeKindPremises, startKindCluster } from './clusters/kind.ts';
import { Findings } from './findings.ts';
import { runIsolated } from './isolated.ts';
import { saveLogs } from './logs.ts';
import { TEAR_DOWN, type Options } from './options.ts';
import type { RunResult } from './result.ts';
import { runTrials } from './run.ts';
import { gather } from './supplies.ts';
import { checkAfterKill, checkAfterRun, MARK } from './tear-down.ts';

/** What `npm run image -- --stand-ins` needs. Looked for at the start, since the builds before it take long. */
const IMAGE_PROGRAMS = { buildah: 'buildah', debootstrap: 'debootstrap' };

/** Everything from nothing to the result. Nothing is left on the machine but the cache, however it ends. */
export async function runEverything(
  options: Options,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<RunResult> {
  const versions = { operator: version, helm: HELM_VERSION, traefik: TRAEFIK_VERSION, node: process.version };
  const findings = new Findings(versions, progress);
  if (await hasDocker()) {
    await inKind(options, findings, progress, signal);
    return findings.result('kind');
  }
  await requireMachine(options.image === undefined ? IMAGE_PROGRAMS : {});
  await inNode(options, findings, progress, signal);
  return findings.result('node');
}

async function inNode(
  options: Options,
  findings: Findings,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const before = await readTraces(MARK);
  const premises = await makePremises();
  const { folder, name } = premises;
  try {
    const supplies = await gather(options, 'node', folder, findings, progress, signal);
    const only = trialsOf(options);
    if (only !== undefined || options.keep) {
      await runIsolated(
        premises,
        { folder, name, supplies, only, keep: options.keep },
        findings.listen,
        signal,
      );
    }
    signal.throwIfAborted();
    if (isWanted(options, 'clean-after-kill')) findings.add(await checkAfterKill(supplies, progress));
  } finally {
    if (options.logs !== undefined) await saveLogs(folder, options.logs);
    progress('Taking everything down.');
    await findings.measure('take down', () => premises.reaper.close());
  }
  if (isWanted(options, 'clean-after-run')) findings.add(await checkAfterRun(before));
}

async function inKind(
  options: Options,
  findings: Findings,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const premises = await makeKindPremises();
  const aborted = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  try {
    const supplies = await gather(options, 'kind', premises.folder, findings, progress, signal);
    const cluster = await findings.measure('cluster', () => startKindCluster(premises, progress));
    findings.listen({ kind: 'versions', versions: cluster.versions });
    const trials = runTrials(cluster, supplies, trialsOf(options) ?? [], premises.folder, findings.listen);
    await Promise.race([trials, aborted]);
    if (options.keep && !signal.aborted) {
      progress(`The cluster stays until Ctrl-C: export KUBECONFIG=${cluster.kubeconfig}`);
      await aborted;
    }
  } finally {
    if (options.logs !== undefined) await saveLogs(premises.folder, options.logs);
    progress('Taking everything down.');
    await findings.measure('take down', () => premises.close());
  }
}

/** The tests in the cluster: a list, empty for all; undefined if only those of the run itself are wanted. */
function trialsOf({ only }: Options): readonly string[] | undefined {
  const trials = only.filter((name) => !(TEAR_DOWN as readonly string[]).includes(name));
  return only.length > 0 && trials.length === 0 ? undefined : trials;
}

function isWanted({ only }: Options, name: (typeof TEAR_DOWN)[number]): boolean {
  return only.length === 0 || only.includes(name);
}

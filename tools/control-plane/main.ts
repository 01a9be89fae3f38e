import { parseArgs } from 'node:util';
import { ensureBinaries, explain, startControlPlane, type ControlPlane } from './index.ts';
import { ENVTEST_VERSION, ETCD_VERSION, GO_VERSION, KUBERNETES_VERSION } from './versions.ts';

const HELP = `Runs a real etcd and kube-apiserver on loopback until it is told to stop.

Usage: npm run control-plane -- [options]

Options
  --json               Print one line of JSON when ready: kubeconfig, server, dataDir, auditLog.
  --audit-log          Record every request (metadata only) in a file of the data folder.
  --api-server-arg ARG One more argument for kube-apiserver; may be repeated.
  --keep-data          Leave the data folder behind at the end.
  --exit-with-stdin    Stop when standard input closes.
  --kubectl            Get kubectl too, and say where it is.
  --prepare            Get the binaries and stop there.
  --help               Print this text.

Binaries are looked for in this order:
  1. the folder named by KUBEBUILDER_ASSETS
  2. the cache: $XDG_CACHE_HOME (or ~/.cache) /tinycert-operator/control-plane/
  3. the envtest release archive ${ENVTEST_VERSION}, if the network gives it and its sum is right
  4. a build of Kubernetes ${KUBERNETES_VERSION} and etcd ${ETCD_VERSION} from their Go modules
     (Go ${GO_VERSION} or newer; about six minutes on two cores, once)

SIGINT and SIGTERM stop it. It then ends both processes and removes its folder.
`;

interface Flags {
  json: boolean;
  auditLog: boolean;
  keepData: boolean;
  exitWithStdin: boolean;
  kubectl: boolean;
  prepare: boolean;
  apiServerArgs: string[];
}

async function run(flags: Flags): Promise<number> {
  const say = (line: string): void => {
    (flags.json ? process.stderr : process.stdout).write(`${line}\n`);
  };
  const stop = new AbortController();
  const stopped = new Promise<'stopped'>((resolve) => {
    stop.signal.addEventListener('abort', () => resolve('stopped'), { once: true });
  });
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort());
  if (flags.exitWithStdin) {
    process.stdin.once('close', () => stop.abort());
    process.stdin.resume();
  }

  const startedAt = performance.now();
  let controlPlane: ControlPlane;
  try {
    const binaries = await ensureBinaries({ kubectl: flags.kubectl, progress: say, signal: stop.signal });
    if (flags.prepare || flags.kubectl) say(`${binaries.version}, from ${binaries.source}.`);
    if (binaries.kubectl !== undefined && flags.kubectl) say(`kubectl: ${binaries.kubectl}`);
    if (flags.prepare) return 0;
    controlPlane = await startControlPlane({
      auditLog: flags.auditLog,
      keepData: flags.keepData,
      extraApiServerArgs: flags.apiServerArgs,
      progress: say,
      signal: stop.signal,
    });
  } catch (error) {
    if (stop.signal.aborted) return 0;
    process.stderr.write(`${explain(error)}\n`);
    return 1;
  }
  const { kubeconfig, server, dataDir, auditLog } = controlPlane;
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ kubeconfig, server, dataDir, auditLog: auditLog ?? null })}\n`);
  } else {
    say(`Ready after ${((performance.now() - startedAt) / 1000).toFixed(1)} s: ${server}`);
    say(`export KUBECONFIG=${kubeconfig}`);
    if (auditLog !== undefined) say(`Audit log: ${auditLog}`);
    say('Ctrl-C stops it.');
  }

  const end = await Promise.race([stopped, controlPlane.died]);
  if (end !== 'stopped') process.stderr.write(`${explain(end)}\n`);
  await controlPlane.stop();
  if (flags.keepData) say(`The data are in ${dataDir}.`);
  return end === 'stopped' ? 0 : 1;
}

function parse(args: string[]): Flags | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: 'boolean', default: false },
      'audit-log': { type: 'boolean', default: false },
      'api-server-arg': { type: 'string', multiple: true, default: [] },
      'keep-data': { type: 'boolean', default: false },
      'exit-with-stdin': { type: 'boolean', default: false },
      kubectl: { type: 'boolean', default: false },
      prepare: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  return {
    json: values.json,
    auditLog: values['audit-log'],
    keepData: values['keep-data'],
    exitWithStdin: values['exit-with-stdin'],
    kubectl: values.kubectl,
    prepare: values.prepare,
    apiServerArgs: values['api-server-arg'],
  };
}

async function main(): Promise<number> {
  let flags: Flags | 'help';
  try {
    flags = parse(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${explain(error)}\nSee --help.\n`);
    return 2;
  }
  if (flags === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  return run(flags);
}

process.exit(await main());

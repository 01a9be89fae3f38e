import { stat } from 'node:fs/promises';
import { installByHelm } from '../world/installation.ts';
import { NAMESPACE } from '../world/installation-names.ts';
import { operatorPod, processOf, type Pod } from '../world/operator-pods.ts';
import type { World } from '../world/world.ts';
import { expect, type Trial } from './trial.ts';

/** The Pod as the node runs it, which is what counts: not what its manifest asks for. */
export const helmTrial: Trial = {
  name: 'helm',
  about:
    'installed by the chart where the restricted Pod Security Standard is enforced; hardened as the node sees it',
  async run(world) {
    await installByHelm(world);
    const pod = await operatorPod(world);
    const pid = await processOf(world, pod);
    const status = await statusOf(world, pid);
    expect(status['Uid'] === '65532 65532 65532 65532', `The user is ${status['Uid']}.`);
    expect(status['Gid'] === '65532 65532 65532 65532', `The group is ${status['Gid']}.`);
    for (const name of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
      expect(/^0+$/u.test(status[name] ?? ''), `${name} is ${status[name]}: the process has capabilities.`);
    }
    expect(status['NoNewPrivs'] === '1', 'The process may get new privileges.');
    expect(status['Seccomp'] === '2', 'The process has no seccomp filter.');
    const root = (await nodeFile(world, `/proc/${pid}/mountinfo`))
      .split('\n')
      .find((line) => line.split(' ')[4] === '/');
    expect(
      root?.split(' ')[5]?.split(',').includes('ro') === true,
      `The root file system is writable: ${root}`,
    );
    for (const shell of ['sh', '/bin/sh', 'bash', '/busybox/sh']) await refusesShell(world, pod, shell);
    const { size } = await stat(world.supplies.operatorArchive);
    return {
      'seconds from start to ready': startTime(pod),
      'MB of the image’s archive': Math.round(size / 1e6),
    };
  },
};

async function refusesShell({ kubectl }: World, pod: Pod, shell: string): Promise<void> {
  const { code, stderr } = await kubectl.attempt([
    'exec',
    pod.metadata.name,
    `--namespace=${NAMESPACE}`,
    '--',
    shell,
    '-c',
    'exit 0',
  ]);
  // Any other failure would prove nothing about the image.
  expect(
    code !== 0 && /not found|no such file/iu.test(stderr),
    `exec of ${shell} ended with ${code}: ${stderr.trim()}`,
  );
}

/** The fields of /proc/PID/status, with single spaces. */
async function statusOf(world: World, pid: number): Promise<Record<string, string>> {
  const text = await nodeFile(world, `/proc/${pid}/status`);
  return Object.fromEntries(
    text.split('\n').map((line) => {
      const colon = line.indexOf(':');
      return [
        line.slice(0, colon),
        line
          .slice(colon + 1)
          .trim()
          .replaceAll(/\s+/gu, ' '),
      ];
    }),
  );
}

async function nodeFile({ cluster }: World, path: string): Promise<string> {
  const { code, stdout, stderr } = await cluster.onNode('cat', [path]);
  expect(code === 0, `${path} cannot be read: ${stderr.trim()}`);
  return stdout;
}

/** Whole seconds, since Kubernetes' times have no more. */
function startTime({ status }: Pod): number {
  const started = status.containerStatuses?.[0]?.state.running?.startedAt ?? '';
  const ready = status.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? '';
  return (Date.parse(ready) - Date.parse(started)) / 1000;
}

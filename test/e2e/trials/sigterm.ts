import { createTeam } from '../world/certificates.ts';
import { installByHelm } from '../world/installation.ts';
import { NAMESPACE } from '../world/installation-names.ts';
import { operatorPod, type Pod } from '../world/operator-pods.ts';
import { until } from '../world/until.ts';
import type { World } from '../world/world.ts';
import { expect, type Trial } from './trial.ts';

const HOST = 'stopped.example.test';
/** What docs/operation.md promises. */
const STOP_LIMIT_SECONDS = 25;
/** Keeps a Pod that has ended, so that its exit code can be read. */
const FINALIZER = 'e2e.tinycert-operator.io/read-exit-code';

export const sigtermTrial: Trial = {
  name: 'sigterm',
  about: 'a Pod that is deleted ends by itself within its limit, idle and while the CA does not answer',
  async run(world) {
    await installByHelm(world);
    const idle = await stop(world);
    const team = await createTeam(world, 'e2e-sigterm');
    world.ca.addFault({ call: 'cert/new', kind: 'hang', match: { CN: HOST } });
    await team.request('web', { dnsNames: [HOST] });
    await until('the request is at the CA', async () =>
      world.ca.journal().some(({ call, params }) => call === 'cert/new' && params['CN'] === HOST)
        ? true
        : undefined,
    );
    const busy = await stop(world);
    expect(busy <= STOP_LIMIT_SECONDS, `With a call that hangs the stop took ${busy} s.`);
    // What becomes of such a request is the business of `killed-pod`.
    expect((await team.published('web')) === undefined, 'There is a Secret although the CA never answered.');
    return { 'seconds to stop, idle': idle, 'seconds to stop, calling': busy };
  },
};

/** Deletes the operator's Pod, and returns after how many seconds its process had ended, which must be with 0. */
async function stop(world: World): Promise<number> {
  const { kubectl } = world;
  const { metadata } = await operatorPod(world);
  const patch = async (finalizers: string[]): Promise<void> => {
    await kubectl.run([
      'patch',
      'pod',
      metadata.name,
      `--namespace=${NAMESPACE}`,
      '--type=merge',
      `--patch=${JSON.stringify({ metadata: { finalizers } })}`,
    ]);
  };
  await patch([FINALIZER]);
  const askedAt = Date.now();
  await kubectl.run(['delete', 'pod', metadata.name, `--namespace=${NAMESPACE}`, '--wait=false']);
  const ended = await until(
    'the operator’s process has ended',
    async () =>
      (await kubectl.get<Pod>('pod', metadata.name, NAMESPACE)).status.containerStatuses?.[0]?.state
        .terminated,
    180,
  );
  await patch([]);
  expect(ended.exitCode === 0, `The operator ended with ${ended.exitCode}.`);
  await kubectl.run([
    'rollout',
    'status',
    'deployment/tinycert-operator',
    `--namespace=${NAMESPACE}`,
    '--timeout=120s',
  ]);
  // Whole seconds, since Kubernetes' times have no more.
  return Math.max(0, Math.ceil((Date.parse(ended.finishedAt) - askedAt) / 1000));
}

import { boughtFor, createTeam } from '../world/certificates.ts';
import { helmUpgrade, installByHelm } from '../world/installation.ts';
import { NAMESPACE } from '../world/installation-names.ts';
import { killContainer, leader, operatorPods } from '../world/operator-pods.ts';
import { until } from '../world/until.ts';
import { expect, type Trial } from './trial.ts';

const HOST = 'taken-over.example.test';
/** What docs/install.md promises, and a reserve for a slow machine. */
const TAKEOVER_SECONDS = 20;
const RESERVE_SECONDS = 10;

export const leaderTrial: Trial = {
  name: 'leader',
  about: 'of two replicas the leader is killed: the other one takes over and issues',
  async run(world) {
    await installByHelm(world);
    const team = await createTeam(world, 'e2e-leader');
    await helmUpgrade(world, { replicas: 2, podDisruptionBudget: { enabled: true } });
    const { kubectl } = world;
    const first = await until('one of two Pods leads', async () => {
      const pods = await operatorPods(world);
      return pods.length === 2 ? leader(world) : undefined;
    });
    const pods = await operatorPods(world);
    const pod = pods.find(({ metadata }) => metadata.name === first);
    const other = pods.find(({ metadata }) => metadata.name !== first)?.metadata.name;
    expect(pod !== undefined && other !== undefined, 'There are not two Pods.');
    // Nothing takes the leader's place but the other one: the Pod is not started again, and its successor finds no node.
    await kubectl.run(['cordon', pod.spec.nodeName ?? '']);
    const killedAt = performance.now();
    const since = (): number => Number(((performance.now() - killedAt) / 1000).toFixed(1));
    let takeover: number;
    let issued: number;
    try {
      await killContainer(world, pod);
      await kubectl.run(['delete', 'pod', first, `--namespace=${NAMESPACE}`, '--force', '--grace-period=0']);
      await team.request('web', { dnsNames: [HOST] });
      await until(
        `${other} leads`,
        async () => ((await leader(world)) === other ? true : undefined),
        TAKEOVER_SECONDS + RESERVE_SECONDS,
      );
      takeover = since();
      await team.ready('web');
      issued = since();
    } finally {
      await kubectl.run(['uncordon', pod.spec.nodeName ?? '']);
    }
    expect(boughtFor(world, HOST).length === 1, `The CA made ${boughtFor(world, HOST).length} certificates.`);
    await helmUpgrade(world);
    return { 'seconds to the new leader': takeover, 'seconds to the certificate': issued };
  },
};

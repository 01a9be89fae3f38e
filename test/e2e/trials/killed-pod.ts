import { boughtFor, createTeam } from '../world/certificates.ts';
import { installByHelm } from '../world/installation.ts';
import { killContainer, operatorPod } from '../world/operator-pods.ts';
import { until } from '../world/until.ts';
import { expect, type Trial } from './trial.ts';

const HOST = 'killed.example.test';
/** The Lease expires after 15 s, and an attempt without an answer is looked up 45 s after it. */
const RECOVERY_SECONDS = 180;

export const killedPodTrial: Trial = {
  name: 'killed-pod',
  about:
    'the operator is killed while the CA works on its request: one certificate, found and published, none bought twice',
  async run(world) {
    await installByHelm(world);
    const team = await createTeam(world, 'e2e-killed');
    const pod = await operatorPod(world);
    world.ca.addFault({ call: 'cert/new', kind: 'hold', match: { CN: HOST } });
    await team.request('web', { dnsNames: [HOST] });
    await until('the request is at the CA', async () => (world.ca.counts().held > 0 ? true : undefined));
    const killedAt = performance.now();
    await killContainer(world, pod);
    await until('the CA sees that its client has gone', async () =>
      world.ca.journal().some(({ params, aborted }) => params['CN'] === HOST && aborted === true)
        ? true
        : undefined,
    );
    // The CA acts only now, when nobody hears its answer.
    world.ca.release();
    const [bought] = await until('the CA has made the certificate', async () => {
      const ids = boughtFor(world, HOST);
      return ids.length > 0 ? ids : undefined;
    });
    expect((await team.published('web')) === undefined, 'There is a Secret although the answer was lost.');
    await team.ready('web', RECOVERY_SECONDS);
    const seconds = (performance.now() - killedAt) / 1000;
    const restarts = (await operatorPod(world)).status.containerStatuses?.[0]?.restartCount ?? 0;
    expect(
      restarts === (pod.status.containerStatuses?.[0]?.restartCount ?? 0) + 1,
      `There were ${restarts} restarts.`,
    );
    const ids = boughtFor(world, HOST);
    expect(
      ids.length === 1 && ids[0] === bought,
      `The CA made the certificates ${ids.join(', ')}; ${bought} was bought first.`,
    );
    return { certificates: ids.length, 'seconds from kill to ready': Math.round(seconds) };
  },
};

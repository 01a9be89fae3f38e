import { createTeam } from '../world/certificates.ts';
import { installByManifests } from '../world/installation.ts';
import { expect, type Trial } from './trial.ts';

const HOST = 'plain.example.test';

export const installYamlTrial: Trial = {
  name: 'install-yaml',
  about: 'installed by deploy/install.yaml, cluster-wide',
  async run(world) {
    await installByManifests(world);
    const team = await createTeam(world, 'e2e-plain');
    const askedAt = performance.now();
    await team.request('web', { dnsNames: [HOST] });
    await team.ready('web');
    const seconds = (performance.now() - askedAt) / 1000;
    const names = (await team.published('web'))?.subjectAltName;
    expect(names === `DNS:${HOST}`, `The names of the certificate are ${names}.`);
    return { 'seconds to ready': Number(seconds.toFixed(1)) };
  },
};

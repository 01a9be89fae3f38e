import { boughtFor, createTeam } from '../world/certificates.ts';
import { helmUpgrade, installByHelm } from '../world/installation.ts';
import { expect, type Trial } from './trial.ts';

const HOST = 'upgraded.example.test';

export const upgradeTrial: Trial = {
  name: 'upgrade',
  about:
    'upgraded from the chart of the last release, with the new image: nothing is issued again, and issuing goes on',
  applies: ({ supplies }) => supplies.previousChart !== undefined,
  async run(world) {
    await installByHelm(world, {}, world.supplies.previousChart);
    const team = await createTeam(world, 'e2e-upgrade');
    await team.request('before', { dnsNames: [HOST] });
    await team.ready('before');
    const before = await team.published('before');
    await helmUpgrade(world);
    await team.request('after', { dnsNames: [`after.${HOST}`] });
    await team.ready('after');
    await team.ready('before');
    const after = await team.published('before');
    expect(before?.serialNumber === after?.serialNumber, 'The certificate was issued again.');
    expect(boughtFor(world, HOST).length === 1, `The CA made ${boughtFor(world, HOST).length} certificates.`);
    return { certificates: 1 };
  },
};

import { auditEvents } from '../world/audit.ts';
import { createNamespace, createTeam } from '../world/certificates.ts';
import { installByHelm, uninstall } from '../world/installation.ts';
import { NAMESPACE } from '../world/installation-names.ts';
import { expect, type Trial } from './trial.ts';

const TEAM = 'e2e-namespaced';
const HOST = 'namespaced.example.test';
const OPERATOR = `system:serviceaccount:${NAMESPACE}:tinycert-operator`;

export const namespacedTrial: Trial = {
  name: 'namespaced',
  about:
    'installed for one namespace, with Roles only: it works there, is refused nothing, and sees nothing else',
  async run(world) {
    const { kubectl, cluster } = world;
    for (const name of [TEAM, `${TEAM}-other`]) await createNamespace(world, name);
    // An operator that is uninstalled finds that its right to give the Lease back has gone before it.
    await uninstall(world);
    const since = auditEvents(await cluster.auditLog()).length;
    await installByHelm(world, { namespaces: [TEAM] });
    for (const kind of ['clusterroles', 'clusterrolebindings']) {
      const ours = await kubectl.list(kind, undefined, 'app.kubernetes.io/name=tinycert-operator');
      expect(
        ours.length === 0,
        `There are ${kind}: ${ours.map(({ metadata }) => metadata.name).join(', ')}.`,
      );
    }
    const team = await createTeam(world, TEAM);
    await team.request('web', { dnsNames: [HOST] });
    await team.ready('web');
    const others = await kubectl.attempt([
      'auth',
      'can-i',
      'list',
      'secrets',
      `--as=${OPERATOR}`,
      `--namespace=${TEAM}-other`,
    ]);
    expect(others.stdout.trim() === 'no', 'The operator may list the Secrets of another namespace.');
    const refused = auditEvents(await cluster.auditLog())
      .slice(since)
      .filter(({ user, code }) => user === OPERATOR && code === 403);
    expect(
      refused.length === 0,
      `The API server refused: ${refused.map(({ verb, resource, namespace }) => `${verb} ${resource} in ${namespace}`).join(', ')}.`,
    );
    const names = (await team.published('web'))?.subjectAltName;
    expect(names === `DNS:${HOST}`, `The names of the certificate are ${names}.`);
    return { 'cluster roles': 0, refused: refused.length };
  },
};

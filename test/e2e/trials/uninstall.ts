import { GROUP } from '../../../src/api/names.ts';
import { boughtFor, createTeam, removeNamespaces } from '../world/certificates.ts';
import { installByHelm, uninstall } from '../world/installation.ts';
import { NAMESPACE } from '../world/installation-names.ts';
import { expect, type Trial } from './trial.ts';

const REVOKED = 'revoked.example.test';
const KEPT = 'kept.example.test';

export const uninstallTrial: Trial = {
  name: 'uninstall',
  about:
    'removed in the order of the docs: what was to be revoked is, Secrets and CRDs stay, and nothing hangs',
  async run(world) {
    await installByHelm(world);
    const { kubectl } = world;
    const team = await createTeam(world, 'e2e-uninstall');
    await team.request('revoked', { dnsNames: [REVOKED], revocation: { onDelete: 'Revoke' } });
    await team.request('kept', { dnsNames: [KEPT] });
    for (const name of ['revoked', 'kept']) await team.ready(name);
    // While the operator runs it can keep what it promised.
    await kubectl.delete('tinycertcertificate/revoked', team.namespace);
    const status = world.ca.certificates().find(({ id }) => id === boughtFor(world, REVOKED)[0])?.status;
    expect(status === 'revoked', `The certificate of the deleted resource is ${status}.`);
    const startedAt = performance.now();
    await uninstall(world);
    const seconds = (performance.now() - startedAt) / 1000;

    const namespaces = await kubectl.list('namespaces');
    expect(!namespaces.some(({ metadata }) => metadata.name === NAMESPACE), 'The namespace is still there.');
    for (const kind of ['clusterroles', 'clusterrolebindings']) {
      const ours = await kubectl.list(kind, undefined, 'app.kubernetes.io/name=tinycert-operator');
      expect(ours.length === 0, `${kind} stayed: ${ours.map(({ metadata }) => metadata.name).join(', ')}.`);
    }
    const crds = (await kubectl.list('crds')).filter(({ metadata }) => metadata.name.endsWith(`.${GROUP}`));
    expect(crds.length > 0, 'The CRDs are gone, and all resources with them.');
    expect((await team.published('kept')) !== undefined, 'The Secret of a certificate is gone.');
    // With the operator gone, what has no finalizer goes, and then the CRDs.
    await removeNamespaces(world);
    for (const { metadata } of crds) await kubectl.delete(`crd/${metadata.name}`);
    return { 'seconds to uninstall': Math.round(seconds), 'CRDs that stayed': crds.length };
  },
};

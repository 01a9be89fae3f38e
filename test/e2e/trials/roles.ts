import { createTeam } from '../world/certificates.ts';
import { installByHelm } from '../world/installation.ts';
import { until } from '../world/until.ts';
import type { World } from '../world/world.ts';
import { expect, type Trial } from './trial.ts';

const RESOURCE = 'tinycertcertificates.tinycert-operator.io';

/** Who has which of Kubernetes' own roles in the namespace, what they ask for, and the answer. */
const QUESTIONS: readonly (readonly [role: string, verb: string, resource: string, answer: 'yes' | 'no'])[] =
  [
    ['edit', 'create', RESOURCE, 'yes'],
    ['edit', 'delete', RESOURCE, 'yes'],
    ['edit', 'patch', `${RESOURCE}/status`, 'no'],
    ['view', 'watch', RESOURCE, 'yes'],
    ['view', 'create', RESOURCE, 'no'],
  ];

export const rolesTrial: Trial = {
  name: 'roles',
  about:
    'Kubernetes’ own roles take in those of the chart: editors of a namespace ask for certificates, viewers see them',
  async run(world) {
    await installByHelm(world);
    const { namespace } = await createTeam(world, 'e2e-roles');
    await world.kubectl.apply(
      ['edit', 'view'].map((role) => ({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { namespace, name: role },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
        subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: userOf(role) }],
      })),
    );
    // A controller adds the rules to the roles some time after the chart was installed.
    await until('editors may ask for certificates', async () =>
      (await may(world, namespace, 'edit', 'create', RESOURCE)) === 'yes' ? true : undefined,
    );
    for (const [role, verb, resource, answer] of QUESTIONS) {
      const given = await may(world, namespace, role, verb, resource);
      expect(given === answer, `May someone with the role ${role} ${verb} ${resource}? ${given}`);
    }
    return { questions: QUESTIONS.length };
  },
};

function userOf(role: string): string {
  return `e2e-${role}`;
}

async function may(
  { kubectl }: World,
  namespace: string,
  role: string,
  verb: string,
  resource: string,
): Promise<string> {
  const [name = '', subresource] = resource.split('/');
  const what = subresource === undefined ? [verb, name] : [verb, name, `--subresource=${subresource}`];
  const { stdout } = await kubectl.attempt([
    'auth',
    'can-i',
    ...what,
    `--as=${userOf(role)}`,
    `--namespace=${namespace}`,
  ]);
  return stdout.trim();
}

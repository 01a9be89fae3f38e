import { onTestFinished } from 'vitest';
import { certificates } from '../../../src/api/kinds.ts';
import type { KubeObject, ResourceType } from '../../../src/kube/objects.ts';
import type { World } from './world.ts';

type Spec = KubeObject & { spec: object };

const policies = admission('ValidatingAdmissionPolicy', 'validatingadmissionpolicies');
const bindings = admission('ValidatingAdmissionPolicyBinding', 'validatingadmissionpolicybindings');

/** What a policy can answer. */
export type PolicyReason = 'Forbidden' | 'Invalid' | 'RequestEntityTooLarge';

/**
 * Has the API server refuse every status of the certificate `name` by an admission policy, with `reason` and the words "no
 * status for you". Resolves once the policy is in force, with the function that ends it.
 */
export async function refuseStatus(
  world: World,
  name: string,
  reason: PolicyReason,
): Promise<() => Promise<void>> {
  const { kube } = world.stage;
  const id = { name: `${world.namespace}-${name}` };
  const expression = `!(object.metadata.namespace == '${world.namespace}' && object.metadata.name == '${name}')`;
  const { group, version, plural } = certificates;
  const rule = { apiGroups: [group], apiVersions: [version], operations: ['UPDATE'] };
  await kube.create(policies, {
    metadata: id,
    spec: {
      matchConstraints: { resourceRules: [{ ...rule, resources: [`${plural}/status`] }] },
      validations: [{ expression, message: 'no status for you', reason }],
    },
  });
  await kube.create(bindings, {
    metadata: id,
    spec: { policyName: id.name, validationActions: ['Deny'] },
  });
  const remove = async (): Promise<void> => {
    for (const type of [bindings, policies]) if (await kube.find(type, id)) await kube.delete(type, id);
  };
  onTestFinished(remove);
  // The API server reads its policies from a watch, and nothing but an answer shows that it has this one.
  while (await accepts(world, name));
  return async () => {
    await remove();
    while (!(await accepts(world, name)));
  };
}

function accepts(world: World, name: string): Promise<boolean> {
  const isAccepted = world.patch(certificates, name, { status: { conditions: [] } }, 'status');
  return isAccepted.then(
    () => true,
    () => false,
  );
}

function admission(kind: string, plural: string): ResourceType<Spec> {
  return { group: 'admissionregistration.k8s.io', version: 'v1', plural, kind, namespaced: false };
}

import type { ResourceType } from '../../kube/objects.ts';

/** The name of the CRD of a kind, which is also that of its file in `crds/`. */
export function crdOf({ plural, group }: Pick<ResourceType, 'plural' | 'group'>): string {
  return `${plural}.${group}`;
}

/** States that the CRD of a kind is missing, what to do, and what waits. */
export function notInstalled({ type, dependents }: { type: ResourceType; dependents: string }): string {
  return `The CRD ${crdOf(type)} is not installed: run ${command(type)}. ${dependents} wait until then.`;
}

/** States that the CRD of a kind lacks fields, what to do, and what waits. */
export function olderThanOperator(type: ResourceType): string {
  return `The CRD ${crdOf(type)} is older than the operator: run ${command(type)}. Nothing is issued until then.`;
}

function command(type: ResourceType): string {
  return `kubectl apply -f crds/${crdOf(type)}.yaml of this release`;
}

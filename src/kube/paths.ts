import type { ObjectRef, ResourceType } from './objects.ts';

/** Path of a collection: in one namespace, or without `namespace` in all of them or of a cluster-scoped kind. */
export function collectionPath(type: ResourceType, namespace?: string): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  if (namespace === undefined) return `${root}/${type.plural}`;
  if (!type.namespaced) throw new TypeError(`Expected no namespace, since ${type.plural} are cluster-scoped`);
  return `${root}/namespaces/${segment(namespace)}/${type.plural}`;
}

/** Path of one object or of its `subresource`. Throws a TypeError for a reference that would address something else. */
export function objectPath(type: ResourceType, ref: ObjectRef, subresource?: string): string {
  if (type.namespaced && ref.namespace === undefined)
    throw new TypeError(`Expected a namespace, since ${type.plural} are namespaced`);
  const path = `${collectionPath(type, ref.namespace)}/${segment(ref.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** An empty name would turn DELETE of one object into DELETE of all. Dots would climb the path. */
function segment(name: string): string {
  if (name === '' || name === '.' || name === '..')
    throw new TypeError(`Expected the name of an object or namespace, got "${name}"`);
  return encodeURIComponent(name);
}

/** The `apiVersion` of a kind. */
export function apiVersionOf(type: ResourceType): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}

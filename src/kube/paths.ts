import type { ObjectRef, ResourceType } from './objects.ts';

/** Path of a collection: of one namespace, of all namespaces where none is given, or of a cluster-scoped kind. */
export function collectionPath(type: ResourceType, namespace?: string): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  if (namespace === undefined) return `${root}/${type.plural}`;
  if (!type.namespaced) throw new TypeError(`Expected no namespace for the cluster-scoped ${type.plural}`);
  return `${root}/namespaces/${segment(namespace)}/${type.plural}`;
}

/** Path of one object, or of its `subresource`. Throws a TypeError for a reference that would name something else. */
export function objectPath(type: ResourceType, ref: ObjectRef, subresource?: string): string {
  if (type.namespaced && ref.namespace === undefined)
    throw new TypeError(`Expected a namespace for the namespaced ${type.plural}`);
  const path = `${collectionPath(type, ref.namespace)}/${segment(ref.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** An empty name would turn DELETE of one object into DELETE of all; dots would climb the path. */
function segment(name: string): string {
  if (name === '' || name === '.' || name === '..') throw new TypeError('Expected the name of an object');
  return encodeURIComponent(name);
}

/** `apiVersion` of a kind. */
export function apiVersionOf(type: ResourceType): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}

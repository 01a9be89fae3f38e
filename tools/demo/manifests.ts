import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { KubeClient } from '../../src/kube/client.ts';
import type { KubeObject, ResourceType } from '../../src/kube/objects.ts';

const kinds: Record<string, Omit<ResourceType, 'kind'>> = {
  CustomResourceDefinition: {
    group: 'apiextensions.k8s.io',
    version: 'v1',
    plural: 'customresourcedefinitions',
    namespaced: false,
  },
  Namespace: { group: '', version: 'v1', plural: 'namespaces', namespaced: false },
  ServiceAccount: { group: '', version: 'v1', plural: 'serviceaccounts', namespaced: true },
  ClusterRole: {
    group: 'rbac.authorization.k8s.io',
    version: 'v1',
    plural: 'clusterroles',
    namespaced: false,
  },
  ClusterRoleBinding: {
    group: 'rbac.authorization.k8s.io',
    version: 'v1',
    plural: 'clusterrolebindings',
    namespaced: false,
  },
  Role: { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'roles', namespaced: true },
  RoleBinding: {
    group: 'rbac.authorization.k8s.io',
    version: 'v1',
    plural: 'rolebindings',
    namespaced: true,
  },
};

interface Crd extends KubeObject {
  status?: { conditions?: { type: string; status: string }[] };
}

const crds: ResourceType<Crd> = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};

/** Creates every object in a YAML file, or in all files of a folder. Returns how many. */
export async function create(kube: KubeClient, path: string): Promise<number> {
  const files = path.endsWith('.yaml') ? [path] : readdirSync(path).map((file) => join(path, file));
  const objects = files.flatMap((file) =>
    parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS() as KubeObject),
  );
  for (const object of objects) {
    const kind = object.kind ?? '';
    const type = kinds[kind];
    if (!type) throw new Error(`${path} holds a ${kind}, which this does not know`);
    await kube.create({ ...type, kind }, object);
  }
  return objects.length;
}

/** Waits until the API server serves the kinds of all CRDs. */
export async function established(kube: KubeClient): Promise<void> {
  for (;;) {
    const { items } = await kube.listAll(crds, {});
    const isEstablished = ({ status }: Crd): boolean =>
      status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ?? false;
    if (items.every(isEstablished)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

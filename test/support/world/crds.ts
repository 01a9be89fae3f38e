import { readFileSync, readdirSync } from 'node:fs';
import { parse } from 'yaml';
import type { KubeClient } from '../../../src/kube/client.ts';
import type { Condition, KubeObject, ResourceType } from '../../../src/kube/objects.ts';
import { watchUntil } from '../kube/watching.ts';

export interface Crd extends KubeObject {
  spec: { names: { kind: string }; versions: { schema: { openAPIV3Schema: Schema } }[] };
  status?: { conditions?: Condition[] };
}

/** The parts of an OpenAPI schema that are needed to find a field. */
export interface Schema {
  properties?: Record<string, Schema>;
  required?: string[];
}

export const crds: ResourceType<Crd> = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};

export const namespaces: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
};

export const events: ResourceType<KubeObject & { reason: string; note: string }> = {
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
};

/** The CRDs of this release. */
export function releasedCrds(): Crd[] {
  const folder = new URL('../../../crds/', import.meta.url);
  return readdirSync(folder).map((file) => parse(readFileSync(new URL(file, folder), 'utf8')) as Crd);
}

/** Installs CRDs, also over older ones, and waits until the API server serves them. */
export async function installCrds(kube: KubeClient, wanted: readonly Crd[] = releasedCrds()): Promise<void> {
  for (const crd of wanted) {
    const { name } = crd.metadata;
    const present = await kube.find(crds, { name });
    if (present) await kube.mergePatch(crds, { name }, { spec: crd.spec });
    else await kube.create(crds, crd);
    await watchUntil(
      kube,
      crds,
      { name },
      ({ status }) =>
        status?.conditions?.some(({ type, status: is }) => type === 'Established' && is === 'True') ?? false,
    );
  }
}

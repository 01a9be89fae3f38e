import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../../src/kube/objects.ts';
import { ensureHelm } from '../../../tools/control-plane/index.ts';
import { render, type Values } from '../../../tools/chart/render.ts';

/** A rendered object: what the tests look at. */
export interface Rendered extends KubeObject {
  apiVersion: string;
  kind: string;
  rules?: Rule[];
  subjects?: { kind: string; name: string; namespace: string }[];
  roleRef?: { kind: string; name: string };
  spec?: Record<string, unknown>;
}

export interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

export interface Container {
  image: string;
  args: string[];
  env?: { name: string; value?: string }[];
  resources?: Record<string, Record<string, string>>;
  ports: { name: string; containerPort: number }[];
}

export interface PodTemplate {
  metadata: { labels: Record<string, string>; annotations: Record<string, string> };
  spec: Record<string, unknown> & { containers: [Container]; terminationGracePeriodSeconds: number };
}

/** The path of Helm, which is built if it was not before. */
export function helm(): Promise<string> {
  return ensureHelm({ progress: (line) => console.error(line) });
}

/** The objects of the chart with these values. Rejects with Helm's message if it refuses them. */
export async function chart(
  values: Values = {},
  options: { release?: string; namespace?: string } = {},
): Promise<Rendered[]> {
  return objectsOf(await render(await helm(), values, options));
}

/** The objects of a text with manifests. */
export function objectsOf(text: string): Rendered[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Rendered | null)
    .filter((object) => object !== null);
}

/** The only object of a kind. */
export function onlyOne(objects: readonly Rendered[], kind: string): Rendered {
  const [found, ...more] = objects.filter((object) => object.kind === kind);
  if (!found || more.length > 0) throw new Error(`Expected one ${kind}, found ${more.length + 1}.`);
  return found;
}

/** The operator's Pods. */
export function podTemplate(objects: readonly Rendered[]): PodTemplate {
  return onlyOne(objects, 'Deployment').spec?.['template'] as PodTemplate;
}

/** The operator's container. */
export function container(objects: readonly Rendered[]): Container {
  return podTemplate(objects).spec.containers[0];
}

/** Objects as `kind namespace/name`, sorted. */
export function namesOf(objects: readonly Rendered[]): string[] {
  return objects
    .map(({ kind, metadata: { namespace, name } }) =>
      namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`,
    )
    .toSorted();
}

/** Rules as lines such as `get leases/tinycert-operator`, one for each verb, resource and name. */
export function grants(objects: readonly Rendered[]): string[] {
  return objects
    .flatMap(({ rules = [] }) => rules)
    .flatMap(({ resources, resourceNames = [''], verbs }) =>
      resources.flatMap((resource) =>
        resourceNames.flatMap((name) =>
          verbs.map((verb) => `${verb} ${resource}${name === '' ? '' : `=${name}`}`),
        ),
      ),
    )
    .toSorted();
}

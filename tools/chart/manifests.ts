import { isDeepStrictEqual } from 'node:util';
import { Document, parseDocument, stringify } from 'yaml';
import { identityOf, type Manifest, manifestsOf, textOf } from './objects.ts';
import { RELEASE, render, type Values } from './render.ts';

const GENERATED = '# Generated from deploy/helm by "npm run generate"; edits here are lost.\n';

/** What each overlay of the kustomize base is: the chart with these values. */
export const OVERLAYS: Readonly<Record<string, Values>> = {
  'high-availability': { replicas: 2, podDisruptionBudget: { enabled: true } },
  'own-namespace': { namespaces: [RELEASE] },
  'prometheus-operator': { metrics: { serviceMonitor: { enabled: true } } },
  'without-cacert': { cacert: { enabled: false } },
};

/** The operator's namespace, which Helm makes itself. */
const NAMESPACE = `apiVersion: v1
kind: Namespace
metadata:
  name: ${RELEASE}
  labels:
    app.kubernetes.io/name: ${RELEASE}
    pod-security.kubernetes.io/enforce: restricted
`;

/** Every file that is generated from the chart, by its path in the repository. */
export async function manifestFiles(helm: string): Promise<Map<string, string>> {
  const base = await plain(helm, {});
  const files = new Map<string, string>();
  const put = (path: string, text: string): void => void files.set(`deploy/${path}`, GENERATED + text);
  put('install.yaml', textOf(base));
  put('rbac.yaml', textOf(base.filter(isRight)));
  const parts: [string, (manifest: Manifest) => boolean][] = [
    ['namespace.yaml', (each) => each.get('kind') === 'Namespace'],
    ['crds.yaml', (each) => each.get('kind') === 'CustomResourceDefinition'],
    ['rbac.yaml', (each) => isRight(each) && each.get('kind') !== 'Namespace'],
    ['operator.yaml', (each) => !isRight(each) && each.get('kind') !== 'CustomResourceDefinition'],
  ];
  for (const [name, isPart] of parts) put(`kustomize/base/${name}`, textOf(base.filter(isPart)));
  put('kustomize/base/kustomization.yaml', kustomization({ resources: parts.map(([name]) => name) }));
  for (const [name, values] of Object.entries(OVERLAYS)) {
    const { added, patches } = difference(base, await plain(helm, values));
    const folder = `kustomize/overlays/${name}`;
    if (added.length > 0) put(`${folder}/added.yaml`, textOf(added));
    const resources = ['../../base', ...(added.length > 0 ? ['added.yaml'] : [])];
    put(`${folder}/kustomization.yaml`, kustomization({ resources, patches }));
  }
  return files;
}

/** The chart as plain manifests. */
export async function plain(helm: string, values: Values): Promise<Manifest[]> {
  return [parseDocument(NAMESPACE), ...manifestsOf(await render(helm, values))];
}

const RIGHTS = new Set([
  'Namespace',
  'ServiceAccount',
  'ClusterRole',
  'ClusterRoleBinding',
  'Role',
  'RoleBinding',
]);

function isRight(manifest: Manifest): boolean {
  return RIGHTS.has(String(manifest.get('kind')));
}

function kustomization(content: { resources: readonly string[]; patches?: readonly Patch[] }): string {
  const { resources, patches = [] } = content;
  return stringify(
    {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources,
      ...(patches.length > 0 ? { patches } : {}),
    },
    { lineWidth: 0, singleQuote: true },
  );
}

interface Patch {
  /** Absent if the patch names its object. */
  target?: Record<string, string>;
  patch: string;
}

/** How kustomize gets from the base to a variant: objects that are new, and patches that change or remove others. */
export function difference(
  base: readonly Manifest[],
  variant: readonly Manifest[],
): { added: Manifest[]; patches: Patch[] } {
  const keyOf = (manifest: Manifest): string => JSON.stringify(identityOf(manifest));
  const before = new Map(base.map((manifest) => [keyOf(manifest), manifest]));
  const after = new Map(variant.map((manifest) => [keyOf(manifest), manifest]));
  const patches = [...before].flatMap(([key, old]) => {
    const changed = after.get(key);
    if (changed === undefined) return [{ patch: removal(old) }];
    const operations = changes(old, changed);
    return operations.length === 0 ? [] : [{ target: targetOf(old), patch: stringify(operations) }];
  });
  return { added: [...after].filter(([key]) => !before.has(key)).map(([, manifest]) => manifest), patches };
}

function targetOf(manifest: Manifest): Record<string, string> {
  const { apiVersion, kind, namespace, name } = identityOf(manifest);
  const [version = '', group] = apiVersion.split('/').toReversed();
  return {
    ...(group === undefined ? {} : { group }),
    version,
    kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
  };
}

function removal(manifest: Manifest): string {
  const { apiVersion, kind, namespace, name } = identityOf(manifest);
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
  return stringify({ $patch: 'delete', apiVersion, kind, metadata });
}

interface Operation {
  op: 'add' | 'remove' | 'replace';
  path: string;
  value?: unknown;
}

/** The operations of a JSON patch (RFC 6902). Lists are replaced as a whole, unless they are as long as before and have parts that are maps. */
function changes(from: unknown, to: unknown, path = ''): Operation[] {
  const old = from instanceof Document ? (from.toJS() as unknown) : from;
  const now = to instanceof Document ? (to.toJS() as unknown) : to;
  if (isDeepStrictEqual(old, now)) return [];
  if (Array.isArray(old) && Array.isArray(now) && old.length === now.length && now.every(isRecord))
    return now.flatMap((item, index) => changes(old[index], item, `${path}/${index}`));
  if (!isRecord(old) || !isRecord(now)) return [{ op: 'replace', path, value: now }];
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].flatMap((key): Operation[] => {
    const inner = `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (!(key in now)) return [{ op: 'remove', path: inner }];
    if (!(key in old)) return [{ op: 'add', path: inner, value: now[key] }];
    return changes(old[key], now[key], inner);
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

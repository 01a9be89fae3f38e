import { type Document, isMap, parseAllDocuments } from 'yaml';

/** A manifest as a document, which keeps its comments. */
export type Manifest = Document;

/** What names an object in a cluster. */
export interface Identity {
  apiVersion: string;
  kind: string;
  namespace: string | undefined;
  name: string;
}

/** Labels and annotations that mean something to Helm alone. */
const HELM_MARKS = [
  ['metadata', 'labels', 'helm.sh/chart'],
  ['metadata', 'labels', 'app.kubernetes.io/managed-by'],
  ['metadata', 'annotations', 'helm.sh/resource-policy'],
  ['spec', 'template', 'metadata', 'labels', 'helm.sh/chart'],
  ['spec', 'template', 'metadata', 'labels', 'app.kubernetes.io/managed-by'],
];

/** The manifests of a rendering, without what is only Helm's, in the order in which they can be applied. */
export function manifestsOf(rendering: string): Manifest[] {
  const documents = parseAllDocuments(rendering);
  if (!Array.isArray(documents)) return [];
  const manifests = documents.filter(({ contents }) => isMap(contents));
  for (const manifest of manifests) {
    // Helm names the template in a comment before each.
    manifest.commentBefore = null;
    if (isMap(manifest.contents))
      manifest.contents.commentBefore = ownComment(manifest.contents.commentBefore);
    for (const path of HELM_MARKS) if (manifest.hasIn(path)) manifest.deleteIn(path);
    const annotations = ['metadata', 'annotations'];
    if (isEmptyMap(manifest.getIn(annotations))) manifest.deleteIn(annotations);
  }
  return manifests.toSorted((a, b) => rank(a) - rank(b));
}

/** The name of an object. */
export function identityOf(manifest: Manifest): Identity {
  return {
    apiVersion: String(manifest.get('apiVersion')),
    kind: String(manifest.get('kind')),
    namespace: manifest.getIn(['metadata', 'namespace']) as string | undefined,
    name: String(manifest.getIn(['metadata', 'name'])),
  };
}

/** Manifests as one text, each behind `---`. */
export function textOf(manifests: readonly Manifest[]): string {
  return manifests
    .map((manifest) => manifest.toString({ lineWidth: 0, flowCollectionPadding: false }))
    .map((text) => (text.startsWith('---\n') ? text : `---\n${text}`))
    .join('');
}

/** A namespace comes before what is in it, and a kind before what may name it. */
const ORDER = [
  'Namespace',
  'CustomResourceDefinition',
  'ServiceAccount',
  'ClusterRole',
  'ClusterRoleBinding',
];

function rank(manifest: Manifest): number {
  const { kind } = identityOf(manifest);
  const index = ORDER.indexOf(kind);
  if (index >= 0) return index;
  return kind === 'Role' || kind === 'RoleBinding' ? ORDER.length : ORDER.length + 1;
}

function ownComment(comment: string | null | undefined): string | null {
  const lines = (comment ?? '').split('\n').filter((line) => !line.startsWith(' Source: ') && line !== '');
  return lines.length === 0 ? null : lines.join('\n');
}

function isEmptyMap(node: unknown): boolean {
  return isMap(node) && node.items.length === 0;
}

import type { CertificateStatus } from '../../../src/api/tinycert/certificate-status.ts';
import {
  cacertAccounts,
  cacertCertificates,
  certificates,
  clusterIssuers,
  issuers,
} from '../../../src/api/kinds.ts';
import { type KubeObject, type ResourceType, secrets } from '../../../src/kube/objects.ts';
import type { Fixture } from './fixture.ts';

const TYPES: readonly ResourceType[] = [
  secrets,
  issuers,
  clusterIssuers,
  certificates,
  cacertAccounts,
  cacertCertificates,
];

/**
 * Puts the objects of a fixture into etcd, since the API server gives every object that it creates another uid, and seals and journal
 * go by uids. Only versions differ from what was written: etcd counts them, and statuses name those of Secrets as etcd counts now.
 */
export async function loadFixture(etcd: string, { objects }: Pick<Fixture, 'objects'>): Promise<void> {
  const versions = new Map<string, string>();
  for (const type of TYPES) {
    for (const object of objects.filter(({ kind }) => kind === type.kind)) {
      const { resourceVersion: before = '', ...metadata } = object.metadata;
      const { status } = object as { status?: CertificateStatus };
      const secretResourceVersion = versions.get(status?.secretResourceVersion ?? '');
      const stored = {
        ...object,
        metadata,
        ...(secretResourceVersion === undefined ? {} : { status: { ...status, secretResourceVersion } }),
      };
      const version = await put(etcd, keyOf(type, object), JSON.stringify(stored));
      if (type === secrets) versions.set(before, version);
    }
  }
}

/** Where the API server keeps an object. */
function keyOf({ group, plural }: ResourceType, { metadata: { namespace, name } }: KubeObject): string {
  return ['/registry', group, plural, namespace, name].filter(Boolean).join('/');
}

/** Stores a value, and resolves with its version. */
async function put(etcd: string, key: string, value: string): Promise<string> {
  const body = JSON.stringify({ key: base64(key), value: base64(value) });
  const answer = await fetch(`${etcd}/v3/kv/put`, { method: 'POST', body });
  if (!answer.ok) throw new Error(`etcd stores nothing: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { header: { revision: string } }).header.revision;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** Prepares the cluster for a measurement, and reads the certificates from it afterwards. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { certificates, issuers, type TinyCertCertificate } from '../src/api/kinds.ts';
import { KubeClient } from '../src/kube/client.ts';
import { connect } from '../src/kube/config/credentials.ts';
import { isNotFound } from '../src/kube/errors.ts';
import { type KubeObject, type ResourceType, secrets } from '../src/kube/objects.ts';
import { Transport } from '../src/kube/transport/transport.ts';
import { systemClock } from '../src/lib/clock.ts';
import { BenchError } from './errors.ts';
import { ISSUER } from './floor/payloads.ts';

const crds: ResourceType = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};
const namespaceType: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
};

const READY_MS = 60_000;
const POLL_MS = 50;

/** A client for everything that is not measured. */
export async function openClient(kubeconfig: string): Promise<KubeClient> {
  const connection = await connect({ kubeconfig, clock: systemClock });
  const transport = new Transport({ connection, clock: systemClock, userAgent: 'tinycert-operator-bench' });
  return new KubeClient(transport, { fieldManager: 'bench' });
}

/**
 * Installs the CRDs and waits until they are served. `others`: the folder of those of another version; what they have beside ours
 * is there too, so that both versions find every field that they write.
 */
export async function installCrds(kube: KubeClient, others?: string): Promise<void> {
  const folder = fileURLToPath(new URL('../crds/', import.meta.url));
  for (const file of await readdir(folder)) {
    const read = async (from: string): Promise<unknown> => parse(await readFile(join(from, file), 'utf8'));
    const own = await read(folder);
    const crd = others === undefined ? own : joined(own, await read(others));
    await kube.create(crds, crd as KubeObject);
  }
  await until('The CRDs are not served.', async () => {
    const lists = await Promise.all([
      served(kube.list(certificates, { limit: 1 })),
      served(kube.list(issuers, { limit: 1 })),
    ]);
    return lists.every(Boolean);
  });
}

/** Everything of both; where they differ, of the first. */
function joined(a: unknown, b: unknown): unknown {
  if (Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every(isObject))
    return a.map((each, i) => joined(each, b[i]));
  if (!isObject(a) || !isObject(b)) return a;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...keys].map((key) => [key, key in a ? joined(a[key], b[key]) : b[key]]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export async function createNamespaces(kube: KubeClient, names: readonly string[]): Promise<void> {
  for (const name of names) await kube.create(namespaceType, { metadata: { name } });
}

export interface IssuerAccess {
  endpoint: string;
  ca: string;
  credentials: { email: string; passphrase: string; apiKey: string };
  authorityId: number;
}

/** Creates an issuer with its credentials in each of the namespaces. */
export async function createIssuers(
  kube: KubeClient,
  names: readonly string[],
  { endpoint, ca, credentials, authorityId }: IssuerAccess,
): Promise<void> {
  for (const namespace of names) {
    await kube.create(secrets, { metadata: { namespace, name: ISSUER }, stringData: { ...credentials } });
    await kube.create(issuers, {
      metadata: { namespace, name: ISSUER },
      spec: {
        endpoint,
        caBundle: ca,
        credentialsSecretRef: { name: ISSUER },
        authority: { id: authorityId },
      },
    });
  }
}

/** Waits until every issuer is Ready. Calls `alive` in between, which throws when waiting is pointless. */
export async function untilIssuersReady(
  kube: KubeClient,
  names: readonly string[],
  alive: () => Promise<void>,
): Promise<void> {
  for (const namespace of names) {
    await until(`The issuer in ${namespace} did not become Ready.`, async () => {
      await alive();
      const { status } = await kube.get(issuers, { namespace, name: ISSUER });
      return status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
    });
  }
}

/** The certificates of a namespace and how many of them are Ready, from a live LIST. */
export async function readyCertificates(
  kube: KubeClient,
  namespace: string,
): Promise<{ all: TinyCertCertificate[]; ready: number }> {
  const { items } = await kube.listAll(certificates, { namespace });
  return { all: items, ready: items.filter(isReady).length };
}

export function isReady({ status }: TinyCertCertificate): boolean {
  return status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

/** The reason of the condition Ready. */
export function readyReason({ status }: TinyCertCertificate): string | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready')?.reason;
}

async function until(complaint: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + READY_MS;
  while (!(await holds())) {
    if (performance.now() > end) throw new BenchError(complaint);
    await sleep(POLL_MS);
  }
}

async function served(list: Promise<unknown>): Promise<boolean> {
  try {
    await list;
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

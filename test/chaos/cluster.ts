import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type ControlPlane, startControlPlane } from '../../tools/control-plane/index.ts';
import type { Ca } from './ca.ts';
import { EtcdWitness } from './etcd.ts';
import { CERTIFICATES, CORE, Kube, pathOf } from './kube.ts';
import {
  type CaName,
  credentialsOf,
  type IssuerFacts,
  type IssuerName,
  ISSUERS,
  ISSUERS_OF,
} from './issuers.ts';
import { MAIN, OTHER, type Wanted } from './population.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const folder = new URL('../../crds/', import.meta.url);

interface Crd {
  metadata: { name: string };
  spec: { versions: { schema: { openAPIV3Schema: Schema } }[] };
}

interface Schema {
  properties?: Record<string, Schema>;
}

/** The API server and etcd of a run, with what both installations need. */
export interface ChaosCluster {
  plane: ControlPlane;
  kube: Kube;
  etcd: EtcdWitness;
  close(): Promise<void>;
}

export async function openCluster(progress: (line: string) => void): Promise<ChaosCluster> {
  // JSON in etcd, which the witnesses can read.
  const plane = await startControlPlane({
    progress,
    extraApiServerArgs: ['--storage-media-type=application/json'],
  });
  const kube = new Kube(plane);
  const etcd = new EtcdWitness(etcdPort(plane));
  etcd.start();
  return {
    plane,
    kube,
    etcd,
    close: async () => {
      await etcd.stop();
      kube.close();
      await plane.stop();
    },
  };
}

/** Namespaces, credentials and issuers of both installations. */
export async function furnish(kube: Kube, cas: Record<CaName, Ca>): Promise<void> {
  for (const crd of releasedCrds()) await kube.must('POST', CRDS, crd);
  await untilServed(kube);
  for (const namespace of [...MAIN, ...OTHER]) {
    await kube.must('POST', `${CORE}/namespaces`, { metadata: { name: namespace } });
    for (const ca of Object.values(cas)) {
      const { email, passphrase, apiKey } = ca.ready;
      await kube.must('POST', pathOf(CORE, namespace, 'secrets'), {
        metadata: { name: credentialsOf(ca.name) },
        stringData: { email, passphrase, apiKey },
      });
    }
    const isOther = (OTHER as readonly string[]).includes(namespace);
    for (const name of ISSUERS_OF[isOther ? 'other' : 'main'])
      await createIssuer(kube, cas, { namespace, name });
  }
}

/** An issuer of a run. */
export interface IssuerPlace {
  namespace: string;
  name: IssuerName;
}

/** Makes one of the issuers. */
export async function createIssuer(
  kube: Kube,
  cas: Record<CaName, Ca>,
  { namespace, name }: IssuerPlace,
): Promise<void> {
  const { ca, authority, isMarked } = ISSUERS[name];
  const { endpoint, caPem } = cas[ca].ready;
  await kube.must('POST', pathOf(CERTIFICATES, namespace, 'tinycertissuers'), {
    apiVersion: 'tinycert-operator.io/v1alpha1',
    kind: 'TinyCertIssuer',
    metadata: { name },
    spec: {
      endpoint,
      caBundle: caPem,
      credentialsSecretRef: { name: credentialsOf(ca) },
      authority: { name: authority },
      ...(isMarked ? { ownershipMarker: 'OrganizationalUnit' } : {}),
    },
  });
}

export function issuerPath({ namespace, name }: IssuerPlace): string {
  return pathOf(CERTIFICATES, namespace, 'tinycertissuers', name);
}

/** The authority of each issuer. Throws an Error unless both CAs number alike. */
export async function authorityIds(cas: Record<CaName, Ca>): Promise<Record<IssuerName, number>> {
  const [near, far] = await Promise.all([cas.near.authorities(), cas.far.authorities()]);
  const ids = ({ ca, authority }: IssuerFacts): number =>
    (ca === 'near' ? near : far).find(({ name }) => name === authority)?.id ?? 0;
  const found = Object.entries(ISSUERS).map(([name, facts]) => [name, ids(facts)]);
  const result = Object.fromEntries(found) as Record<IssuerName, number>;
  if (result.plain !== result.far || result.plain === 0) throw new Error('The CAs do not number alike.');
  return result;
}

export function certificatePath({ namespace, name }: Pick<Wanted, 'namespace' | 'name'>): string {
  return pathOf(CERTIFICATES, namespace, 'tinycertcertificates', name);
}

export function secretPath({ namespace, name }: Pick<Wanted, 'namespace' | 'name'>): string {
  return pathOf(CORE, namespace, 'secrets', name);
}

/** Installs an older CRD whose status lacks a field that the seal covers, or the current one again. */
export async function setCrd(kube: Kube, which: 'older' | 'released'): Promise<void> {
  const crd = releasedCrds().find(({ metadata }) => metadata.name.startsWith('tinycertcertificates.'));
  if (!crd) throw new Error('There is no CRD of certificates.');
  if (which === 'older') {
    for (const { schema } of crd.spec.versions) {
      const { attemptId: _, ...others } = schema.openAPIV3Schema.properties?.['status']?.properties ?? {};
      const status = schema.openAPIV3Schema.properties?.['status'];
      if (status) status.properties = others;
    }
  }
  const path = `${CRDS}/${crd.metadata.name}`;
  await kube.must('PATCH', path, { spec: crd.spec });
}

function releasedCrds(): Crd[] {
  return readdirSync(folder).map((file) => parse(readFileSync(new URL(file, folder), 'utf8')) as Crd);
}

async function untilServed(kube: Kube): Promise<void> {
  for (const plural of ['tinycertcertificates', 'tinycertissuers', 'tinycertclusterissuers'])
    while ((await kube.send('GET', `${CERTIFICATES}/${plural}`)).status !== 200)
      await new Promise((resolve) => setTimeout(resolve, 50));
}

/** The address of etcd, from its own command line. */
function etcdPort(plane: ControlPlane): number {
  const { stdout } = spawnSync('ps', ['-o', 'args=', '-ww', '-p', String(plane.pids().etcd)], {
    encoding: 'utf8',
  });
  const [, port] = /--listen-client-urls=http:\/\/127\.0\.0\.1:([0-9]+)/.exec(stdout) ?? [];
  if (port === undefined) throw new Error('The port of etcd cannot be found.');
  return Number(port);
}

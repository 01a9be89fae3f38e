import { X509Certificate } from 'node:crypto';
import { API_VERSION } from '../../../src/api/names.ts';
import { until } from './until.ts';
import type { World } from './world.ts';

/** A namespace with an issuer, for one test. */
export interface Team {
  namespace: string;
  /** Creates a TinyCertCertificate whose Secret is called `NAME-tls`. */
  request(name: string, spec: { dnsNames: string[] } & Record<string, unknown>): Promise<void>;
  /** Waits until it is ready. */
  ready(name: string, seconds?: number): Promise<void>;
  /** The certificate in its Secret; undefined if there is none. */
  published(name: string): Promise<X509Certificate | undefined>;
}

const ISSUER = 'example';
/** Of namespaces that belong to one test. */
const LABEL = 'e2e.tinycert-operator.io/test';

/** Makes a namespace that goes with `removeNamespaces`. */
export async function createNamespace({ kubectl }: World, name: string): Promise<void> {
  await kubectl.apply([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { [LABEL]: 'true' } } },
  ]);
}

/** Deletes the namespaces of tests with everything in them, and waits until they are gone: nothing may keep them. */
export async function removeNamespaces({ kubectl }: World): Promise<void> {
  await kubectl.run(['delete', 'namespaces', `--selector=${LABEL}`, '--timeout=90s']);
}

/** Makes the namespace, or takes the one that a test before has left, with an issuer that is ready. */
export async function createTeam(world: World, namespace: string): Promise<Team> {
  const { kubectl, ca } = world;
  const { endpoint, caPem, email, passphrase, apiKey } = ca;
  await createNamespace(world, namespace);
  await kubectl.apply([
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace, name: 'tinycert-account' },
      stringData: { email, passphrase, apiKey },
    },
    {
      apiVersion: API_VERSION,
      kind: 'TinyCertIssuer',
      metadata: { namespace, name: ISSUER },
      spec: {
        endpoint,
        caBundle: caPem,
        credentialsSecretRef: { name: 'tinycert-account' },
        authority: { name: 'Example Org' },
      },
    },
  ]);
  const ready = (what: string, seconds?: number): Promise<void> =>
    kubectl.wait('condition=Ready', what, namespace, seconds);
  await ready(`tinycertissuer/${ISSUER}`);
  return {
    namespace,
    request: (name, spec) =>
      kubectl.apply([
        {
          apiVersion: API_VERSION,
          kind: 'TinyCertCertificate',
          metadata: { namespace, name },
          spec: { secretName: `${name}-tls`, issuerRef: { kind: 'TinyCertIssuer', name: ISSUER }, ...spec },
        },
      ]),
    ready: (name, seconds) => ready(`tinycertcertificate/${name}`, seconds),
    async published(name) {
      const { code, stdout } = await kubectl.attempt([
        'get',
        'secret',
        `${name}-tls`,
        `--namespace=${namespace}`,
        '--output=jsonpath={.data.tls\\.crt}',
      ]);
      return code === 0 && stdout !== '' ? new X509Certificate(Buffer.from(stdout, 'base64')) : undefined;
    },
  };
}

/** The ids of all certificates that the CA made for this common name, whoever has them and whatever became of them. */
export function boughtFor({ ca }: World, commonName: string): number[] {
  return ca
    .certificates()
    .filter(({ cn }) => cn === commonName)
    .map(({ id }) => id);
}

/** Waits until a certificate with another serial number is in the Secret. */
export function another(team: Team, name: string, than: string, seconds: number): Promise<X509Certificate> {
  return until(
    `the Secret ${name}-tls has another certificate`,
    async () => {
      const certificate = await team.published(name);
      return certificate === undefined || certificate.serialNumber === than ? undefined : certificate;
    },
    seconds,
  );
}

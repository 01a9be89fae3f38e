/** The bodies of the raw loop's requests. They match the operator's for the same certificate in fields and size. */
import type { CertificateStatus } from '../../src/api/tinycert/certificate-status.ts';
import { accountDigest } from '../../src/api/tinycert/identity.ts';
import type { TinyCertCertificate } from '../../src/api/kinds.ts';
import { API_VERSION, MANAGED_LABEL, SECRET_ANNOTATIONS } from '../../src/api/names.ts';
import type { Secret } from '../../src/kube/objects.ts';

/** Name of the issuer in each of the bench's namespaces. */
export const ISSUER = 'bench';

/** A certificate's files as the CA sends them. PEM. */
export interface Material {
  /** The leaf, then the root. */
  chain: string;
  key: string;
}

/** The names of a round's certificates. */
export function certificateNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `c${String(index).padStart(5, '0')}`);
}

/** The common name of a certificate; unique in the bench. */
export function commonNameOf(namespace: string, name: string): string {
  return `${name}.${namespace}.example.com`;
}

/** A certificate with two names, as most have. */
export function certificateBody(namespace: string, name: string): TinyCertCertificate {
  const commonName = commonNameOf(namespace, name);
  return {
    apiVersion: API_VERSION,
    kind: 'TinyCertCertificate',
    metadata: { namespace, name },
    spec: {
      secretName: `${name}-tls`,
      issuerRef: { kind: 'TinyCertIssuer', name: ISSUER },
      dnsNames: [commonName, `www.${commonName}`],
    },
  };
}

const AUTHORITY = {
  account: accountDigest('https://bench.example.com/', 'bench@example.com'),
  authorityId: 1000,
};
const TIME = '2026-01-01T00:00:00Z';
const ATTEMPT_ID = '00000000-0000-4000-8000-000000000000';
const SPEC_HASH = `v1:${'0'.repeat(64)}`;
const WAITING = { reason: 'DoesNotExist', message: 'No certificate has been issued yet.' };
const OF_FIRST_GENERATION = { lastTransitionTime: TIME, observedGeneration: 1 };
const SEAL = `v1:${'0'.repeat(64)}`;

const ATTEMPTED: CertificateStatus = {
  ...AUTHORITY,
  attemptId: ATTEMPT_ID,
  specHash: SPEC_HASH,
  conditions: [
    { type: 'Ready', status: 'False', ...WAITING, ...OF_FIRST_GENERATION },
    { type: 'Issuing', status: 'True', ...WAITING, ...OF_FIRST_GENERATION },
  ],
  seal: SEAL,
};
const ATTEMPTED_TEXT = JSON.stringify(ATTEMPTED);

/** A write of status before the CA is asked: a merge-patch. Concatenated from texts, since serializing objects is no cost of the server. */
export function attemptPatch(resourceVersion: string): string {
  return `{"metadata":{"resourceVersion":"${resourceVersion}"},"status":${ATTEMPTED_TEXT}}`;
}

/** The status of an issued certificate. */
export function issuedStatus(certificateId: number, secret: SecretVersion): CertificateStatus {
  return {
    ...AUTHORITY,
    certificateId,
    certificateStatus: 'good',
    serialNumber: certificateId.toString(16),
    notBefore: TIME,
    notAfter: '2027-01-01T00:00:00Z',
    renewalTime: '2026-09-01T08:00:00Z',
    revision: 1,
    specHash: SPEC_HASH,
    attemptId: ATTEMPT_ID,
    secretUID: secret.uid,
    secretResourceVersion: secret.resourceVersion,
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'Ready',
        message: 'The Secret holds a valid certificate for this spec.',
        ...OF_FIRST_GENERATION,
      },
    ],
    seal: SEAL,
  };
}

/** The Secret that was written, and its version. */
export interface SecretVersion {
  uid: string;
  resourceVersion: string;
}

/** The result: a merge-patch of status. */
export function resultPatch(resourceVersion: string, certificateId: number, secret: SecretVersion): string {
  return JSON.stringify({ metadata: { resourceVersion }, status: issuedStatus(certificateId, secret) });
}

/** The Secret, with the operator's label and annotations. */
export function secretBody(
  namespace: string,
  name: string,
  certificateId: number,
  { chain, key }: Material,
): Secret {
  const commonName = commonNameOf(namespace, name);
  const rootAt = chain.lastIndexOf('-----BEGIN');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: {
      namespace,
      name: `${name}-tls`,
      labels: { [MANAGED_LABEL]: 'true' },
      annotations: {
        [SECRET_ANNOTATIONS.certificateName]: name,
        [SECRET_ANNOTATIONS.issuerKind]: 'TinyCertIssuer',
        [SECRET_ANNOTATIONS.issuerName]: ISSUER,
        [SECRET_ANNOTATIONS.account]: AUTHORITY.account,
        [SECRET_ANNOTATIONS.authorityId]: String(AUTHORITY.authorityId),
        [SECRET_ANNOTATIONS.certificateId]: String(certificateId),
        [SECRET_ANNOTATIONS.commonName]: commonName,
        [SECRET_ANNOTATIONS.altNames]: `${commonName},www.${commonName}`,
        [SECRET_ANNOTATIONS.ipSans]: '',
        [SECRET_ANNOTATIONS.uriSans]: '',
        [SECRET_ANNOTATIONS.emailSans]: '',
      },
    },
    data: {
      'tls.crt': base64(chain.slice(0, rootAt)),
      'tls.key': base64(key),
      'ca.crt': base64(chain.slice(rootAt)),
    },
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** The first resourceVersion in an object's JSON, which is the object's own. Parsing all of it would cost more. */
export function resourceVersionOf(json: Buffer): string {
  return textBehind(json, '"resourceVersion":"');
}

/** As `resourceVersionOf`, with the uid. */
export function secretVersionOf(json: Buffer): SecretVersion {
  return { uid: textBehind(json, '"uid":"'), resourceVersion: resourceVersionOf(json) };
}

function textBehind(json: Buffer, mark: string): string {
  const start = json.indexOf(mark) + mark.length;
  const end = json.indexOf('"', start);
  if (start < mark.length || end < 0) throw new TypeError('The answer is not an object of the API.');
  return json.toString('latin1', start, end);
}

import { effectiveNames, specHash } from '../../../src/api/tinycert/effective.ts';
import type { CertificateSpec } from '../../../src/api/tinycert/certificate-spec.ts';
import type { Attempt, CertificateStatus } from '../../../src/api/tinycert/certificate-status.ts';
import { accountDigest, type AuthorityRef, type CertificateRef } from '../../../src/api/tinycert/identity.ts';
import type { TinyCertCertificate } from '../../../src/api/kinds.ts';
import type { Inputs } from '../../../src/tinycert-certificates/context/inputs.ts';
import type { ReadyIssuer } from '../../../src/issuance/tinycert/issuer-directory.ts';

/** The moment at which the builders' certificates were issued; they live for 90 days. */
export const ISSUED = Date.parse('2026-01-01T00:00:00Z');
export const DAY = 86_400_000;

export const spec: CertificateSpec = {
  secretName: 'web-tls',
  issuerRef: { kind: 'TinyCertIssuer', name: 'ca' },
  dnsNames: ['www.example.com'],
  // Makes the time of renewal a round one.
  renewal: { policy: 'RenewBefore', jitterPercent: 0 },
};

/** The account of the builders. */
export const account = accountDigest('https://www.tinycert.org/api/v1/', 'ops@example.com');
/** Another account, which numbers its authorities and certificates alike. */
export const otherAccount = accountDigest('https://tinycert.example.org/api/v1/', 'ops@example.com');
/** The authority of the builders. */
export const authority: AuthorityRef = { account, authorityId: 1 };

/** A certificate of the builders' authority, or of another one. */
export function ref(certificateId: number, of: Partial<AuthorityRef> = {}): CertificateRef {
  return { ...authority, ...of, certificateId };
}

export const attempt: Attempt = {
  number: 1,
  id: 'attempt-1',
  operation: 'New',
  holder: 'pod',
  startTime: '2026-01-01T00:00:00.000Z',
  specHash: specHash(spec),
  commonName: 'www.example.com',
  requestHash: 'v1:0',
  since: '2026-01-01T00:00:00.000Z',
  afterId: 5,
  ...authority,
};

/** The status of a certificate that was issued without a failure. */
export const issued: CertificateStatus = {
  ...ref(7),
  certificateStatus: 'good',
  serialNumber: '07',
  notBefore: '2026-01-01T00:00:00Z',
  notAfter: '2026-04-01T00:00:00Z',
  renewalTime: '2026-03-02T00:00:00Z',
  revision: 1,
  specHash: specHash(spec),
  attempt: { ...attempt, certificateId: 7 },
  secretUID: 'secret-uid',
  secretResourceVersion: '10',
  conditions: [
    {
      type: 'Ready',
      status: 'True',
      reason: 'Ready',
      message: 'The Secret holds a valid certificate for this spec.',
      lastTransitionTime: '2026-01-01T00:00:00Z',
      observedGeneration: 1,
    },
  ],
};

/** An issuer of authority 1 without a CA behind it, which is enough for decisions. */
export const readyIssuer = {
  key: 'TinyCertIssuer:ns/ca',
  authority: { ...authority, name: 'Example' },
} as ReadyIssuer;

/** A certificate resource; new if it has no status. */
export function certificate(
  options: {
    spec?: Partial<CertificateSpec>;
    status?: CertificateStatus | undefined;
    generation?: number;
  } = {},
): TinyCertCertificate {
  return {
    apiVersion: 'tinycert-operator.io/v1alpha1',
    kind: 'TinyCertCertificate',
    metadata: {
      namespace: 'ns',
      name: 'web',
      uid: 'uid',
      resourceVersion: '1',
      generation: options.generation ?? 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: { ...spec, ...options.spec },
    ...(options.status ? { status: options.status } : {}),
  };
}

/** Inputs of a decision, by default for a good certificate that was issued 30 days ago. */
export function inputs(
  options: Partial<Inputs> & {
    spec?: Partial<CertificateSpec>;
    status?: CertificateStatus | undefined;
    generation?: number;
  } = {},
): Inputs {
  const { spec: specChange, status = issued, generation, ...rest } = options;
  const resource = certificate({
    ...(specChange ? { spec: specChange } : {}),
    status,
    ...(generation ? { generation } : {}),
  });
  return {
    certificate: resource,
    names: effectiveNames(resource.spec),
    specHash: specHash(resource.spec),
    crdsFit: true,
    issuerKey: readyIssuer.key,
    issuer: { ready: true, issuer: readyIssuer },
    issuerExists: true,
    issuerKindInstalled: true,
    elder: undefined,
    secret: {
      state: 'unchanged',
      metadata: { namespace: 'ns', name: 'web-tls', uid: 'secret-uid', resourceVersion: '10' },
    },
    sealed: true,
    resealAt: undefined,
    attempt: undefined,
    observed: undefined,
    turn: { phase: 'open', epoch: 0 },
    now: ISSUED + 30 * DAY,
    monotonic: 1_000_000,
    ...rest,
  };
}

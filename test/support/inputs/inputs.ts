import { effectiveNames, specHash } from '../../../src/api/tinycert/effective.ts';
import type { CertificateSpec } from '../../../src/api/tinycert/certificate-spec.ts';
import type { CertificateStatus } from '../../../src/api/tinycert/certificate-status.ts';
import { accountDigest, type AuthorityRef, type CertificateRef } from '../../../src/api/tinycert/identity.ts';
import type { TinyCertCertificate } from '../../../src/api/kinds.ts';
import type { Inputs } from '../../../src/tinycert-certificates/context/inputs.ts';
import {
  type Attempt,
  nameHash,
  type OpenAttempt,
  placeHash,
} from '../../../src/issuance/tinycert/attempt.ts';
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
  ...authority,
  operation: 'New',
  startTime: '2026-01-01T00:00:00.000Z',
  specHash: specHash(spec),
  requestHash: 'v1:0',
  nameHash: nameHash('www.example.com'),
  resource: placeHash('ns/web'),
  issuer: placeHash('TinyCertIssuer:ns/ca'),
  isMarked: false,
  revision: 1,
  afterId: 5,
  since: '2026-01-01T00:00:00.000Z',
  until: '2026-01-01T00:00:46.000Z',
  reason: 'DoesNotExist',
};

/** An attempt without a result, of which this process knows nothing more. */
export const openAttempt: OpenAttempt = {
  id: 'attempt-1',
  attempt,
  isPutBack: false,
  quietAt: 0,
  progress: { is: 'open' },
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
  attemptId: 'attempt-1',
  secretUID: 'secret-uid',
  secretResourceVersion: '10',
  secretGeneration: 1,
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
    hasJournal: true,
    attempt: undefined,
    unreadable: undefined,
    observed: undefined,
    lossSign: { is: 'none' },
    unclaimedWaitMs: 900_000,
    turn: { phase: 'open', epoch: 0 },
    now: ISSUED + 30 * DAY,
    monotonic: 1_000_000,
    ...rest,
  };
}

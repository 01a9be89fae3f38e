import { SERVED } from '../../../src/cacert-certificates/readiness.ts';
import type { CAcertCertificateSpec } from '../../../src/api/cacert/certificate-spec.ts';
import type { CAcertCertificateStatus, CAcertUnserved } from '../../../src/api/cacert/certificate-status.ts';
import { cacertSpecHash } from '../../../src/api/cacert/effective.ts';
import type { CAcertCertificate } from '../../../src/api/kinds.ts';
import type { CAcertEntry, OpenAttempt } from '../../../src/cacert-certificates/attempt.ts';
import type { Inputs } from '../../../src/cacert-certificates/inputs.ts';
import type { PendingView } from '../../../src/cacert-certificates/pending-keys.ts';
import type { ReadyCAcertAccount } from '../../../src/issuance/cacert/directory.ts';
import { turnOf } from '../../../src/issuance/decide/gate-turn.ts';
import type { SecretView } from '../../../src/issuance/secret/certificate-secrets.ts';
import type { Condition } from '../../../src/kube/objects.ts';
import { readCertificate } from '../../../src/x509/certificate.ts';
import { type PrivateKey, readPrivateKey } from '../../../src/x509/private-key.ts';
import { AUTHORITY, type Vector, Vectors } from '../x509/x509-vectors.ts';

/** When the builders' certificates were issued; they live for 90 days. */
export const ISSUED = Date.parse('2026-01-01T00:00:00Z');
export const DAY = 86_400_000;

export const spec: CAcertCertificateSpec = {
  secretName: 'mail-tls',
  accountRef: { name: 'me' },
  emailAddresses: ['jane@example.org'],
  // The smallest key is made fastest.
  privateKey: { size: 2048, rotationPolicy: 'Always' },
  // Without jitter the renewal time is a round one.
  renewal: { policy: 'RenewBefore', jitterPercent: 0 },
};

/** An attempt without a result that may have been sent, unless told otherwise. */
export function attempt(
  change: Partial<Omit<OpenAttempt, 'entry'>> & { entry?: Partial<CAcertEntry> } = {},
): OpenAttempt {
  const { entry, ...rest } = change;
  return {
    id: 'attempt-1',
    entry: {
      startTime: '2026-01-01T00:00:00.000Z',
      specHash: cacertSpecHash(spec),
      publicKeyHash: '00',
      reason: 'DoesNotExist',
      ...entry,
    },
    quietAt: 0,
    progress: { is: 'open' },
    ...rest,
  };
}

/** What CAcert may have signed for `spec`, unless told otherwise. */
export function unserved(change: Partial<CAcertUnserved> = {}): CAcertUnserved {
  return {
    outcome: 'Uncertain',
    secretName: 'mail-pending-uid',
    specHash: cacertSpecHash(spec),
    publicKeyHash: '00',
    ...change,
  };
}

/** A condition for generation 1 whose message is its reason. */
export function condition(type: string, status: Condition['status'], reason: string): Condition {
  return {
    type,
    status,
    reason,
    message: reason,
    lastTransitionTime: '2026-01-01T00:00:00Z',
    observedGeneration: 1,
  };
}

/** The status of a certificate that was issued without trouble. */
export const issued: CAcertCertificateStatus = {
  serialNumber: '0a',
  notBefore: '2026-01-01T00:00:00Z',
  notAfter: '2026-04-01T00:00:00Z',
  renewalTime: '2026-03-02T00:00:00Z',
  revision: 1,
  specHash: cacertSpecHash(spec),
  attemptId: 'attempt-0',
  secretGeneration: 1,
  conditions: [{ ...condition('Ready', 'True', 'Ready'), ...SERVED }],
};

/** An account without client and gate, which is enough to decide with. It trusts nothing unless `bundle` is given. */
export function accountWith(change: Partial<ReadyCAcertAccount> = {}): ReadyCAcertAccount {
  return {
    key: 'CAcertAccount:ns/me',
    details: { codeSigning: false, names: ['Jane Doe'], emails: ['Jane@example.org'], encoding: 'utf8' },
    bundle: { roots: [], intermediates: [] },
    ...change,
  } as ReadyCAcertAccount;
}

export interface CertificateChange {
  spec?: Partial<CAcertCertificateSpec> | undefined;
  status?: CAcertCertificateStatus | undefined;
}

export function certificate({ spec: change, status = issued }: CertificateChange = {}): CAcertCertificate {
  return {
    apiVersion: 'tinycert-operator.io/v1alpha1',
    kind: 'CAcertCertificate',
    metadata: { namespace: 'ns', name: 'mail', uid: 'uid', resourceVersion: '1', generation: 1 },
    spec: { ...spec, ...change },
    status,
  };
}

/** Inputs of a decision: by default for a sound certificate that was issued 30 days ago. */
export function inputs(options: Partial<Inputs> & CertificateChange = {}): Inputs {
  const { spec: change, status, ...rest } = options;
  const resource = certificate({ spec: change, status });
  return {
    certificate: resource,
    specHash: cacertSpecHash(resource.spec),
    crdsFit: true,
    elder: undefined,
    secret: { state: 'unchanged', metadata: { namespace: 'ns', name: 'mail-tls', uid: 's' } },
    turn: turnOf(undefined, 'CAcertCertificate:ns/mail'),
    now: ISSUED + 30 * DAY,
    monotonic: 1_000_000,
    accountKey: 'CAcertAccount:ns/me',
    account: { ready: true, issuer: accountWith() },
    accountExists: true,
    pending: { state: 'absent' },
    hasJournal: true,
    attempt: undefined,
    ...rest,
  };
}

/** The change that makes the inputs those of a new resource. */
export const brandNew = { status: {}, secret: { state: 'absent' } } as const;

/** A pending Secret. By default somebody damaged its key, and no certificate stands beside it. */
export function pendingKey(
  change: Partial<Extract<PendingView, { state: 'present' }>> = {},
): Extract<PendingView, { state: 'present' }> {
  return {
    state: 'present',
    metadata: { namespace: 'ns', name: 'mail-pending-uid', uid: 'p', resourceVersion: '1' },
    account: 'me',
    key: undefined,
    certificate: undefined,
    ...change,
  };
}

/** Extensions of the certificate that CAcert signs for `spec`. */
export const FITTING: readonly string[] = [
  'extendedKeyUsage=clientAuth,emailProtection',
  'subjectAltName=email:jane@example.org',
];

/** An authority in the way of CAcert, and the certificates it signs. Made by the openssl command, valid for 10 days. */
export class CAcertVectors {
  readonly vectors = new Vectors();
  readonly authority = this.vectors.make({ subject: '/CN=CA Cert Signing Authority', extensions: AUTHORITY });
  readonly bundle = { roots: [readCertificate(this.authority.cert)], intermediates: [] };

  /** A certificate for `spec`, unless told otherwise, and its key. */
  sign(options: Partial<Parameters<Vectors['make']>[0]> = {}): Vector & { privateKey: PrivateKey } {
    const vector = this.vectors.make({
      subject: '/CN=CAcert WoT User',
      issuer: this.authority,
      extensions: FITTING,
      serial: '11',
      ...options,
    });
    return { ...vector, privateKey: readPrivateKey(vector.key) };
  }

  /** The account that trusts this authority. */
  account(): ReadyCAcertAccount {
    return accountWith({ bundle: this.bundle });
  }

  remove(): void {
    this.vectors.remove();
  }
}

/** A Secret that changed since status was written, with this certificate in it. */
export function secretWith(
  { cert, privateKey }: { cert: string; privateKey: PrivateKey },
  root: string,
  change: { hasOutputs?: boolean; hasMetadata?: boolean } = {},
): Extract<SecretView, { state: 'changed' }> {
  const { hasOutputs = true, hasMetadata = true } = change;
  const leaf = readCertificate(cert);
  return {
    state: 'changed',
    metadata: { namespace: 'ns', name: 'mail-tls', uid: 's', resourceVersion: '2' },
    content: {
      leaf,
      intermediates: [],
      root: readCertificate(root),
      claimed: undefined,
      key: privateKey,
    },
    hasOutputs,
    hasMetadata,
  };
}

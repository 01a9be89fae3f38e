/** The API group of all kinds. */
export const GROUP = 'tinycert-operator.io';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;

/** Base URL of TinyCert's public API. */
export const PUBLIC_ENDPOINT = 'https://www.tinycert.org/api/v1/';

/** Base URL of CAcert's public API. */
export const CACERT_ENDPOINT = 'https://www.cacert.org/api/';

/** Label, with the value `true`, of every Secret that the operator writes. Watches and ownership checks rely on it. */
export const MANAGED_LABEL = `${GROUP}/managed`;

/** Finalizer of a TinyCertCertificate; stays until every due hold and revocation is confirmed by TinyCert. */
export const REVOCATION_FINALIZER = `${GROUP}/revocation`;

/** Annotation of the operator's Lease: the number of the last leader that took the journal over. */
export const JOURNAL_LEADER_ANNOTATION = `${GROUP}/journal-leader`;

/** Finalizer of an issuer; stays while a certificate needs the issuer's account for a hold or revocation. */
export const IN_USE_FINALIZER = `${GROUP}/in-use`;

/**
 * Annotation of a TinyCertCertificate: with the value `true` it buys at once, although TinyCert has unclaimed certificates for
 * its names that it may have lost.
 */
export const BUY_AT_ONCE_ANNOTATION = `${GROUP}/buy-at-once`;

/** Annotations of a certificate's Secret. They inform people; the operator never decides by them alone. */
export const SECRET_ANNOTATIONS = {
  /** Name of the TinyCertCertificate that the Secret belongs to. */
  certificateName: `${GROUP}/certificate-name`,
  issuerKind: `${GROUP}/issuer-kind`,
  issuerName: `${GROUP}/issuer-name`,
  /** Digest of the TinyCert account that has the certificate in `tls.crt`, and the ids of its authority and itself there. */
  account: `${GROUP}/account`,
  authorityId: `${GROUP}/authority-id`,
  certificateId: `${GROUP}/certificate-id`,
  commonName: `${GROUP}/common-name`,
  /** DNS names, comma separated. */
  altNames: `${GROUP}/alt-names`,
  ipSans: `${GROUP}/ip-sans`,
  uriSans: `${GROUP}/uri-sans`,
  emailSans: `${GROUP}/email-sans`,
} as const;

/** Annotations of a CAcertCertificate's Secrets, in addition to those that both kinds have. */
export const CACERT_ANNOTATIONS = {
  /** Name of the CAcertCertificate that the Secret belongs to. */
  certificateName: `${GROUP}/cacert-certificate-name`,
  accountName: `${GROUP}/cacert-account-name`,
  /** Marks a Secret that keeps a key whose certificate has not arrived yet. */
  pending: `${GROUP}/cacert-pending-key`,
} as const;

/** Keys of the Secret that a CAcertAccount's `credentialsSecretRef` names. */
export const CACERT_CREDENTIAL_KEYS = { username: 'username', password: 'password' } as const;

/** Keys of the Secret that an issuer's `credentialsSecretRef` names. */
export const CREDENTIAL_KEYS = { email: 'email', passphrase: 'passphrase', apiKey: 'apiKey' } as const;

/** Default of `caBundleSecretRef.key`. */
export const CA_BUNDLE_KEY = 'ca.crt';

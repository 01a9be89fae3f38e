/** The API group of all kinds. */
export const GROUP = 'tinycert-operator.io';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;

/** Where the API of the public service is. */
export const PUBLIC_ENDPOINT = 'https://www.tinycert.org/api/v1/';

/** Where the API of CAcert is. */
export const CACERT_ENDPOINT = 'https://www.cacert.org/api/';

/** Label of every Secret the operator writes, with the value `true`; watches and ownership checks go by it. */
export const MANAGED_LABEL = `${GROUP}/managed`;

/** Kept on a certificate until what was promised for the end of its certificates is done at TinyCert. */
export const REVOCATION_FINALIZER = `${GROUP}/revocation`;

/** Kept on an issuer while certificates need its account for a hold or revocation that was promised. */
export const IN_USE_FINALIZER = `${GROUP}/in-use`;

/** Annotations of a certificate's Secret. They inform people; nothing is decided by them alone. */
export const SECRET_ANNOTATIONS = {
  /** Name of the TinyCertCertificate that the Secret belongs to. */
  certificateName: `${GROUP}/certificate-name`,
  issuerKind: `${GROUP}/issuer-kind`,
  issuerName: `${GROUP}/issuer-name`,
  /** TinyCert's id of the certificate in `tls.crt`. */
  certificateId: `${GROUP}/certificate-id`,
  commonName: `${GROUP}/common-name`,
  /** DNS names, comma separated. */
  altNames: `${GROUP}/alt-names`,
  ipSans: `${GROUP}/ip-sans`,
  uriSans: `${GROUP}/uri-sans`,
  emailSans: `${GROUP}/email-sans`,
} as const;

/** Annotations of the Secrets of a CAcertCertificate, beside those that both kinds have. */
export const CACERT_ANNOTATIONS = {
  /** Name of the CAcertCertificate that the Secret belongs to. */
  certificateName: `${GROUP}/cacert-certificate-name`,
  accountName: `${GROUP}/cacert-account-name`,
  /** On the Secret of a key whose certificate has not come yet. */
  pending: `${GROUP}/cacert-pending-key`,
} as const;

/** Keys of the Secret that an account's `credentialsSecretRef` names. */
export const CACERT_CREDENTIAL_KEYS = { username: 'username', password: 'password' } as const;

/** Keys of the Secret that an issuer's `credentialsSecretRef` names. */
export const CREDENTIAL_KEYS = { email: 'email', passphrase: 'passphrase', apiKey: 'apiKey' } as const;

/** Key of `caBundleSecretRef` unless it names one. */
export const CA_BUNDLE_KEY = 'ca.crt';

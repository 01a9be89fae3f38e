import type { Account } from '../../account/tinycert-account.ts';
import { Directory, type State } from '../../account/directory.ts';
import type { CertificateSpec } from '../../api/tinycert/certificate-spec.ts';
import type { Subject } from '../../api/tinycert/subject.ts';
import type { Certificate } from '../../x509/certificate.ts';

/** What is needed of an authority to issue and to check what it issued. */
export interface AuthorityMaterial {
  root: Certificate;
  /** Country and organization stand in where neither certificate nor issuer names them. */
  subject: Subject;
  /** `sha1`, `sha256`, or `unknown`. */
  hashAlgorithm: string;
}

/** An issuer that certificates can be had from. */
export interface ReadyIssuer {
  key: string;
  account: Account;
  authority: { id: number; name: string };
  /** Defaults for subjects, from the issuer's spec. */
  subject: Subject | undefined;
  /** Set if requests carry an ownership marker: the uid of the issuer, which no other installation has. */
  marksFor?: string | undefined;
  /** Fetched when first needed and then kept, so that a restart costs the CA nothing. */
  material: () => Promise<AuthorityMaterial>;
}

/** What is known of an issuer in this process. */
export type IssuerState = State<ReadyIssuer>;

/** The TinyCert issuers as this process found them. An account that is known of one that is not ready tells which statuses are sealed. */
export class IssuerDirectory extends Directory<ReadyIssuer> {
  constructor() {
    super((a, b) => a.marksFor === b.marksFor && a.authority.id === b.authority.id);
  }
}

/** The directory's key of an issuer, from a certificate's reference to it. */
export function issuerKey(ref: CertificateSpec['issuerRef'], namespace: string | undefined): string {
  return ref.kind === 'TinyCertClusterIssuer'
    ? `${ref.kind}:${ref.name}`
    : `${ref.kind}:${namespace}/${ref.name}`;
}

import type { Account } from '../../account/tinycert-account.ts';
import { Directory, type State } from '../../account/directory.ts';
import type { CertificateSpec } from '../../api/tinycert/certificate-spec.ts';
import { type AuthorityRef, isSameAuthority } from '../../api/tinycert/identity.ts';
import type { Subject } from '../../api/tinycert/subject.ts';
import type { TinyCertClusterIssuer, TinyCertIssuer } from '../../api/kinds.ts';
import type { Certificate } from '../../x509/certificate.ts';

/** What issuing, and checking what was issued, needs of an authority. */
export interface AuthorityMaterial {
  root: Certificate;
  /** Defaults for country and organization where neither certificate nor issuer states them. */
  subject: Subject;
  /** `sha1`, `sha256`, or `unknown`. */
  hashAlgorithm: string;
}

/** An issuer that is ready to issue. */
export interface ReadyIssuer {
  key: string;
  account: Account;
  authority: AuthorityRef & { name: string };
  /** Defaults for subjects, from the issuer's spec. */
  subject: Subject | undefined;
  /** Set if requests carry an ownership marker: the uid of the issuer, which is unique to this installation. */
  marksFor?: string | undefined;
  /** Fetched on first use and then kept, so that a restart costs the CA nothing. */
  material: () => Promise<AuthorityMaterial>;
  /** Whether `material` resolves without a call. */
  hasMaterial: () => boolean;
}

/** What this process knows of an issuer. */
export type IssuerState = State<ReadyIssuer>;

/** The TinyCert issuers as this process found them. An issuer that is not ready may still have an account, which can check seals. */
export class IssuerDirectory extends Directory<ReadyIssuer> {
  constructor() {
    super((a, b) => a.marksFor === b.marksFor && isSameAuthority(a.authority, b.authority));
  }
}

/** An issuer of either kind, with its key in the directory. */
export interface KeyedIssuer {
  key: string;
  issuer: TinyCertIssuer | TinyCertClusterIssuer;
}

/**
 * Whether an issuer belongs to an authority. This process's own finding counts; status, which others may write, only if
 * there is none.
 */
export function isOfAuthority(
  directory: IssuerDirectory,
  { key, issuer }: KeyedIssuer,
  authority: AuthorityRef,
): boolean {
  const state = directory.get(key);
  const { account, id: authorityId } = issuer.status?.authority ?? {};
  return isSameAuthority(state?.ready ? state.issuer.authority : { account, authorityId }, authority);
}

/** The key in the directory of the issuer that a certificate refers to. */
export function issuerKey(ref: CertificateSpec['issuerRef'], namespace: string | undefined): string {
  return ref.kind === 'TinyCertClusterIssuer'
    ? `${ref.kind}:${ref.name}`
    : `${ref.kind}:${namespace}/${ref.name}`;
}

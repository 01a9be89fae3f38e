import type { KeyPair } from '../x509/keys.ts';
import { ServiceError } from '../service-error.ts';
import type {
  AccountCredentials,
  AlternativeName,
  CertificateStatus,
  CertificateView,
  HashMethod,
  SettableStatus,
  Subject,
} from '../types.ts';

export interface Account extends AccountCredentials {
  id: number;
}

export interface Authority {
  id: number;
  accountId: number;
  subject: Subject;
  hashMethod: HashMethod;
  /** The account's e-mail when the authority was made. */
  email: string;
  /** Unix seconds. */
  notBefore: number;
  notAfter: number;
  key: KeyPair;
  der: Buffer;
}

export interface Certificate {
  id: number;
  caId: number;
  subject: Subject;
  names: AlternativeName[];
  /** The status that was set; expiry depends on the time. */
  status: SettableStatus | 'obsolete';
  key: KeyPair;
  /** Unix seconds. */
  notBefore: number;
  notAfter: number;
  previousId?: number;
  replacedBy?: number;
  origin: CertificateView['origin'];
  /** Unix seconds of the last change to hold or revoked. */
  revokedAt?: number;
  /** Absent until requested: other customers' certificates are rarely written. */
  der?: Buffer;
  /** The root in the chain, if it is not the authority's. */
  foreignRoot?: Buffer;
}

export const FIRST_AUTHORITY_ID = 101;
export const FIRST_CERTIFICATE_ID = 5001;

/** Everything that the service remembers. All accounts share the counters, as at the real service. */
export class Store {
  readonly accounts = new Map<number, Account>();
  readonly authorities = new Map<number, Authority>();
  readonly certificates = new Map<number, Certificate>();
  nextAuthorityId = FIRST_AUTHORITY_ID;
  nextCertificateId = FIRST_CERTIFICATE_ID;
  /** Called after each change that must be kept. */
  onChange: () => void = () => {};

  /** The account with this e-mail. */
  accountByEmail(email: string): Account | undefined {
    return [...this.accounts.values()].find((account) => account.email === email);
  }

  account(id: number): Account {
    const account = this.accounts.get(id);
    if (!account) throw new ServiceError('AccountNotLoaded', 'The account could not be loaded');
    return account;
  }

  /** The authority. Throws NotFound, or AccessDenied if it is another account's. Without an account, anyone's. */
  authority(id: number, account?: Account): Authority {
    const authority = this.authorities.get(id);
    if (!authority) throw new ServiceError('NotFound', `There is no CA with the id ${id}`);
    if (account && authority.accountId !== account.id) {
      throw new ServiceError('AccessDenied', 'This CA belongs to another account');
    }
    return authority;
  }

  /** Throws as `authority`. */
  certificate(id: number, account?: Account): Certificate {
    const certificate = this.certificates.get(id);
    if (!certificate) throw new ServiceError('NotFound', `There is no certificate with the id ${id}`);
    if (account && this.authority(certificate.caId).accountId !== account.id) {
      throw new ServiceError('AccessDenied', 'This certificate belongs to another account');
    }
    return certificate;
  }

  authoritiesOf(account: Account): Authority[] {
    return [...this.authorities.values()].filter((authority) => authority.accountId === account.id);
  }

  certificatesOf(caId: number): Certificate[] {
    return [...this.certificates.values()].filter((certificate) => certificate.caId === caId);
  }

  /** Removes the authority and everything it issued. */
  deleteAuthority(id: number): void {
    for (const certificate of this.certificatesOf(id)) this.certificates.delete(certificate.id);
    this.authorities.delete(id);
    this.onChange();
  }
}

/** The status at a time. Good and held certificates expire; it is undocumented whether revoked ones do, and here they stay revoked. */
export function statusAt(certificate: Certificate, seconds: number): CertificateStatus {
  const { status } = certificate;
  return (status === 'good' || status === 'hold') && hasEnded(certificate, seconds) ? 'expired' : status;
}

/** Whether the certificate's lifetime is over. */
export function hasEnded(certificate: Certificate, seconds: number): boolean {
  return certificate.notAfter <= seconds;
}

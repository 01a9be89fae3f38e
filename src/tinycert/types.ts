import type { ClockOffset } from '../http/clock-offset.ts';
import type { CallOptions, ClientOptions, WaitOptions } from '../http/types.ts';
import type { TinyCertAccountOptions } from './account.ts';
import type { TinyCertSession } from './session.ts';

export interface TinyCertClientOptions extends ClientOptions, TinyCertAccountOptions {
  /** The most milliseconds a call may take, from queueing to the last byte. Default: 20,000. */
  deadlineMs?: number | undefined;
  /** A session to share with other clients of the same account, from `createTinyCertSession`. */
  session?: TinyCertSession | undefined;
}

/** The status of a certificate. `obsolete` means that a reissue replaced it. */
export type CertificateStatus = 'good' | 'hold' | 'revoked' | 'expired' | 'obsolete';

/** A status as the service reported it. `unknown` stands for any status that this client does not know. */
export type ReportedStatus = CertificateStatus | 'unknown';

/** A status that `setCertificateStatus` can set. */
export type SettableStatus = 'good' | 'hold' | 'revoked';

/** A status that `listCertificates` can filter by. Obsolete certificates are never listed. */
export type ListableStatus = 'expired' | 'good' | 'revoked' | 'hold';

export type HashAlgorithm = 'sha1' | 'sha256';

export type AlternativeNameType = 'DNS' | 'IP' | 'email' | 'URI';

export interface AlternativeName {
  type: AlternativeNameType;
  value: string;
}

export interface AuthoritySummary {
  id: number;
  /** The organization (O) of the authority. Not unique. */
  name: string;
}

/** The parts of a distinguished name as the service reports them. Empty parts are absent. */
export interface ReportedSubject {
  country?: string;
  province?: string;
  locality?: string;
  organization?: string;
  organizationalUnit?: string;
  commonName?: string;
}

export interface AuthorityDetails {
  id: number;
  subject: ReportedSubject;
  /** The e-mail address of the account at the time the authority was created. */
  email?: string;
  hashAlgorithm: HashAlgorithm | 'unknown';
}

export interface CreateAuthorityInput {
  /** Two-letter country code. */
  country: string;
  organization: string;
  locality?: string | undefined;
  province?: string | undefined;
  hashAlgorithm: HashAlgorithm;
}

/** One entry of `cert/list`. */
export interface CertificateSummary {
  id: number;
  /** Not unique. */
  commonName: string;
  status: ReportedStatus;
  /** When the certificate expires, in seconds since the epoch. */
  expires: number;
}

export interface CertificateDetails {
  id: number;
  status: ReportedStatus;
  subject: ReportedSubject;
  /** In the order in which they appear in the certificate. */
  alternativeNames: AlternativeName[];
  /** Names of a type that `alternativeNames` does not support. Usually empty. */
  otherNames: { type: string; value: string }[];
}

/** The subject of a new certificate. An empty optional part counts as absent. */
export interface CertificateSubject {
  commonName: string;
  /** Two-letter country code. Required by TinyCert. */
  country: string;
  /** Required by TinyCert. */
  organization: string;
  organizationalUnit?: string | undefined;
  locality?: string | undefined;
  province?: string | undefined;
}

export interface CreateCertificateInput {
  authorityId: number;
  subject: CertificateSubject;
  /** Sent in this order. TinyCert does not add the common name by itself. */
  alternativeNames?: readonly AlternativeName[] | undefined;
}

/**
 * The PEM items that `getCertificate` can fetch: the certificate (`cert`), the certificate followed by its authority's
 * (`chain`), the signing request (`csr`), the plain private key (`key.dec`) and the encrypted private key (`key.enc`).
 */
export type CertificatePemItem = 'cert' | 'chain' | 'csr' | 'key.dec' | 'key.enc';

/** Which certificates to list, by status or by TinyCert's bit mask: 1 expired, 2 good, 4 revoked, 8 hold. Default: all. */
export type StatusFilter = number | readonly ListableStatus[];

/**
 * A client of one TinyCert account. Each method makes one API call. It rejects with a `TinyCertError`, or with the error
 * that the caller's own `beforeSend` threw. Nothing is retried, with one exception: if the service refuses the session,
 * the client logs in again and repeats the call once.
 */
export interface TinyCertClient {
  /** Logs in unless a session is open (`connect`). The other calls log in by themselves when necessary. */
  connect(options?: WaitOptions): Promise<void>;
  /** Ends the session if one is open (`disconnect`). The client drops the token whatever the service answers. */
  disconnect(options?: CallOptions): Promise<void>;
  /** Lists all authorities of the account (`ca/list`). */
  listAuthorities(options?: CallOptions): Promise<AuthoritySummary[]>;
  /** Gets the subject and the hash algorithm of an authority (`ca/details`). */
  getAuthority(authorityId: number, options?: CallOptions): Promise<AuthorityDetails>;
  /** Gets the certificate of an authority as PEM (`ca/get`). */
  getAuthorityCertificate(authorityId: number, options?: CallOptions): Promise<string>;
  /** Creates an authority and resolves to its id (`ca/new`). Not idempotent. */
  createAuthority(input: CreateAuthorityInput, options?: CallOptions): Promise<number>;
  /** Permanently deletes an authority and all of its certificates (`ca/delete`). */
  deleteAuthority(authorityId: number, options?: CallOptions): Promise<void>;
  /** Lists the certificates of an authority, except obsolete ones (`cert/list`). */
  listCertificates(
    authorityId: number,
    statuses?: StatusFilter,
    options?: CallOptions,
  ): Promise<CertificateSummary[]>;
  /**
   * Like `listCertificates`, but passes each entry to `onEntry` as it arrives, so a long list never has to fit into
   * memory. Resolves to the number of entries. If it rejects, the list was not complete. An error that `onEntry` throws
   * ends the call.
   */
  streamCertificates(
    authorityId: number,
    statuses: StatusFilter | undefined,
    onEntry: (entry: CertificateSummary) => void,
    options?: CallOptions,
  ): Promise<number>;
  /** Gets the status, subject and names of a certificate (`cert/details`). */
  getCertificateDetails(certificateId: number, options?: CallOptions): Promise<CertificateDetails>;
  /** Gets one PEM item of a certificate (`cert/get`). */
  getCertificate(certificateId: number, what: CertificatePemItem, options?: CallOptions): Promise<string>;
  /** Gets the PKCS#12 archive of a certificate (`cert/get`). Its password is the passphrase of the account. */
  getCertificate(certificateId: number, what: 'pkcs12', options?: CallOptions): Promise<Buffer>;
  /** Issues a certificate with a new key and resolves to its id (`cert/new`). Not idempotent. */
  createCertificate(input: CreateCertificateInput, options?: CallOptions): Promise<number>;
  /** Reissues a certificate with the same key and resolves to the new id (`cert/reissue`). Not idempotent. */
  reissueCertificate(certificateId: number, options?: CallOptions): Promise<number>;
  /** Puts a certificate on hold, revokes it or reinstates it (`cert/status`). */
  setCertificateStatus(certificateId: number, status: SettableStatus, options?: CallOptions): Promise<void>;
  /** The difference between the service's clock and ours, measured by its answers. Undefined before the first answer. */
  clockOffset(): ClockOffset | undefined;
  /**
   * Closes the connections. Calls in progress fail with `Closed`. With `disconnect`, the session is ended first, also for
   * clients that share it; a failure to end it is ignored.
   */
  close(options?: { disconnect?: boolean }): Promise<void>;
}

import type { ClockOffset } from '../http/clock-offset.ts';
import type { CallOptions, ClientOptions, WaitOptions } from '../http/types.ts';
import type { TinyCertAccountOptions } from './account.ts';
import type { TinyCertSession } from './session.ts';

export interface TinyCertClientOptions extends ClientOptions, TinyCertAccountOptions {
  /** Milliseconds a call may take in all, from queueing to the last byte; 20,000 unless given. */
  deadlineMs?: number | undefined;
  /** A session shared with other clients of the same account, made with `createTinyCertSession`. */
  session?: TinyCertSession | undefined;
}

/** A status a certificate can be in. `obsolete`: replaced by a reissue. */
export type CertificateStatus = 'good' | 'hold' | 'revoked' | 'expired' | 'obsolete';

/** A status as the service reported it; `unknown` is one this client has no name for. */
export type ReportedStatus = CertificateStatus | 'unknown';

/** A status that `setCertificateStatus` can ask for. */
export type SettableStatus = 'good' | 'hold' | 'revoked';

/** A status that `listCertificates` can filter by; obsolete certificates are never listed. */
export type ListableStatus = 'expired' | 'good' | 'revoked' | 'hold';

export type HashAlgorithm = 'sha1' | 'sha256';

export type AlternativeNameType = 'DNS' | 'IP' | 'email' | 'URI';

export interface AlternativeName {
  type: AlternativeNameType;
  value: string;
}

export interface AuthoritySummary {
  id: number;
  /** The authority's organization (O). Not unique. */
  name: string;
}

/** Parts of a distinguished name as the service reports them; what was not given is absent. */
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
  /** The account's e-mail address when the authority was made. */
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

/** One line of `cert/list`. The common name is not unique. */
export interface CertificateSummary {
  id: number;
  commonName: string;
  status: ReportedStatus;
  /** Seconds since the epoch. */
  expires: number;
}

export interface CertificateDetails {
  id: number;
  status: ReportedStatus;
  subject: ReportedSubject;
  /** In the order of the certificate. */
  alternativeNames: AlternativeName[];
  /** Names of a type that `alternativeNames` cannot hold. Usually empty. */
  otherNames: { type: string; value: string }[];
}

/** The subject of a new certificate. Empty optional parts count as absent. */
export interface CertificateSubject {
  commonName: string;
  /** Two-letter country code; TinyCert requires it. */
  country: string;
  /** TinyCert requires it. */
  organization: string;
  organizationalUnit?: string | undefined;
  locality?: string | undefined;
  province?: string | undefined;
}

export interface CreateCertificateInput {
  authorityId: number;
  subject: CertificateSubject;
  /** Sent in this order. TinyCert does not copy the common name into them. */
  alternativeNames?: readonly AlternativeName[] | undefined;
}

/**
 * What `getCertificate` can fetch: the certificate, the same followed by its authority's, the signing request, the
 * plain private key, the encrypted private key. All PEM.
 */
export type CertificatePemItem = 'cert' | 'chain' | 'csr' | 'key.dec' | 'key.enc';

/** Which certificates to list: statuses, or TinyCert's bit mask (1 expired, 2 good, 4 revoked, 8 hold). All unless given. */
export type StatusFilter = number | readonly ListableStatus[];

/**
 * A client of one TinyCert account. Each method is one call of the API and rejects with a `TinyCertError`, or with the
 * error of the caller's own `beforeSend`. Nothing is retried but a call refused for its session: one new login, one
 * repetition.
 */
export interface TinyCertClient {
  /** Logs in unless a session is open (`connect`). Calls do this themselves when needed. */
  connect(options?: WaitOptions): Promise<void>;
  /** Ends the session if one is open (`disconnect`); the token is forgotten whatever the answer. */
  disconnect(options?: CallOptions): Promise<void>;
  /** All authorities of the account (`ca/list`). */
  listAuthorities(options?: CallOptions): Promise<AuthoritySummary[]>;
  /** An authority's subject and hash (`ca/details`). */
  getAuthority(authorityId: number, options?: CallOptions): Promise<AuthorityDetails>;
  /** An authority's certificate, as PEM (`ca/get`). */
  getAuthorityCertificate(authorityId: number, options?: CallOptions): Promise<string>;
  /** Makes an authority and returns its id (`ca/new`). Not idempotent. */
  createAuthority(input: CreateAuthorityInput, options?: CallOptions): Promise<number>;
  /** Deletes an authority and every certificate under it, for good (`ca/delete`). */
  deleteAuthority(authorityId: number, options?: CallOptions): Promise<void>;
  /** The certificates of an authority, obsolete ones excepted (`cert/list`). */
  listCertificates(
    authorityId: number,
    statuses?: StatusFilter,
    options?: CallOptions,
  ): Promise<CertificateSummary[]>;
  /**
   * Like `listCertificates`, but hands over each entry as it arrives, so that a long list is never held whole. Resolves
   * to their number. If it rejects, the entries handed over are not the whole list. What `onEntry` throws ends the call.
   */
  streamCertificates(
    authorityId: number,
    statuses: StatusFilter | undefined,
    onEntry: (entry: CertificateSummary) => void,
    options?: CallOptions,
  ): Promise<number>;
  /** A certificate's status, subject and names (`cert/details`). */
  getCertificateDetails(certificateId: number, options?: CallOptions): Promise<CertificateDetails>;
  /** One PEM item of a certificate (`cert/get`). */
  getCertificate(certificateId: number, what: CertificatePemItem, options?: CallOptions): Promise<string>;
  /** The PKCS#12 archive of a certificate, opened by the account's passphrase (`cert/get`). */
  getCertificate(certificateId: number, what: 'pkcs12', options?: CallOptions): Promise<Buffer>;
  /** Issues a certificate with a new key and returns its id (`cert/new`). Not idempotent. */
  createCertificate(input: CreateCertificateInput, options?: CallOptions): Promise<number>;
  /** Issues a certificate anew with the same key and returns its new id (`cert/reissue`). Not idempotent. */
  reissueCertificate(certificateId: number, options?: CallOptions): Promise<number>;
  /** Holds, revokes or reinstates a certificate (`cert/status`). */
  setCertificateStatus(certificateId: number, status: SettableStatus, options?: CallOptions): Promise<void>;
  /** How the service's clock compares with ours, learned from its answers; undefined before the first one. */
  clockOffset(): ClockOffset | undefined;
  /**
   * Closes the connections; calls under way fail with `Closed`. With `disconnect` the session is ended first, which
   * also ends it for clients that share it; a failure of that is ignored.
   */
  close(options?: { disconnect?: boolean }): Promise<void>;
}

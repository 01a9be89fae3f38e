import type { TinyCertCertificate } from '../../../api/kinds.ts';
import type { CertificateStatus } from '../../../api/tinycert/certificate-status.ts';
import { effectiveNames } from '../../../api/tinycert/effective.ts';
import { type AuthorityRef, isSameAuthority } from '../../../api/tinycert/identity.ts';
import type { IssuerStatus } from '../../../api/tinycert/issuer-status.ts';
import type { CertificateSummary, ReportedStatus } from '../../../tinycert/index.ts';
import { normalCommonName } from '../../../x509/names.ts';
import { floorOf, isOpen } from '../attempt.ts';
import { claimsOf } from '../claims.ts';
import type { Abandoned } from '../released.ts';

/** The `certificateStatus` of a resource. */
type KnownStatus = CertificateStatus['certificateStatus'];

/** The certificates of an authority that resources have, by id, with the status that their resources know. */
export function knownStatuses(
  resources: Iterable<TinyCertCertificate>,
  authority: AuthorityRef,
): Map<number, KnownStatus> {
  const known = new Map<number, KnownStatus>();
  for (const { status } of resources) {
    if (status?.certificateId !== undefined && isSameAuthority(status, authority))
      known.set(status.certificateId, status.certificateStatus);
  }
  return known;
}

/**
 * Compares the CA's list with the known certificates while it streams in. Of fifty thousand lines it keeps only the news:
 * certificates that no resource has, and those whose resource knows another status.
 */
export class Census {
  readonly counts = { good: 0, hold: 0, revoked: 0, expired: 0 };
  /** Lines of certificates that no resource had when the list was requested. */
  readonly others: CertificateSummary[] = [];
  /** Certificates of resources that the CA lists with another status. */
  readonly changed = new Map<number, { from: KnownStatus; to: ReportedStatus }>();
  readonly #awaited: Map<number, KnownStatus>;

  /** Consumes `known`, which must be taken before the list is requested. */
  constructor(known: Map<number, KnownStatus>) {
    this.#awaited = known;
  }

  add(line: CertificateSummary): void {
    const { id, status } = line;
    if (status in this.counts) this.counts[status as keyof typeof this.counts] += 1;
    if (!this.#awaited.has(id)) {
      this.others.push(line);
      return;
    }
    const from = this.#awaited.get(id);
    this.#awaited.delete(id);
    if (from !== status) this.changed.set(id, { from, to: status });
  }

  /** After the last line: the certificates of resources that the CA does not list, with the known status. */
  get unlisted(): ReadonlyMap<number, KnownStatus> {
    return this.#awaited;
  }
}

/** What a set of resources claims of one authority. */
export interface Claims {
  /** The id of every certificate that a resource has, had or is getting. */
  ids: ReadonlySet<number>;
  /** By common name, the floor above which a listed certificate may be an open attempt's (`inventorySkipsOpen`). */
  open: ReadonlyMap<string, number>;
}

/**
 * The claims of all resources to certificates of an authority. An unsealed status counts too: it can only hide a
 * certificate, not take it. An `unlisted` certificate may have been reissued by hand, so claim its possible successors.
 */
export function claimsIn(
  resources: Iterable<TinyCertCertificate>,
  authority: AuthorityRef,
  unlisted: ReadonlyMap<number, KnownStatus>,
): Claims {
  const ids = new Set<number>();
  const open = new Map<string, number>();
  const claimAbove = (commonName: string, floor: number): void => {
    const name = normalCommonName(commonName);
    open.set(name, Math.min(floor, open.get(name) ?? floor));
  };
  for (const { spec, status } of resources) {
    if (!status) continue;
    for (const claim of claimsOf(status)) if (isSameAuthority(claim, authority)) ids.add(claim.certificateId);
    const { attempt, certificateId, certificateStatus } = status;
    const isUnlisted = certificateId !== undefined && unlisted.has(certificateId);
    if (isUnlisted && isSameAuthority(status, authority) && certificateStatus !== 'obsolete')
      claimAbove(attempt?.commonName ?? effectiveNames(spec).commonName, certificateId);
    for (const part of [status, ...(status.formerAccounts ?? [])])
      if (part.attempt && isSameAuthority(part.attempt, authority) && isOpen(part))
        claimAbove(part.attempt.commonName, floorOf(part.attempt));
  }
  return { ids, open };
}

/** Whether a resource claims a certificate, or may turn out to have bought it. */
export function isClaimed({ id, commonName }: CertificateSummary, { ids, open }: Claims): boolean {
  if (ids.has(id)) return true;
  const floor = open.get(normalCommonName(commonName));
  return floor !== undefined && id > floor;
}

/** The lines of certificates that are in force or on hold and that no resource claims. */
export function unclaimed(lines: readonly CertificateSummary[], claims: Claims): CertificateSummary[] {
  return lines.filter(
    (line) => (line.status === 'good' || line.status === 'hold') && !isClaimed(line, claims),
  );
}

/** What an issuer remembers of the authority, and how it marks its certificates. */
export interface Source {
  key: string;
  /** The beginning of the organizational unit of all its certificates, if it marks them. */
  mark: string | undefined;
  status: Pick<IssuerStatus, 'released' | 'abandoned' | 'orphans'>;
}

/** The contents of a certificate, beyond its line in the list. */
export interface Facts {
  organizationalUnit: string;
  /** The hash of the request it came from. */
  requestHash: string;
  /** Milliseconds since the epoch, as the CA dated it. */
  notBefore: number;
  notAfter: number;
  serialNumber: string;
}

/** Who probably bought an unclaimed certificate. */
export type Finding =
  /** An attempt of this installation bought it, for a resource of this issuer. */
  | { orphanOf: string }
  /** A resource released it on purpose. */
  | 'released'
  /** Only its facts can decide. */
  | 'needs facts'
  | 'foreign';

/**
 * A stuck service may execute a request after an attempt's window has closed. For this long, such a purchase is still
 * reported as the abandoned attempt's. It is never adopted.
 */
const LATER_MS = 3_600_000;

/** What the issuers of an authority know about unclaimed certificates. */
export class Evidence {
  readonly #marks: readonly { key: string; mark: string }[];
  readonly #released = new Set<number>();
  readonly #orphans = new Map<number, string>();
  readonly #abandoned = new Map<string, { key: string; attempt: Abandoned }[]>();

  constructor(sources: readonly Source[]) {
    this.#marks = sources.flatMap(({ key, mark }) => (mark === undefined ? [] : [{ key, mark }]));
    for (const { key, status } of sources) {
      for (const { certificateId } of status.orphans ?? []) this.#orphans.set(certificateId, key);
      for (const { certificateId, cause } of status.released ?? []) {
        if (cause === 'Undecided') this.#orphans.set(certificateId, key);
        else this.#released.add(certificateId);
      }
      for (const attempt of status.abandoned ?? []) {
        const commonName = normalCommonName(attempt.commonName);
        this.#abandoned.set(commonName, [...(this.#abandoned.get(commonName) ?? []), { key, attempt }]);
      }
    }
  }

  /** The finding about a line. Without `facts` it may be `needs facts`. */
  of(line: CertificateSummary, facts: Facts | undefined): Finding {
    if (this.#released.has(line.id)) return 'released';
    const known = this.#orphans.get(line.id);
    if (known !== undefined) return { orphanOf: known };
    const attempts = (this.#abandoned.get(normalCommonName(line.commonName)) ?? []).filter(
      ({ attempt }) => line.id > attempt.afterId,
    );
    if (this.#marks.length === 0 && attempts.length === 0) return 'foreign';
    if (!facts) return 'needs facts';
    const marked = this.#marks.find(({ mark }) => facts.organizationalUnit.startsWith(mark));
    if (marked) return { orphanOf: marked.key };
    const buyer = attempts.find(({ attempt }) => this.#isBoughtBy(attempt, facts));
    return buyer ? { orphanOf: buyer.key } : 'foreign';
  }

  #isBoughtBy({ requestHash, since, until }: Abandoned, facts: Facts): boolean {
    // TinyCert dates a certificate with the second of issue.
    const from = Math.floor(Date.parse(since) / 1000) * 1000;
    const to = Date.parse(until) + LATER_MS;
    return requestHash === facts.requestHash && facts.notBefore >= from && facts.notBefore <= to;
  }
}

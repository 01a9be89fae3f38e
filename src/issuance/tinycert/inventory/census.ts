import type { TinyCertCertificate } from '../../../api/kinds.ts';
import type { CertificateStatus } from '../../../api/tinycert/certificate-status.ts';
import { effectiveNames } from '../../../api/tinycert/effective.ts';
import { type AuthorityRef, isSameAuthority } from '../../../api/tinycert/identity.ts';
import type { IssuerStatus } from '../../../api/tinycert/issuer-status.ts';
import type { CertificateSummary, ReportedStatus } from '../../../tinycert/index.ts';
import { type Attempt, floorOf, nameHash, placeHash } from '../attempt.ts';
import { claimsOf } from '../claims.ts';
import type { Facts } from './facts.ts';
import type { Abandoned, RecordsOf } from '../records.ts';

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
  /** By `nameHash`, the floor above which a listed certificate may be an open attempt's. */
  open: ReadonlyMap<string, number>;
  /** On record as possibly anybody's: no attempt adopts them for their names, so an open one hides none of them. */
  undecided: ReadonlySet<number>;
}

/** What the journal has of an authority, read before the resources (`journalBeforeClaims`). */
export interface Written {
  /** The open attempts, of whatever authority. */
  attempts: readonly Attempt[];
  released: RecordsOf['released'];
}

/**
 * The claims of all resources to certificates of an authority. An unsealed status counts too: it can only hide a
 * certificate, not take it. An `unlisted` certificate may have been reissued by hand, so claim its possible successors.
 */
export function claimsIn(
  resources: Iterable<TinyCertCertificate>,
  { attempts, released }: Written,
  authority: AuthorityRef,
  unlisted: ReadonlyMap<number, KnownStatus>,
): Claims {
  const ids = new Set<number>();
  const open = new Map<string, number>();
  const claimAbove = (name: string, floor: number): void => {
    open.set(name, Math.min(floor, open.get(name) ?? floor));
  };
  for (const attempt of attempts) {
    if (!isSameAuthority(attempt, authority)) continue;
    claimAbove(attempt.nameHash, floorOf(attempt));
    if (attempt.certificateId !== undefined) ids.add(attempt.certificateId);
  }
  for (const { spec, status } of resources) {
    if (!status) continue;
    for (const claim of claimsOf(status)) if (isSameAuthority(claim, authority)) ids.add(claim.certificateId);
    const { certificateId, certificateStatus } = status;
    const isUnlisted = certificateId !== undefined && unlisted.has(certificateId);
    if (isUnlisted && isSameAuthority(status, authority) && certificateStatus !== 'obsolete')
      claimAbove(nameHash(effectiveNames(spec).commonName), certificateId);
  }
  const undecided = released.filter(({ cause }) => cause === 'Undecided');
  return { ids, open, undecided: new Set(undecided.map(({ certificateId }) => certificateId)) };
}

/** Whether a resource claims a certificate, or may turn out to have bought it. */
export function isClaimed({ id, commonName }: CertificateSummary, { ids, open, undecided }: Claims): boolean {
  if (ids.has(id)) return true;
  if (open.size === 0 || undecided.has(id)) return false;
  const floor = open.get(nameHash(commonName));
  return floor !== undefined && id > floor;
}

/** The lines of certificates that are in force or on hold and that no resource claims. */
export function unclaimed(lines: readonly CertificateSummary[], claims: Claims): CertificateSummary[] {
  return lines.filter(
    (line) => (line.status === 'good' || line.status === 'hold') && !isClaimed(line, claims),
  );
}

/** What an issuer shows of the authority, and how it marks its certificates. */
export interface Source {
  key: string;
  /** The beginning of the organizational unit of all its certificates, if it marks them. */
  mark: string | undefined;
  /** The orphans that its status shows. */
  orphans: NonNullable<IssuerStatus['orphans']>;
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

/** Whether an attempt that was given up may have bought the certificate with these facts. */
export function mayHaveBought(
  { requestHash, since, until }: Abandoned,
  facts: Pick<Facts, 'requestHash' | 'notBefore'>,
): boolean {
  // TinyCert dates a certificate with the second of issue.
  const from = Math.floor(Date.parse(since) / 1000) * 1000;
  const to = Date.parse(until) + LATER_MS;
  return requestHash === facts.requestHash && facts.notBefore >= from && facts.notBefore <= to;
}

/** What is known about unclaimed certificates of an authority, from its issuers and from the journal. */
export class Evidence {
  readonly #marks: readonly { key: string; mark: string }[];
  readonly #released = new Set<number>();
  readonly #orphans = new Map<number, string>();
  readonly #abandoned = new Map<string, { key: string; attempt: Abandoned }[]>();

  constructor(sources: readonly Source[], { released, abandoned }: RecordsOf) {
    this.#marks = sources.flatMap(({ key, mark }) => (mark === undefined ? [] : [{ key, mark }]));
    for (const { key, orphans } of sources)
      for (const { certificateId } of orphans) this.#orphans.set(certificateId, key);
    // The issuer may be gone; then any other one of the authority shows it.
    const keys = new Map(sources.map(({ key }) => [placeHash(key), key]));
    const keyOf = (issuer: string): string | undefined => keys.get(issuer) ?? sources[0]?.key;
    for (const { certificateId, cause, issuer } of released) {
      const key = keyOf(issuer);
      if (cause !== 'Undecided') this.#released.add(certificateId);
      else if (key !== undefined) this.#orphans.set(certificateId, key);
    }
    for (const attempt of abandoned) {
      const key = keyOf(attempt.issuer);
      if (key === undefined) continue;
      const known = this.#abandoned.get(attempt.nameHash) ?? [];
      known.push({ key, attempt });
      this.#abandoned.set(attempt.nameHash, known);
    }
  }

  /** The finding about a line. Without `facts` it may be `needs facts`. */
  of(line: CertificateSummary, facts: Facts | undefined): Finding {
    if (this.#released.has(line.id)) return 'released';
    const known = this.#orphans.get(line.id);
    if (known !== undefined) return { orphanOf: known };
    const alike = this.#abandoned.size === 0 ? [] : (this.#abandoned.get(nameHash(line.commonName)) ?? []);
    const attempts = alike.filter(({ attempt }) => line.id > attempt.afterId);
    if (this.#marks.length === 0 && attempts.length === 0) return 'foreign';
    if (!facts) return 'needs facts';
    const marked = this.#marks.find(({ mark }) => facts.organizationalUnit.startsWith(mark));
    if (marked) return { orphanOf: marked.key };
    const buyer = attempts.find(({ attempt }) => mayHaveBought(attempt, facts));
    return buyer ? { orphanOf: buyer.key } : 'foreign';
  }
}

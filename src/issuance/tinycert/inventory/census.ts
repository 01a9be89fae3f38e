import type { TinyCertCertificate } from '../../../api/kinds.ts';
import type { CertificateStatus } from '../../../api/tinycert/certificate-status.ts';
import { effectiveNames } from '../../../api/tinycert/effective.ts';
import type { IssuerStatus } from '../../../api/tinycert/issuer-status.ts';
import type { CertificateSummary, ReportedStatus } from '../../../tinycert/index.ts';
import { normalCommonName } from '../../../x509/names.ts';
import { floorOf, isOpen } from '../attempt.ts';
import { claimsOf } from '../claims.ts';
import type { Abandoned } from '../released.ts';

/** What `certificateStatus` of a resource says; undefined if nothing. */
type KnownStatus = CertificateStatus['certificateStatus'];

/** The certificates of an authority that resources have, with the status that they know. */
export function knownStatuses(
  resources: Iterable<TinyCertCertificate>,
  authorityId: number,
): Map<number, KnownStatus> {
  const known = new Map<number, KnownStatus>();
  for (const { status } of resources) {
    if (status?.certificateId !== undefined && status.authorityId === authorityId)
      known.set(status.certificateId, status.certificateStatus);
  }
  return known;
}

/**
 * The CA's list as it passes by. Of fifty thousand lines only those are kept that say something new: certificates that no
 * resource has, and ones whose status is not the one that their resource knows.
 */
export class Census {
  readonly counts = { good: 0, hold: 0, revoked: 0, expired: 0 };
  /** Lines that no resource had when the list was asked for. */
  readonly others: CertificateSummary[] = [];
  /** What resources have and the CA lists with another status. */
  readonly changed = new Map<number, { from: KnownStatus; to: ReportedStatus }>();
  readonly #awaited: Map<number, KnownStatus>;

  /** `known`, as it was before the list was asked for, is used up. */
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

  /** After the last line: what resources have and the CA does not list, with the status that they know. */
  get unlisted(): ReadonlyMap<number, KnownStatus> {
    return this.#awaited;
  }
}

/** What resources lay claim to. */
export interface Claims {
  /** Every id that a resource has, had, or is about to have. */
  ids: ReadonlySet<number>;
  /** By common name the id above which an open attempt may have bought what is listed (rule 9). */
  open: ReadonlyMap<string, number>;
}

/**
 * The claims to certificates of an authority. An unsealed status counts too: it can hide, and it takes nothing. What is
 * `unlisted` somebody may have reissued by hand, so that its successor is looked for first.
 */
export function claimsIn(
  resources: Iterable<TinyCertCertificate>,
  authorityId: number,
  unlisted: ReadonlyMap<number, KnownStatus>,
): Claims {
  const ids = new Set<number>();
  const open = new Map<string, number>();
  const awaits = (commonName: string, floor: number): void => {
    const name = normalCommonName(commonName);
    open.set(name, Math.min(floor, open.get(name) ?? floor));
  };
  for (const { spec, status } of resources) {
    if (!status) continue;
    for (const id of claimsOf(status, authorityId)) ids.add(id);
    const { attempt, certificateId, certificateStatus } = status;
    const isUnlisted = certificateId !== undefined && unlisted.has(certificateId);
    if (isUnlisted && status.authorityId === authorityId && certificateStatus !== 'obsolete')
      awaits(attempt?.commonName ?? effectiveNames(spec).commonName, certificateId);
    if (attempt?.authorityId === authorityId && isOpen(status)) awaits(attempt.commonName, floorOf(attempt));
  }
  return { ids, open };
}

/** Whether a resource has a certificate, or may turn out to have bought it. */
export function isClaimed({ id, commonName }: CertificateSummary, { ids, open }: Claims): boolean {
  if (ids.has(id)) return true;
  const floor = open.get(normalCommonName(commonName));
  return floor !== undefined && id > floor;
}

/** Of the lines those that can still do harm or good and that nobody claims. */
export function unclaimed(lines: readonly CertificateSummary[], claims: Claims): CertificateSummary[] {
  return lines.filter(
    (line) => (line.status === 'good' || line.status === 'hold') && !isClaimed(line, claims),
  );
}

/** An issuer of the authority: what it remembers, and how it marks what it issues. */
export interface Source {
  key: string;
  /** What the organizational unit of all its certificates begins with, if it marks them. */
  mark: string | undefined;
  status: Pick<IssuerStatus, 'released' | 'abandoned' | 'orphans'>;
}

/** What a certificate itself says, beyond its line in the list. */
export interface Facts {
  organizationalUnit: string;
  /** Hash of what it was asked for. */
  requestHash: string;
  /** Milliseconds since the epoch, as the CA dated it. */
  notBefore: number;
  notAfter: number;
  serialNumber: string;
}

/** Whose an unclaimed certificate is held to be. */
export type Finding =
  /** Bought by an attempt of this installation, for a resource of this issuer. */
  | { orphanOf: string }
  /** Given up on purpose. */
  | 'given up'
  /** What it says itself has to be looked at. */
  | 'to be looked at'
  | 'foreign';

/**
 * A service that was stuck may carry a request out later than anybody waits for it (rule 9): what was asked for by an
 * attempt that was given up is told of for an hour more. Nothing is adopted on that.
 */
const LATER_MS = 3_600_000;

/** What all issuers of an authority together know of certificates that nobody claims. */
export class Evidence {
  readonly #marks: readonly { key: string; mark: string }[];
  readonly #givenUp = new Set<number>();
  readonly #orphans = new Map<number, string>();
  readonly #abandoned = new Map<string, { key: string; attempt: Abandoned }[]>();

  constructor(sources: readonly Source[]) {
    this.#marks = sources.flatMap(({ key, mark }) => (mark === undefined ? [] : [{ key, mark }]));
    for (const { key, status } of sources) {
      for (const { certificateId } of status.orphans ?? []) this.#orphans.set(certificateId, key);
      for (const { certificateId, cause } of status.released ?? []) {
        if (cause === 'Undecided') this.#orphans.set(certificateId, key);
        else this.#givenUp.add(certificateId);
      }
      for (const attempt of status.abandoned ?? []) {
        const commonName = normalCommonName(attempt.commonName);
        this.#abandoned.set(commonName, [...(this.#abandoned.get(commonName) ?? []), { key, attempt }]);
      }
    }
  }

  /** What is found about a line; without `facts` it may be that they are needed. */
  of(line: CertificateSummary, facts: Facts | undefined): Finding {
    if (this.#givenUp.has(line.id)) return 'given up';
    const known = this.#orphans.get(line.id);
    if (known !== undefined) return { orphanOf: known };
    const attempts = (this.#abandoned.get(normalCommonName(line.commonName)) ?? []).filter(
      ({ attempt }) => line.id > attempt.afterId,
    );
    if (this.#marks.length === 0 && attempts.length === 0) return 'foreign';
    if (!facts) return 'to be looked at';
    const marked = this.#marks.find(({ mark }) => facts.organizationalUnit.startsWith(mark));
    if (marked) return { orphanOf: marked.key };
    const buyer = attempts.find(({ attempt }) => this.#isBoughtBy(attempt, facts));
    return buyer ? { orphanOf: buyer.key } : 'foreign';
  }

  #isBoughtBy({ requestHash, since, until }: Abandoned, facts: Facts): boolean {
    // TinyCert dates a certificate with the second of its issue.
    const from = Math.floor(Date.parse(since) / 1000) * 1000;
    const to = Date.parse(until) + LATER_MS;
    return requestHash === facts.requestHash && facts.notBefore >= from && facts.notBefore <= to;
  }
}

import type { TinyCertCertificate } from '../../../api/kinds.ts';
import { effectiveNames } from '../../../api/tinycert/effective.ts';
import {
  type AuthorityRef,
  authorityKey,
  type CertificateRef,
  certificateOf,
} from '../../../api/tinycert/identity.ts';
import type { CertificateSummary } from '../../../tinycert/index.ts';
import { normalCommonName } from '../../../x509/names.ts';
import type { Timing } from '../../attempt/timing.ts';
import { MAX_CLOCK_SKEW_MS } from '../../clock-skew.ts';
import { claimsOf } from '../claims.ts';
import type { ReadyIssuer } from '../issuer-directory.ts';
import { isMarked, markerOf } from '../marker.ts';
import { datesOf } from '../purchase-dates.ts';
import { namesHash } from '../request.ts';
import type { Facts } from './facts.ts';

/**
 * Whether the CA has what a resource without a certificate may have lost with its status (docs/adr/0022-sign-of-a-loss.md).
 * `unknown`: a list, or what its lines are about, has to be read first.
 */
export type LossSign =
  | { is: 'unknown' }
  | { is: 'none' }
  /** This certificate has the marker of the resource. */
  | { is: 'own'; certificate: CertificateRef; requestHash: string }
  /** Good, for exactly its names, issued after it was made, and claimed by no resource; the newest first. */
  | { is: 'unclaimed'; certificates: readonly CertificateRef[] };

/** What decides about the certificates of an authority besides its list. */
export interface Known {
  /** Set if the journal was missing or put back when it was taken over (`Taken.lacksEntriesBefore`). */
  lacksEntriesBefore: number | undefined;
  /** Whether a resource has or had a certificate, or may turn out to have bought it, or it is on record as given up. */
  isAccountedFor: (certificate: CertificateRef, facts: Facts | undefined) => boolean;
}

/** What the last list of an authority showed. */
interface Seen {
  /** Whatever was bought before this moment was on it: milliseconds since the epoch. */
  until: number;
  /** The uids of the resources that had no certificate when it was requested. */
  owners: Set<string>;
  /** By the common names of these: ids of good certificates that no resource had, the newest first. */
  named: ReadonlyMap<string, readonly number[]>;
  /** By certificate id; undefined for one that cannot be read. */
  facts: Map<number, Facts | undefined>;
}

type Resource = Pick<TinyCertCertificate, 'metadata' | 'spec'>;
type Issuer = Pick<ReadyIssuer, 'authority' | 'marksFor'> & {
  account: { client: Pick<ReadyIssuer['account']['client'], 'clockOffset'> };
};

/** The most certificates of one common name that are looked at, newest first. */
const MOST_READ = 50;
const UNKNOWN: LossSign = { is: 'unknown' };
const NONE: LossSign = { is: 'none' };

/**
 * The sign that the status of a resource was lost: certificates that lists of the inventory show and that it seems to have bought.
 * Names alone prove nothing, so none of them is ever adopted for its names. All of it may be lost.
 */
export class LossSigns {
  readonly #byAuthority = new Map<string, Seen>();
  readonly #timing: Timing;

  constructor(timing: Timing) {
    this.#timing = timing;
  }

  /**
   * Notes a list of an authority that was requested at `listedAt`; `lines`: those that no resource had then. What is known of
   * certificates that are still on it stays known.
   */
  note(
    authority: AuthorityRef,
    listedAt: number,
    resources: Iterable<TinyCertCertificate>,
    lines: readonly CertificateSummary[],
  ): void {
    const owners = new Set<string>();
    const names = new Set<string>();
    for (const { metadata, spec, status } of resources) {
      if (metadata.uid === undefined || claimsOf(status).length > 0) continue;
      owners.add(metadata.uid);
      names.add(effectiveNames(spec).commonName);
    }
    const named = new Map<string, number[]>();
    for (const { id, commonName, status } of lines) {
      const name = normalCommonName(commonName);
      if (status !== 'good' || !names.has(name)) continue;
      named.set(name, [...(named.get(name) ?? []), id]);
    }
    for (const [name, ids] of named) named.set(name, ids.sort((a, b) => b - a).slice(0, MOST_READ));
    const key = authorityKey(authority);
    const before = this.#byAuthority.get(key);
    const kept = [...named.values()].flat().filter((id) => before?.facts.get(id) !== undefined);
    const facts = new Map(kept.map((id) => [id, before?.facts.get(id)]));
    this.#byAuthority.set(key, { until: listedAt, owners, named, facts });
  }

  /** Notes what was read of a certificate; undefined if it cannot be read. */
  learn(authority: AuthorityRef, id: number, facts: Facts | undefined): void {
    this.#byAuthority.get(authorityKey(authority))?.facts.set(id, facts);
  }

  /** Whether the last list of the authority may lack what the resource bought and lost. */
  lacksList(
    { metadata: { creationTimestamp = '' } }: Resource,
    authority: AuthorityRef,
    { lacksEntriesBefore: before }: Pick<Known, 'lacksEntriesBefore'>,
  ): boolean {
    if (this.covers(authority, before ?? 0)) return false;
    return before === undefined || !(Date.parse(creationTimestamp) > before + MAX_CLOCK_SKEW_MS);
  }

  /** Whether the last list of the authority has whatever was bought before this moment. */
  covers(authority: AuthorityRef, moment: number): boolean {
    const seen = this.#byAuthority.get(authorityKey(authority));
    return seen !== undefined && seen.until >= moment;
  }

  /** The last list has whatever was bought before this moment, although the clock may have been set back meanwhile. */
  cover(authority: AuthorityRef, moment: number): void {
    const seen = this.#byAuthority.get(authorityKey(authority));
    if (seen) seen.until = Math.max(seen.until, moment);
  }

  /** The certificates whose facts have to be read before `of` knows. */
  unread(resource: Resource, { authority }: Pick<Issuer, 'authority'>, known: Known): number[] {
    const seen = this.#byAuthority.get(authorityKey(authority));
    return this.#idsOf(seen, resource).filter(
      (id) => !seen?.facts.has(id) && !known.isAccountedFor(certificateOf(authority, id), undefined),
    );
  }

  /** What there is of a resource that has no certificate and no open attempt. Asks nobody. */
  of(resource: Resource, issuer: Issuer, known: Known): LossSign {
    const { authority, marksFor, account } = issuer;
    if (this.lacksList(resource, authority, known)) return UNKNOWN;
    const { uid = '', creationTimestamp = '' } = resource.metadata;
    const marker = marksFor === undefined ? undefined : markerOf(marksFor, uid);
    const wanted = namesHash({
      authorityId: authority.authorityId,
      names: effectiveNames(resource.spec),
    });
    // Kubernetes cuts the time of a creation to the second, and TinyCert that of an issue.
    const { since } = datesOf(Date.parse(creationTimestamp), this.#timing, account.client.clockOffset());
    const seen = this.#byAuthority.get(authorityKey(authority));
    const unclaimed: CertificateRef[] = [];
    for (const id of this.#idsOf(seen, resource)) {
      const certificate = certificateOf(authority, id);
      const facts = seen?.facts.get(id);
      if (known.isAccountedFor(certificate, facts)) continue;
      if (!seen?.facts.has(id)) return UNKNOWN;
      if (facts?.namesHash !== wanted) continue;
      const { organizationalUnit } = facts;
      if (organizationalUnit === marker) return { is: 'own', certificate, requestHash: facts.requestHash };
      // Another marker tells that it was bought for another resource.
      if (!isMarked({ organizationalUnit }) && facts.notBefore >= since) unclaimed.push(certificate);
    }
    return unclaimed.length === 0 ? NONE : { is: 'unclaimed', certificates: unclaimed };
  }

  /** The resource with this uid is gone. */
  forget(uid: string): void {
    for (const { owners } of this.#byAuthority.values()) owners.delete(uid);
  }

  /** How many resources a list was read for that had no certificate. */
  get size(): number {
    return [...this.#byAuthority.values()].reduce((sum, { owners }) => sum + owners.size, 0);
  }

  #idsOf(seen: Seen | undefined, { metadata: { uid = '' }, spec }: Resource): readonly number[] {
    if (!seen?.owners.has(uid)) return [];
    return seen.named.get(effectiveNames(spec).commonName) ?? [];
  }
}

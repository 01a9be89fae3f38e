import type { CertificateStatus } from '../../../api/tinycert/certificate-status.ts';
import type { TinyCertCertificate } from '../../../api/kinds.ts';
import { keyOf } from '../../../kube/objects.ts';
import {
  type AuthorityRef,
  authorityKey,
  authorityRef,
  type CertificateRef,
  certificateOf,
  certificateRef,
  isSameAuthority,
  isSameCertificate,
} from '../../../api/tinycert/identity.ts';
import type { CertificateSummary } from '../../../tinycert/index.ts';
import { normalCommonName } from '../../../x509/names.ts';
import { effectiveNames } from '../../../api/tinycert/effective.ts';
import type { Census, Claims } from './census.ts';

type KnownStatus = CertificateStatus['certificateStatus'];

/** News from the CA's list about the certificate of a resource. */
export interface Observation {
  certificate: CertificateRef;
  /** The status that the resource knew when the list was requested. */
  from: KnownStatus;
  /** The status in the list; `unlisted` if it is missing there, because it was reissued or is gone. */
  to: NonNullable<KnownStatus> | 'unlisted';
  /** If it is unlisted: newer unclaimed certificates with its common name, the newest first. */
  candidates: readonly CertificateRef[];
}

/**
 * How many unlisted certificates one list may report. Otherwise a truncated list would cost a call for every certificate.
 */
const MAX_UNLISTED = 50;

/**
 * The news in a census of an authority about `resources`, which must be read after it, by key. `isOpen`: whether a resource has
 * an attempt without a result.
 */
export function observe(
  census: Census,
  resources: Iterable<TinyCertCertificate>,
  claims: Claims,
  authority: AuthorityRef,
  isOpen: (resource: TinyCertCertificate) => boolean,
): Map<string, Observation> {
  const found = new Map<string, Observation>();
  if (census.changed.size === 0 && census.unlisted.size === 0) return found;
  const candidates = byName(census.others, claims);
  let unlisted = 0;
  for (const resource of resources) {
    const { status, spec, metadata } = resource;
    const certificate = certificateRef(status);
    if (!status || !certificate || !isSameAuthority(certificate, authority)) continue;
    const id = certificate.certificateId;
    // An open attempt may have caused the change, and its recovery will find out.
    if (isOpen(resource) || metadata.deletionTimestamp !== undefined) continue;
    const from = status.certificateStatus;
    const changed = census.changed.get(id);
    // If the resource has changed since the list was requested, wait for the next list.
    if (changed && changed.from === from && changed.to !== 'unknown') {
      found.set(keyOf(resource), { certificate, from, to: changed.to, candidates: [] });
      continue;
    }
    const isUnlisted = census.unlisted.has(id) && census.unlisted.get(id) === from;
    if (!isUnlisted || from === 'obsolete' || unlisted >= MAX_UNLISTED) continue;
    unlisted += 1;
    const newer = (candidates.get(effectiveNames(spec).commonName) ?? []).filter((each) => each > id);
    found.set(keyOf(resource), {
      certificate,
      from,
      to: 'unlisted',
      candidates: newer.map((each) => certificateOf(authority, each)),
    });
  }
  return found;
}

/** The ids of unclaimed certificates that are in force or on hold, by common name, the newest first. */
function byName(lines: readonly CertificateSummary[], claims: Claims): Map<string, number[]> {
  const ids = new Map<string, number[]>();
  const newestFirst = lines.toSorted((a, b) => b.id - a.id);
  for (const { id, commonName, status } of newestFirst) {
    if ((status !== 'good' && status !== 'hold') || claims.ids.has(id)) continue;
    const name = normalCommonName(commonName);
    const known = ids.get(name);
    if (known) known.push(id);
    else ids.set(name, [id]);
  }
  return ids;
}

/** The news that resources have not recorded in their status yet. */
export class Observations {
  readonly #byAuthority = new Map<string, Map<string, Observation>>();
  readonly #listeners = new Set<(key: string) => void>();

  /** Replaces the earlier news from an authority, and calls the listeners for each resource with news. */
  replace(authority: AuthorityRef, found: Map<string, Observation>): void {
    if (found.size === 0) this.#byAuthority.delete(authorityKey(authority));
    else this.#byAuthority.set(authorityKey(authority), found);
    for (const key of found.keys()) for (const listener of this.#listeners) listener(key);
  }

  /** The news for a resource; undefined if its status has it already. */
  of(resource: TinyCertCertificate): Observation | undefined {
    const { status } = resource;
    const observation = this.#about(resource)?.get(keyOf(resource));
    const isNews =
      isSameCertificate(observation?.certificate, status) && observation?.from === status?.certificateStatus;
    return isNews ? observation : undefined;
  }

  /** Forgets the news for the resource of this key: it proved wrong, or the resource is gone. */
  forget(key: string): void {
    for (const [authority, found] of this.#byAuthority)
      if (found.delete(key) && found.size === 0) this.#byAuthority.delete(authority);
  }

  /** How many resources have news. */
  get size(): number {
    return [...this.#byAuthority.values()].reduce((sum, found) => sum + found.size, 0);
  }

  /** Calls back with the key of each resource that has news. Returns the function that unsubscribes. */
  onObserved(listener: (key: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The news from the authority of the resource's certificate. */
  #about({ status }: TinyCertCertificate): Map<string, Observation> | undefined {
    const authority = authorityRef(status);
    return authority && this.#byAuthority.get(authorityKey(authority));
  }
}

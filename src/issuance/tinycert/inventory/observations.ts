import type { CertificateStatus } from '../../../api/tinycert/certificate-status.ts';
import type { TinyCertCertificate } from '../../../api/kinds.ts';
import { keyOf } from '../../../kube/objects.ts';
import type { CertificateSummary } from '../../../tinycert/index.ts';
import { normalCommonName } from '../../../x509/names.ts';
import { effectiveNames } from '../../../api/tinycert/effective.ts';
import { isOpen } from '../attempt.ts';
import type { Census, Claims } from './census.ts';

type KnownStatus = CertificateStatus['certificateStatus'];

/** What the CA's list says of the certificate of a resource, where that is news (design 3.8). */
export interface Observation {
  certificateId: number;
  /** What the resource knew when the list was asked for. */
  from: KnownStatus;
  /** What the list says; `unlisted` for what is not on it, since it was reissued or is gone. */
  to: NonNullable<KnownStatus> | 'unlisted';
  /** Of an unlisted one: newer certificates of its name that nobody has, the newest first. */
  candidates: readonly number[];
}

/**
 * At most so many unlisted certificates are looked into after one list: a list that was cut short must not cost a call for
 * each certificate there is.
 */
const MAX_UNLISTED = 50;

/** What a census, taken before the resources were looked at, says of them that is news, by key. */
export function observe(
  census: Census,
  resources: Iterable<TinyCertCertificate>,
  claims: Claims,
  authorityId: number,
): Map<string, Observation> {
  const found = new Map<string, Observation>();
  if (census.changed.size === 0 && census.unlisted.size === 0) return found;
  const candidates = byName(census.others, claims);
  let unlisted = 0;
  for (const resource of resources) {
    const { status, spec, metadata } = resource;
    const id = status?.certificateId;
    if (id === undefined || status?.authorityId !== authorityId) continue;
    // An attempt that is not concluded may be what changed it, and finds out itself.
    if (isOpen(status) || metadata.deletionTimestamp !== undefined) continue;
    const from = status.certificateStatus;
    const changed = census.changed.get(id);
    // What has changed since the list was asked for is judged by the next one.
    if (changed && changed.from === from && changed.to !== 'unknown') {
      found.set(keyOf(resource), { certificateId: id, from, to: changed.to, candidates: [] });
      continue;
    }
    const isUnlisted = census.unlisted.has(id) && census.unlisted.get(id) === from;
    if (!isUnlisted || from === 'obsolete' || unlisted >= MAX_UNLISTED) continue;
    unlisted += 1;
    const name = status.attempt?.commonName ?? effectiveNames(spec).commonName;
    const newer = (candidates.get(normalCommonName(name)) ?? []).filter((each) => each > id);
    found.set(keyOf(resource), { certificateId: id, from, to: 'unlisted', candidates: newer });
  }
  return found;
}

/** Ids of valid and held certificates that nobody has, by name, the newest first. */
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

/** The news that resources have not taken note of yet; what they have is in their status. */
export class Observations {
  readonly #byAuthority = new Map<string, Map<string, Observation>>();
  readonly #listeners = new Set<(key: string) => void>();

  /** Replaces what was observed of an authority before, and tells of what is news now. */
  replace(authority: string, found: Map<string, Observation>): void {
    this.#byAuthority.set(authority, found);
    for (const key of found.keys()) for (const listener of this.#listeners) listener(key);
  }

  /** What is news to a resource as it is now. */
  of(resource: TinyCertCertificate): Observation | undefined {
    const { status } = resource;
    const key = keyOf(resource);
    for (const found of this.#byAuthority.values()) {
      const observation = found.get(key);
      const isNews =
        observation?.certificateId === status?.certificateId &&
        observation?.from === status?.certificateStatus;
      if (observation && isNews) return observation;
    }
    return undefined;
  }

  /** Forgets what turned out to be none. */
  drop(resource: TinyCertCertificate): void {
    const key = keyOf(resource);
    for (const found of this.#byAuthority.values()) found.delete(key);
  }

  /** Calls back with the key of each resource that there is news of. Returns the function that ends this. */
  onObserved(listener: (key: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

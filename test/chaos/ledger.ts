/** Whose every certificate of the CA is, by what the CA and etcd say. */
import type { AuthorityView, CertificateView, JournalEntry } from '../../tools/dev-server/types.ts';
import { TIMING } from './clock.ts';
import { claimedIds, type IssuerStatus, type Seen, type Status } from './history.ts';
import type { Tag, Tags } from './names.ts';
import type { Reign } from './operator.ts';

/** All that a judgement is made from. */
export interface Evidence {
  certificates: readonly CertificateView[];
  journal: readonly JournalEntry[];
  authorities: readonly AuthorityView[];
  history: Seen;
  tags: Tags;
  /** How often a wish may have been bought once more for what was done to its status or its certificate. */
  allowances: ReadonlyMap<Tag, number>;
  /** Wishes of which the operator was made to forget what it had. */
  forgotten: ReadonlySet<Tag>;
  /** When which processes led. */
  reigns: readonly Reign[];
  /** Whether its renewals ask for a new key. */
  rekeys: (tag: Tag) => boolean;
}

/** A certificate that an operator bought. */
export interface Bought {
  certificate: CertificateView;
  /** Undefined if nobody ever asked for it. */
  tag: Tag | undefined;
  isReissue: boolean;
  /** The CA acted when nobody could count on it any more. */
  isBeyond: boolean;
  /** A resource has had its id in its status. */
  wasHeard: boolean;
  /** A resource that is there lays claim to it. */
  isClaimed: boolean;
  /** Listed among an issuer's orphans. */
  isOrphan: boolean;
  /** Told by an issuer to be given up with its resource, which makes no orphan. */
  isGivenUp: boolean;
  /** Told by an issuer to be anybody's. */
  isUndecided: boolean;
  /** Otherwise told by an issuer: undecided, or within an attempt that was given up. */
  isRecorded: boolean;
  /** Good or on hold. */
  isValid: boolean;
}

export function placeOf(tag: Tag): string {
  return `${tag.namespace}/${tag.name}`;
}

/** The certificate at the beginning of a row of reissues. */
export function rootOf(
  byId: ReadonlyMap<number, CertificateView>,
  certificate: CertificateView,
): CertificateView {
  let root = certificate;
  for (;;) {
    const previous = root.previousId === undefined ? undefined : byId.get(root.previousId);
    if (!previous) return root;
    root = previous;
  }
}

export function tagOf(tags: Tags, { names }: Pick<CertificateView, 'names'>): Tag | undefined {
  return tags.of(names.map(({ value }) => value));
}

/** Everything that operators bought, with what became of it. */
export function boughtOf(evidence: Evidence): Bought[] {
  const { certificates, journal, history, tags } = evidence;
  const calls = new Map(journal.map((entry) => [entry.seq, entry]));
  const claimed = new Set(
    history.certificates().flatMap(({ status }) => claimedIds((status ?? {}) as Status)),
  );
  const issuers = history.issuers().map(({ status }) => (status ?? {}) as IssuerStatus);
  const orphans = new Set(
    issuers.flatMap((status) => (status.orphans ?? []).map(({ certificateId }) => certificateId)),
  );
  const released = issuers.flatMap((status) => status.released ?? []);
  const abandoned = issuers.flatMap((status) => status.abandoned ?? []);
  return certificates.flatMap((certificate) => {
    const { id, origin, status } = certificate;
    if (typeof origin !== 'number') return [];
    const tag = tagOf(tags, certificate);
    const call = calls.get(origin);
    return [
      {
        certificate,
        tag,
        isReissue: certificate.previousId !== undefined,
        isBeyond: call !== undefined && isBeyond(call),
        wasHeard: tag !== undefined && history.claims(placeOf(tag)).heard.has(id),
        isClaimed: claimed.has(id),
        isOrphan: orphans.has(id),
        isGivenUp: released.some((one) => one.certificateId === id && one.cause !== 'Undecided'),
        isUndecided: released.some((one) => one.certificateId === id && one.cause === 'Undecided'),
        isRecorded:
          released.some((one) => one.certificateId === id) ||
          abandoned.some((attempt) => covers(attempt, certificate)),
        isValid: status === 'good' || status === 'hold',
      },
    ];
  });
}

/** It acted later than the client's patience and all that is allowed for after it. */
function isBeyond({ at, endedAt = at, late }: JournalEntry): boolean {
  return late === true && endedAt - at > TIMING.callDeadline + TIMING.lateExecution - 1_000;
}

function covers(
  { commonName, afterId, since, until }: NonNullable<IssuerStatus['abandoned']>[number],
  { cn, id, notBefore }: CertificateView,
): boolean {
  const slackMs = 5 * 60_000;
  const at = notBefore * 1_000;
  return (
    cn === commonName &&
    id > afterId &&
    at >= Date.parse(since) - slackMs &&
    at <= Date.parse(until) + slackMs
  );
}

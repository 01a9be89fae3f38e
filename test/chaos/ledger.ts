/** Finds the owner of every certificate of the CA, from the data of the CA and etcd. */
import type { AuthorityView, CertificateView, JournalEntry } from '../../tools/dev-server/types.ts';
import { TIMING } from './clock.ts';
import { claimedIds, type IssuerStatus, type Seen, type Status } from './history.ts';
import { type Abandoned, nameDigest } from './journal.ts';
import type { Tag, Tags } from './names.ts';
import type { Reign } from './operator.ts';

/** The data behind a verdict. */
export interface Evidence {
  certificates: readonly CertificateView[];
  journal: readonly JournalEntry[];
  authorities: readonly AuthorityView[];
  history: Seen;
  tags: Tags;
  /** How many more certificates a wish may have bought because its status was forged or its certificate revoked. */
  allowances: ReadonlyMap<Tag, number>;
  /** Wishes whose certificates the operator was made to forget. */
  forgotten: ReadonlySet<Tag>;
  /** When each process led. */
  reigns: readonly Reign[];
  /** Whether its renewals request a new key. */
  rekeys: (tag: Tag) => boolean;
}

/** A certificate that an operator bought. */
export interface Bought {
  certificate: CertificateView;
  /** Undefined if nobody ever requested it. */
  tag: Tag | undefined;
  isReissue: boolean;
  /** The CA acted later than the operator has to expect. */
  isBeyond: boolean;
  /** Its resource has had its id in status or in an attempt, or gave it up on record. */
  wasHeard: boolean;
  /** An existing resource claims it. */
  isClaimed: boolean;
  /** Listed among an issuer's orphans. */
  isOrphan: boolean;
  /** On record as given up by its resource, so it is no orphan. */
  isGivenUp: boolean;
  /** On record as possibly anybody's. */
  isUndecided: boolean;
  /** On record in any way: given up, undecided, or within an abandoned attempt. */
  isRecorded: boolean;
  /** Good or on hold. */
  isValid: boolean;
}

export function placeOf(tag: Tag): string {
  return `${tag.namespace}/${tag.name}`;
}

/** The first certificate of a chain of reissues. */
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

/** Every certificate that operators bought, and its fate. */
export function boughtOf(evidence: Evidence): Bought[] {
  const { certificates, journal, history, tags } = evidence;
  const calls = new Map(journal.map((entry) => [entry.seq, entry]));
  const resources = history.certificates();
  const { entries, released, abandoned } = history.journals();
  const claimed = new Set([
    ...resources.flatMap(({ status }) => claimedIds((status ?? {}) as Status)),
    ...entries
      .filter(({ uid }) => resources.some(({ metadata }) => metadata.uid === uid))
      .map(({ certificateId }) => certificateId),
  ]);
  const issuers = history.issuers().map(({ status }) => (status ?? {}) as IssuerStatus);
  const orphans = new Set(
    issuers.flatMap((status) => (status.orphans ?? []).map(({ certificateId }) => certificateId)),
  );
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
        wasHeard:
          tag !== undefined && (history.claims(placeOf(tag)).heard.has(id) || history.givenUp.has(id)),
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

/** Whether it acted later than the client's timeout and every allowance after it. */
function isBeyond({ at, endedAt = at, late }: JournalEntry): boolean {
  return late === true && endedAt - at > TIMING.callDeadline + TIMING.lateExecution - 1_000;
}

function covers(
  { nameHash, afterId, since, until }: Abandoned,
  { cn, id, notBefore }: CertificateView,
): boolean {
  const slackMs = 5 * 60_000;
  const at = notBefore * 1_000;
  return (
    nameDigest(cn) === nameHash &&
    id > afterId &&
    at >= Date.parse(since) - slackMs &&
    at <= Date.parse(until) + slackMs
  );
}

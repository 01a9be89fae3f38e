/** Finds the owner of every certificate of the CA, from the data of the CA and etcd. */
import type { Authority, Called, Issued } from '../ca.ts';
import { TIMING } from '../clock.ts';
import type { IssuerStatus, Seen } from './history.ts';
import { claimedIn, type Status } from './holdings.ts';
import { keyOf, keysOf } from './identity.ts';
import { type Abandoned, nameDigest } from './journal.ts';
import { ISSUERS } from '../issuers.ts';
import type { Tag, Tags } from '../names.ts';
import type { Reign } from '../operator.ts';

/** The data behind a verdict. */
export interface Evidence {
  certificates: readonly Issued[];
  journal: readonly Called[];
  authorities: readonly Authority[];
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
  certificate: Issued;
  /** `keyOf` it. */
  key: string;
  /** Undefined if nobody ever requested it of this authority. */
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

export function isMarked({ issuer }: Tag): boolean {
  return ISSUERS[issuer].isMarked;
}

/** What names a certificate. */
export function refOf({ account, caId, id }: Pick<Issued, 'account' | 'caId' | 'id'>): string {
  return keyOf({ account, authorityId: caId, certificateId: id });
}

/** The certificates by what names them. */
export function byRef(certificates: readonly Issued[]): Map<string, Issued> {
  return new Map(certificates.map((certificate) => [refOf(certificate), certificate]));
}

/** The first certificate of a chain of reissues. */
export function rootOf(known: ReadonlyMap<string, Issued>, certificate: Issued): Issued {
  let root = certificate;
  for (;;) {
    const { previousId } = root;
    const previous = previousId === undefined ? undefined : known.get(refOf({ ...root, id: previousId }));
    if (!previous) return root;
    root = previous;
  }
}

/** The wish that a certificate fulfils: by the order of its names, and only at the authority that the wish was for. */
export function tagOf(
  { tags, authorities }: Pick<Evidence, 'tags' | 'authorities'>,
  { names, ca, caId, account }: Pick<Issued, 'names' | 'ca' | 'caId' | 'account'>,
): Tag | undefined {
  const tag = tags.of(names.map(({ value }) => value));
  const wanted = tag && authorityOf(authorities, tag);
  return wanted && wanted.ca === ca && wanted.id === caId && wanted.account === account ? tag : undefined;
}

/** The authority that a wish is for. */
export function authorityOf(authorities: readonly Authority[], { issuer }: Tag): Authority | undefined {
  const { ca, authority } = ISSUERS[issuer];
  return authorities.find((one) => one.ca === ca && one.name === authority);
}

/** Every certificate that operators bought, and its fate. */
export function boughtOf(evidence: Evidence): Bought[] {
  const { certificates, journal, history } = evidence;
  const calls = new Map(journal.map((entry) => [`${entry.ca} ${entry.seq}`, entry]));
  const resources = history.certificates();
  const { entries, released, abandoned } = history.journals();
  const claimed = new Set([
    ...resources.flatMap(({ status }) => claimedIn((status ?? {}) as Status)),
    ...keysOf(entries.filter(({ uid }) => resources.some(({ metadata }) => metadata.uid === uid))),
  ]);
  const issuers = history.issuers().map(({ status }) => (status ?? {}) as IssuerStatus);
  const orphans = new Set(issuers.flatMap((status) => keysOf(status.orphans ?? [])));
  return certificates.flatMap((certificate) => {
    const { ca, origin, status } = certificate;
    if (typeof origin !== 'number') return [];
    const key = refOf(certificate);
    const tag = tagOf(evidence, certificate);
    const call = calls.get(`${ca} ${origin}`);
    const onRecord = released.filter((one) => keyOf(one) === key);
    return [
      {
        certificate,
        key,
        tag,
        isReissue: certificate.previousId !== undefined,
        isBeyond: call !== undefined && isBeyond(call),
        wasHeard:
          tag !== undefined && (history.claims(placeOf(tag)).heard.has(key) || history.givenUp.has(key)),
        isClaimed: claimed.has(key),
        isOrphan: orphans.has(key),
        isGivenUp: onRecord.some(({ cause }) => cause !== 'Undecided'),
        isUndecided: onRecord.some(({ cause }) => cause === 'Undecided'),
        isRecorded: onRecord.length > 0 || abandoned.some((attempt) => covers(attempt, certificate)),
        isValid: status === 'good' || status === 'hold',
      },
    ];
  });
}

/** Whether it acted later than the client's timeout and every allowance after it. */
function isBeyond({ at, endedAt = at, late }: Called): boolean {
  return late === true && endedAt - at > TIMING.callDeadline + TIMING.lateExecution - 1_000;
}

/** Whether an authority is that of a certificate. */
export function isAt(
  { account, authorityId }: { account: string; authorityId: number },
  certificate: Pick<Issued, 'account' | 'caId'>,
): boolean {
  return account === certificate.account && authorityId === certificate.caId;
}

function covers(attempt: Abandoned, certificate: Issued): boolean {
  const { nameHash, afterId, since, until } = attempt;
  const { cn, id, notBefore } = certificate;
  const slackMs = 5 * 60_000;
  const at = notBefore * 1_000;
  return (
    isAt(attempt, certificate) &&
    nameDigest(cn) === nameHash &&
    id > afterId &&
    at >= Date.parse(since) - slackMs &&
    at <= Date.parse(until) + slackMs
  );
}

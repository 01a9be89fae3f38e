import { entryKey } from '../../journal/layout.ts';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import { type AccountDigest, isSameAuthority } from '../../api/tinycert/identity.ts';
import {
  accountOfOwner,
  type Attempt,
  attemptOwner,
  groupOf,
  type OpenAttempt,
  requestKey,
  uidOfOwner,
} from '../../issuance/tinycert/attempt.ts';
import { accountIn } from '../../issuance/tinycert/claims.ts';
import type { IssuerState } from '../../issuance/tinycert/issuer-directory.ts';
import type { TinyCertView } from '../../issuance/tinycert/records.ts';
import type { EntryView } from '../../journal/section.ts';
import type { Recording } from '../../journal/group.ts';
import type { Deps } from './deps.ts';
import type { Work } from './work.ts';

/** The name of TinyCert's section of the journal. */
export const SECTION = 'tinycert';

type Known = Pick<Deps, 'attempts' | 'clock' | 'timing'>;

/** What the journal has for a resource at one account. */
export interface Found {
  attempt: OpenAttempt | undefined;
  /** The key of an entry that nobody can read. */
  unreadable: string | undefined;
}

/**
 * The open attempt of a resource at an account. One that the status names under its seal has its result there and is removed
 * (`namedDropped`); `isSealed`: whether the seal of the status holds.
 */
export function attemptAt(
  deps: Known,
  view: TinyCertView | undefined,
  { metadata: { uid = '' }, status }: Pick<TinyCertCertificate, 'metadata' | 'status'>,
  account: AccountDigest,
  isSealed: boolean,
): Found {
  const owner = attemptOwner(uid, account);
  const found = view?.entry(owner);
  if (!view) return NONE;
  if (!found) {
    deps.attempts.forget(owner);
    return NONE;
  }
  if (isSealed && found.id === status?.attemptId) {
    endAttempt(deps, view, owner, found.id);
    return NONE;
  }
  return known(deps, owner, found);
}

const NONE: Found = { attempt: undefined, unreadable: undefined };

/** What is known of an entry of the journal. */
export function known({ attempts, clock, timing }: Known, owner: string, found: EntryView<Attempt>): Found {
  if (found.is === 'unreadable') return { attempt: undefined, unreadable: entryKey(SECTION, owner) };
  const { id, entry, isPutBack } = found;
  const knowledge = attempts.knowledgeOf(owner, id, clock.monotonic(), timing);
  return { attempt: { id, attempt: entry, isPutBack, ...knowledge }, unreadable: undefined };
}

/** The accounts at which a resource has an open attempt. */
export function accountsWithAttempt(view: TinyCertView | undefined, uid: string): AccountDigest[] {
  return view ? [...view.entriesOf(uid)].map(([owner]) => accountOfOwner(owner)) : [];
}

/** The uids of the resources that have an attempt without a result at an account, whether they are still there or not. */
export function uidsWithAttemptAt(view: TinyCertView | undefined, account: AccountDigest): string[] {
  return [...(view?.entries() ?? [])].flatMap(([owner]) =>
    accountOfOwner(owner) === account ? [uidOfOwner(owner)] : [],
  );
}

/**
 * The account of a resource by its status, else that of its issuer, or the only one that it has asked and not left. The issuer may
 * be gone.
 */
export function statedAccount(
  issuer: IssuerState | undefined,
  { status, metadata: { uid = '' } }: Pick<TinyCertCertificate, 'status' | 'metadata'>,
  view: TinyCertView | undefined,
): AccountDigest | undefined {
  const account = issuer?.ready ? issuer.issuer.account : issuer?.account;
  const stated = accountIn(status) ?? account?.digest;
  if (stated !== undefined) return stated;
  const left = new Set((status?.formerAccounts ?? []).map((each) => each.account));
  return accountsWithAttempt(view, uid).find((each) => !left.has(each));
}

/**
 * Writes down more about an open attempt, with what is put on record of it, and resolves with the attempt as it goes on. With
 * `keepsRequest` false it keeps nobody else from asking for the same. Rejects as `View.open` does.
 */
export async function amend(
  { deps, inputs, view }: Pick<Work, 'deps' | 'inputs' | 'view'>,
  open: OpenAttempt,
  change: Partial<Attempt>,
  {
    records,
    keepsRequest = true,
  }: { records?: readonly Recording[] | undefined; keepsRequest?: boolean } = {},
): Promise<OpenAttempt> {
  const { namespace, uid = '' } = inputs.certificate.metadata;
  const owner = attemptOwner(uid, open.attempt.account);
  const attempt = { ...open.attempt, ...change };
  // What it bought is known, so it cannot be mistaken for another one's purchase, and need keep nobody waiting.
  const isKept = keepsRequest && attempt.certificateId === undefined;
  const request = isKept ? requestKey(attempt, attempt) : undefined;
  const opened = await view.open({
    owner,
    group: groupOf(attempt, namespace),
    ...(request === undefined ? {} : { request }),
    replaces: open.id,
    ...(records ? { records } : {}),
    make: (id) => {
      deps.attempts.renamed(owner, open.id, id);
      return attempt;
    },
  });
  // What it replaces is its own, so it always fits.
  return opened.is === 'open' ? { ...open, id: opened.id, attempt, isPutBack: false } : open;
}

/** The attempt has ended: its entry goes with the journal's next write, and what is recorded of it comes with that. */
export function endAttempt(
  { attempts }: Pick<Deps, 'attempts'>,
  view: TinyCertView,
  owner: string,
  id: string,
  records?: readonly Recording[],
): void {
  attempts.forget(owner);
  view.removeLater({ owner, id, records });
}

/** The open attempts of all other resources at the authority of `about`, whether those exist or not. */
export function* attemptsOfOthers(
  view: TinyCertView,
  uid: string,
  about: Parameters<typeof isSameAuthority>[0],
): Generator<Attempt> {
  for (const [owner, entry] of view.entries())
    if (!owner.startsWith(`${uid}.`) && entry.is === 'open' && isSameAuthority(entry.entry, about))
      yield entry.entry;
}

/** Whether another resource has an attempt at an account that this version cannot read: it may be for any request. */
export function hasUnreadableOfOthers(view: TinyCertView, uid: string, account: AccountDigest): boolean {
  return [...view.entries()].some(
    ([owner, { is }]) =>
      is === 'unreadable' && !owner.startsWith(`${uid}.`) && accountOfOwner(owner) === account,
  );
}

import type { Reason } from '../lib/reason.ts';
import type { IssuerStatus } from '../api/tinycert/issuer-status.ts';
import { rfc3339 } from '../issuance/status/conditions.ts';
import { reportReady } from '../issuance/status/report-ready.ts';
import { canonicalJson } from '../lib/hash.ts';
import type { Deps, Issuer } from './deps.ts';
import { type inventoryToShow, warnOfOrphans } from './show-inventory.ts';

type Session = NonNullable<IssuerStatus['session']>;

/** What an issuer's status reports. */
export interface Report extends Reason {
  ready: boolean;
  state: Session['state'];
  /** Without it, status keeps what it shows. */
  authority?: IssuerStatus['authority'];
  /** What the last inventory found and status does not show yet. */
  inventory?: Awaited<ReturnType<typeof inventoryToShow>>;
  /** When the next check is due, in milliseconds since the epoch. */
  nextAttempt?: number | undefined;
  /** When the rate limit ends, in milliseconds since the epoch. */
  blockedUntil?: number | undefined;
}

/** Shortest wait that status shows, in milliseconds: a shorter one is over before anyone reads of it. */
const SHOWN_FROM_MS = 45_000;

/** Reports an issuer in its status, in one write, if that is news. An orphan that status shows first makes an event. */
export async function report(
  deps: Pick<Deps, 'kube' | 'clock' | 'crds' | 'warn' | 'type' | 'writtenIssuers'>,
  issuer: Issuer,
  content: Report,
  signal: AbortSignal,
): Promise<void> {
  const { status } = issuer;
  const { inventory, authority = status?.authority } = content;
  const session = sessionOf(status?.session, content, deps.clock.now());
  const blockedUntil = content.blockedUntil === undefined ? undefined : rfc3339(content.blockedUntil + 999);
  const isBlockNews = blockedUntil !== status?.limits?.blockedUntil;
  const isNews =
    inventory !== undefined ||
    isBlockNews ||
    canonicalJson(status?.session) !== canonicalJson(session) ||
    canonicalJson(status?.authority) !== canonicalJson(authority);
  const change = {
    session: { ...session, nextAttemptTime: session.nextAttemptTime ?? null },
    ...(isBlockNews ? { limits: { blockedUntil: blockedUntil ?? null } } : {}),
    ...(authority ? { authority } : {}),
    ...inventory?.change,
  };
  const target = { type: deps.type, resource: issuer, written: deps.writtenIssuers };
  await reportReady(deps, target, content, { change, isNews }, signal);
  warnOfOrphans(deps, issuer, inventory?.news ?? []);
}

function sessionOf(before: Session | undefined, { state, nextAttempt }: Report, now: number): Session {
  const since = before?.state === state ? before.since : rfc3339(now);
  const nextAttemptTime = nextAttempt === undefined ? undefined : rfc3339(nextAttempt + 999);
  const isShown =
    nextAttempt !== undefined &&
    (nextAttempt - now >= SHOWN_FROM_MS || nextAttemptTime === before?.nextAttemptTime);
  return {
    state,
    ...(since === undefined ? {} : { since }),
    ...(isShown && nextAttemptTime !== undefined ? { nextAttemptTime } : {}),
  };
}

import type { Reason } from '../lib/reason.ts';
import type { IssuerStatus } from '../api/tinycert/issuer-status.ts';
import { rfc3339, sameConditions, withConditions } from '../issuance/status/conditions.ts';
import { patchFindings } from '../issuance/status/patch.ts';
import { keyOf } from '../kube/objects.ts';
import { canonicalJson } from '../lib/hash.ts';
import type { Deps, Issuer } from './deps.ts';
import { type inventoryToShow, warnOfOrphans } from './show-inventory.ts';

type Session = NonNullable<IssuerStatus['session']>;

/** How an issuer stands. */
export interface Report extends Reason {
  ready: boolean;
  state: Session['state'];
  /** What was shown stays unless given. */
  authority?: IssuerStatus['authority'];
  /** What the last inventory found that status does not say yet. */
  inventory?: Awaited<ReturnType<typeof inventoryToShow>>;
  /** When the CA will be asked again, in milliseconds since the epoch. */
  nextAttempt?: number | undefined;
  /** Until when the CA asked to wait, in milliseconds since the epoch. */
  blockedUntil?: number | undefined;
}

/** A shorter wait is over before anybody has read of it, and is not worth a write each time. */
const SHOWN_FROM_MS = 45_000;

/** Says in status how an issuer stands, in one write, if that is news. What somebody has to mend makes an event. */
export async function report(deps: Deps, issuer: Issuer, said: Report, signal: AbortSignal): Promise<void> {
  const { metadata, status } = issuer;
  const { reason, message } = said;
  const now = deps.clock.now();
  const conditions = withConditions(
    status?.conditions,
    [{ type: 'Ready', status: said.ready ? 'True' : 'False', reason, message }],
    { now, generation: metadata.generation },
  );
  const authority = said.authority ?? status?.authority;
  const session = sessionOf(status?.session, said, now);
  const blockedUntil = said.blockedUntil === undefined ? undefined : rfc3339(said.blockedUntil + 999);
  const isSame = sameConditions(status?.conditions, conditions);
  const isSaid =
    said.inventory === undefined &&
    isSame &&
    canonicalJson(status?.session) === canonicalJson(session) &&
    status?.limits?.blockedUntil === blockedUntil &&
    canonicalJson(status?.authority) === canonicalJson(authority);
  if (isSaid) return;
  if (!said.ready && !isSame) deps.warn(issuer, reason, message);
  const change = {
    conditions,
    session: { ...session, nextAttemptTime: session.nextAttemptTime ?? null },
    ...(blockedUntil === status?.limits?.blockedUntil
      ? {}
      : { limits: { blockedUntil: blockedUntil ?? null } }),
    ...(authority ? { authority } : {}),
    ...said.inventory?.change,
  };
  const written = await patchFindings(deps, deps.type, issuer, change, signal);
  deps.writtenIssuers.note(keyOf(issuer), metadata.resourceVersion, written);
  warnOfOrphans(deps, issuer, said.inventory?.news ?? []);
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

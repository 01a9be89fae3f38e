import type { AccountWork, Outcome } from '../account/act.ts';
import { type CheckFault, clientFault } from '../account/check.ts';
import type { Account, AccountConnection } from '../account/tinycert-account.ts';
import type { IssuerStatus } from '../api/tinycert/issuer-status.ts';
import { rfc3339 } from '../issuance/status/conditions.ts';
import type { ReadyIssuer } from '../issuance/tinycert/issuer-directory.ts';
import type { ReconcileContext } from '../kube/controller/controller.ts';
import type { BackoffOptions } from '../lib/backoff.ts';
import type { Reason } from '../lib/reason.ts';
import { fingerprintOf } from '../x509/certificate.ts';
import { X509Error } from '../x509/errors.ts';
import { authorityMaterial, pickAuthority } from './authority.ts';
import { type Deps, holderOf, type Issuer } from './deps.ts';
import { type Report, report } from './report.ts';
import { inventoryToShow } from './show-inventory.ts';

/** How often to check an issuer that works, and so to take the list of its authority. */
export const CHECK_INTERVAL: BackoffOptions = { base: 900_000, max: 900_000, jitter: 0.2 };

const RATE_LIMITED: Reason = {
  reason: 'RateLimitExceeded',
  message: 'TinyCert refuses more requests for now. The issuer is checked as soon as TinyCert allows it.',
};

/** What a check finds. */
interface Found {
  issuer: ReadyIssuer;
  /** The authority for status; without it, status keeps what it shows. */
  shown?: IssuerStatus['authority'];
}

/** How a TinyCert issuer is checked and reported. */
export function workOf(deps: Deps): AccountWork<Issuer, { connection: AccountConnection }, Found> {
  return {
    clock: deps.clock,
    random: deps.random,
    accounts: deps.accounts,
    directory: deps.directory,
    holderOf: (issuer) => holderOf(deps, issuer),
    resources: deps.issuers,
    interval: CHECK_INTERVAL,
    rateLimited: RATE_LIMITED,
    // While status shows no authority, the CA has to be asked for it.
    known: ({ status }, issuer) => (status?.authority ? { issuer } : undefined),
    probe: (issuer, account, _plan, signal) => probe(deps, account, issuer, signal),
    faultOf,
    report: (issuer, outcome, context) => reportOutcome(deps, issuer, outcome, context),
  };
}

/** Logs in, finds the authority and takes its list. */
async function probe(
  deps: Deps,
  account: Account,
  resource: Issuer,
  signal: AbortSignal,
): Promise<Found | Reason> {
  const { spec, metadata, status } = resource;
  const key = holderOf(deps, resource);
  const authorities = await account.client.listAuthorities({ signal });
  const picked = pickAuthority(spec.authority, authorities);
  if ('reason' in picked) return picked;
  const authority = { account: account.digest, authorityId: picked.id, name: picked.name };
  await deps.inventory.list(account, authority, key, signal);
  const issuer = {
    key,
    account,
    authority,
    subject: spec.subject,
    marksFor: spec.ownershipMarker === 'OrganizationalUnit' ? metadata.uid : undefined,
    material: () => authorityMaterial(account, authority.authorityId),
    hasMaterial: () => account.authorities.has(authority.authorityId),
  };
  return { issuer, shown: await describe(status?.authority, issuer) };
}

async function reportOutcome(
  deps: Deps,
  issuer: Issuer,
  outcome: Outcome<Found>,
  context: ReconcileContext,
): Promise<void> {
  const write = (content: Report): Promise<void> => report(deps, issuer, content, context.signal);
  switch (outcome.is) {
    case 'disconnected':
      return write({ ...notReady(outcome.why), state: 'Disconnected' });
    case 'absent':
      return write({ ...notReady(outcome.why), state: 'Connected' });
    case 'ready': {
      const { found, isFresh, why, account } = outcome;
      const isShown = isFresh && !deps.inventory.isPostponed(found.issuer.key);
      const inventory = isShown ? undefined : await inventoryToShow(deps, issuer, found.issuer, context);
      const ready = why ? notReady(why) : readyBy(found.issuer);
      return write({ ...ready, authority: found.shown, inventory, ...sessionOf(account) });
    }
    case 'unchecked':
      return write({ ...readyBy(outcome.issuer), ...sessionOf(outcome.account) });
    case 'stopped':
      return write({ ...notReady(outcome.why), ...sessionOf(outcome.account) });
    case 'failed': {
      const { why, nextCheckMs, account } = outcome;
      if (why.stops === 'account') return write({ ...notReady(why), ...sessionOf(account) });
      const nextAttempt = deps.clock.now() + nextCheckMs;
      return write({ ...notReady(why), state: stateOf(why), nextAttempt });
    }
    default:
      return outcome satisfies never;
  }
}

function notReady({ reason, message }: Reason): Reason & { ready: false } {
  return { ready: false, reason, message };
}

function readyBy({
  authority: { authorityId, name },
}: Pick<ReadyIssuer, 'authority'>): Reason & { ready: true } {
  return {
    ready: true,
    reason: 'Ready',
    message: `Certificates are issued by authority ${authorityId} "${name}".`,
  };
}

/** The state of the session after a check that failed for this issuer alone. */
function stateOf({ isInAnswer, isRefused }: CheckFault): Report['state'] {
  if (isInAnswer) return 'Connected';
  return isRefused ? 'Refused' : 'Unreachable';
}

/** The session as the account's gate sees it. */
function sessionOf({ gate }: Account): Pick<Report, 'state' | 'nextAttempt' | 'blockedUntil'> {
  const { nextCheck: nextAttempt } = gate.breaker;
  const { blockedUntil } = gate;
  if (gate.fault) return { state: 'Unreachable', nextAttempt, blockedUntil };
  return { state: blockedUntil === undefined ? 'Connected' : 'RateLimited', blockedUntil };
}

/** The authority for status. If status shows it already it is not fetched again, so that a restart costs no call. */
async function describe(
  shown: IssuerStatus['authority'],
  { authority, material }: ReadyIssuer,
): Promise<NonNullable<IssuerStatus['authority']>> {
  const { account, authorityId: id, name } = authority;
  const isSame = shown?.id === id && shown.account === account;
  const isShown = isSame && shown.name === name && shown.fingerprint !== undefined;
  if (isShown) return shown;
  const { root, subject, hashAlgorithm } = await material();
  const { commonName } = root.names;
  return {
    id,
    account,
    name,
    subject: { ...subject, commonName },
    hashAlgorithm: hashAlgorithm.toUpperCase(),
    notAfter: rfc3339(root.notAfter),
    fingerprint: fingerprintOf(root),
  };
}

function faultOf(error: unknown): CheckFault | undefined {
  if (!(error instanceof X509Error)) return clientFault(error);
  return { reason: error.code, message: error.message, stops: 'nobody', isRefused: false, isInAnswer: true };
}

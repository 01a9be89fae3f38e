import type { Reason } from '../lib/reason.ts';
import { fingerprintOf } from '../x509/certificate.ts';
import type { Account } from '../account/tinycert-account.ts';
import { check, type Checked, type CheckFault } from '../account/check.ts';
import { stopsOf } from '../account/stops.ts';
import type { IssuerStatus } from '../api/tinycert/issuer-status.ts';
import type { ReadyIssuer } from '../issuance/tinycert/issuer-directory.ts';
import { rfc3339 } from '../issuance/status/conditions.ts';
import type { ReconcileContext, ReconcileResult } from '../kube/controller/controller.ts';
import type { BackoffOptions } from '../lib/backoff.ts';
import { TinyCertError } from '../tinycert/index.ts';
import { X509Error } from '../x509/errors.ts';
import { authorityMaterial, pickAuthority } from './authority.ts';
import type { Plan } from './decide.ts';
import { type Deps, holderOf, type Issuer } from './deps.ts';
import type { Failures } from '../account/failures.ts';
import { type Report, report } from './report.ts';
import { inventoryToShow } from './show-inventory.ts';

/** A sound issuer is looked at this often: credentials may have been withdrawn without a word. */
const CHECK_AGAIN: BackoffOptions = { base: 900_000, max: 900_000, jitter: 0.2 };
const RATE_LIMITED: Reason = {
  reason: 'RateLimitExceeded',
  message: 'TinyCert refuses more requests for now. The issuer is checked as soon as it may be.',
};

/** Carries a plan out, tells the directory, and says in status how things stand. */
export async function act(
  deps: Deps,
  issuer: Issuer,
  plan: Plan,
  failures: Failures<Account>,
  context: ReconcileContext,
): Promise<ReconcileResult> {
  const key = holderOf(deps, issuer);
  if (plan.do === 'report') {
    await deps.accounts.release(key);
    deps.directory.set(key, { ready: false, reason: plan.reason, message: plan.message });
    await report(deps, issuer, { ready: false, ...reasonOf(plan), state: 'Disconnected' }, context.signal);
    return {};
  }
  const account = await deps.accounts.acquire(key, plan.connection);
  const known = deps.directory.get(key);
  const checked = await check<Account, Known>({
    account,
    holder: key,
    generation: issuer.metadata.generation,
    failures,
    clock: deps.clock,
    random: deps.random,
    // What status does not show yet has to be looked for.
    known: known?.ready && issuer.status?.authority ? { issuer: known.issuer } : undefined,
    again: CHECK_AGAIN,
    look: () => connect(deps, account, issuer, key, context.signal),
    faultOf: (error) => (context.signal.aborted ? undefined : faultOf(error)),
  });
  const { requeueAfterMs } = checked;
  switch (checked.is) {
    case 'stopped':
      await stopped(deps, issuer, account, key, context);
      return { requeueAfterMs };
    case 'absent':
      deps.directory.set(key, { ready: false, ...checked.why, account });
      await report(deps, issuer, { ready: false, ...checked.why, state: 'Connected' }, context.signal);
      return { requeueAfterMs };
    case 'ready': {
      const { found, isFresh } = checked;
      deps.directory.set(key, { ready: true, issuer: found.issuer });
      const inventory = isFresh ? undefined : await inventoryToShow(deps, issuer, found.issuer, context);
      await sayReady(deps, issuer, found.issuer, { authority: found.shown, inventory }, context);
      return { requeueAfterMs };
    }
    case 'failed':
      await sayFailed(deps, issuer, account, checked, context);
      return { requeueAfterMs };
    default:
      return checked satisfies never;
  }
}

/** What a check found. */
interface Known {
  issuer: ReadyIssuer;
  /** The authority for status; what is shown stays if there is none. */
  shown?: IssuerStatus['authority'];
}

/** What the check met, said and handed on to whom it concerns. */
async function sayFailed(
  deps: Deps,
  issuer: Issuer,
  account: Account,
  { fault, requeueAfterMs }: Extract<Checked<Known>, { is: 'failed' }>,
  { signal }: ReconcileContext,
): Promise<void> {
  const { reason, message } = fault;
  const said = { ready: false, reason, message };
  deps.directory.set(holderOf(deps, issuer), { ...said, ready: false, account });
  if (fault.stops === 'account') return report(deps, issuer, { ...said, ...limitsOf(account) }, signal);
  const state = fault.isHeard ? 'Connected' : fault.isRefused ? 'Refused' : 'Unreachable';
  return report(deps, issuer, { ...said, state, nextAttempt: deps.clock.now() + requeueAfterMs }, signal);
}

/** Logs in, finds the authority and takes note of what it has issued. */
async function connect(
  deps: Deps,
  account: Account,
  { spec, metadata, status }: Issuer,
  key: string,
  signal: AbortSignal,
): Promise<Known | Reason> {
  const authorities = await account.client.listAuthorities({ signal });
  const authority = pickAuthority(spec.authority, authorities);
  if ('reason' in authority) return authority;
  await deps.inventory.list(account, authority.id, key, signal);
  const issuer = {
    key,
    account,
    authority,
    subject: spec.subject,
    marksFor: spec.ownershipMarker === 'OrganizationalUnit' ? metadata.uid : undefined,
    material: authorityMaterial(account, authority.id),
  };
  return { issuer, shown: await describe(status?.authority, issuer) };
}

/** It is too soon to look, or another issuer of the account does. Who was ready before a rate limit is so still. */
async function stopped(
  deps: Deps,
  issuer: Issuer,
  account: Account,
  key: string,
  { signal }: Pick<ReconcileContext, 'signal'>,
): Promise<void> {
  const known = deps.directory.get(key);
  const { fault } = account.gate.breaker;
  let said: Reason & { ready: boolean };
  if (known?.ready && known.issuer.account === account) {
    said = fault ? { ready: false, ...fault } : readyWords(known.issuer);
  } else {
    said = { ready: false, ...(fault ?? RATE_LIMITED) };
    deps.directory.set(key, { ready: false, ...reasonOf(said), account });
  }
  await report(deps, issuer, { ...said, ...limitsOf(account) }, signal);
}

/** Ready, unless issuing failed last and nobody has shown that it works again. */
async function sayReady(
  deps: Deps,
  issuer: Issuer,
  found: ReadyIssuer,
  shown: Pick<Report, 'authority' | 'inventory'>,
  { signal }: ReconcileContext,
): Promise<void> {
  const { fault } = found.account.gate;
  const said = fault ? { ready: false, ...fault } : readyWords(found);
  await report(deps, issuer, { ...said, ...shown, ...limitsOf(found.account) }, signal);
}

function readyWords({ authority: { id, name } }: Pick<ReadyIssuer, 'authority'>): Reason & { ready: true } {
  const message = `Certificates are issued by authority ${id} "${name}".`;
  return { ready: true, reason: 'Ready', message };
}

/** What the account's gate says of it. */
function limitsOf({ gate }: Account): Pick<Report, 'state' | 'nextAttempt' | 'blockedUntil'> {
  const { nextCheck: nextAttempt } = gate.breaker;
  const { blockedUntil } = gate;
  if (gate.fault) return { state: 'Unreachable', nextAttempt, blockedUntil };
  return { state: blockedUntil === undefined ? 'Connected' : 'RateLimited', blockedUntil };
}

/** The authority for status. What is shown already is not fetched again: a restart costs no call. */
async function describe(
  shown: IssuerStatus['authority'],
  { authority, material }: ReadyIssuer,
): Promise<NonNullable<IssuerStatus['authority']>> {
  const isShown =
    shown?.id === authority.id && shown.name === authority.name && shown.fingerprint !== undefined;
  if (isShown) return shown;
  const { root, subject, hashAlgorithm } = await material();
  const { commonName } = root.names;
  return {
    id: authority.id,
    name: authority.name,
    subject: { ...subject, commonName },
    hashAlgorithm: hashAlgorithm.toUpperCase(),
    notAfter: rfc3339(root.notAfter),
    fingerprint: fingerprintOf(root),
  };
}

function faultOf(error: unknown): CheckFault | undefined {
  if (error instanceof X509Error)
    return { reason: error.code, message: error.message, stops: 'nobody', isRefused: false, isHeard: true };
  if (!(error instanceof TinyCertError)) return undefined;
  const { code, message, detail, kind, retryAfterMs } = error;
  return {
    reason: code,
    message: detail === undefined ? message : `${message} (${detail})`,
    stops: stopsOf(error),
    isRefused: kind === 'credentials',
    isHeard: false,
    retryAfterMs,
  };
}

function reasonOf({ reason, message }: Reason): Reason {
  return { reason, message };
}

import type { Reason } from '../issuance/resource.ts';
import { createHash } from 'node:crypto';
import type { Account } from '../account/account.ts';
import { stopsOf } from '../account/stops.ts';
import type { IssuerStatus } from '../api/issuer-status.ts';
import type { ReadyIssuer } from '../issuance/issuer-directory.ts';
import { rfc3339 } from '../issuance/conditions.ts';
import type { ReconcileContext, ReconcileResult } from '../kube/controller.ts';
import { type BackoffOptions, backoffDelay } from '../lib/backoff.ts';
import { TinyCertError } from '../tinycert/index.ts';
import { X509Error } from '../x509/errors.ts';
import { authorityMaterial, pickAuthority } from './authority.ts';
import type { Plan } from './decide.ts';
import type { Deps, Issuer } from './deps.ts';
import type { Failures } from './failures.ts';
import { type Report, report } from './report.ts';
import { inventoryToShow } from './show-inventory.ts';

/** A sound issuer is looked at this often: credentials may have been withdrawn without a word. */
const CHECK_AGAIN: BackoffOptions = { base: 900_000, max: 900_000, jitter: 0.2 };
/** Something between here and the CA that is not the account's fault, as a certificate that is not trusted. */
const OUTAGE: BackoffOptions = { base: 5_000, max: 30_000, jitter: 0.2 };
/** Credentials that the CA refuses: seldom, since an account can be locked, and a new Secret is seen at once. */
const REFUSED: BackoffOptions = { base: 300_000, max: 3_600_000, jitter: 0.1 };
/** What somebody has to mend at TinyCert. */
const ABSENT: BackoffOptions = { base: 60_000, max: 900_000, jitter: 0.1 };
const RATE_LIMITED: Reason = {
  reason: 'RateLimitExceeded',
  message: 'TinyCert refuses more requests for now. The issuer is checked as soon as it may be.',
};

/** Carries a plan out, tells the directory, and says in status how things stand. */
export async function act(
  deps: Deps,
  issuer: Issuer,
  plan: Plan,
  failures: Failures,
  context: ReconcileContext,
): Promise<ReconcileResult> {
  const key = failures.keyOf(issuer);
  if (plan.do === 'report') {
    await deps.accounts.release(key);
    deps.directory.set(key, { ready: false, reason: plan.reason, message: plan.message });
    await report(deps, issuer, { ready: false, ...reasonOf(plan), state: 'Disconnected' }, context.signal);
    return {};
  }
  const account = await deps.accounts.acquire(key, plan.connection);
  const { pausedFor } = account.gate;
  const turn = pausedFor > 0 ? ({ go: false, waitMs: pausedFor } as const) : account.gate.breaker.check();
  if (!turn.go) {
    await stopped(deps, issuer, account, key, context);
    return { requeueAfterMs: turn.waitMs };
  }
  try {
    const { generation } = issuer.metadata;
    const known = deps.directory.get(key);
    const isFresh =
      account.gate.breaker.state !== 'open' &&
      failures.isFresh(key, account, generation, deps.clock.monotonic());
    const found =
      known?.ready && isFresh ? known.issuer : await connect(deps, account, issuer, key, context.signal);
    if ('reason' in found) {
      account.gate.breaker.checkSucceeded();
      deps.directory.set(key, { ready: false, ...found, sealer: account });
      await report(deps, issuer, { ready: false, ...found, state: 'Connected' }, context.signal);
      return again(ABSENT, failures.count(key), deps);
    }
    const shown = await describe(issuer.status?.authority, { ...found, key });
    account.gate.breaker.checkSucceeded();
    if (!isFresh) failures.succeeded(key, account, generation, deps.clock.monotonic());
    deps.directory.set(key, { ready: true, issuer: { ...found, key } });
    const inventory = isFresh ? undefined : await inventoryToShow(deps, issuer, { ...found, key }, context);
    await sayReady(deps, issuer, { ...found, key }, { authority: shown, inventory }, context);
    return again(CHECK_AGAIN, 1, deps);
  } catch (error) {
    if (!(error instanceof TinyCertError || error instanceof X509Error) || context.signal.aborted)
      throw error;
    return await afterFailedCheck(deps, issuer, account, error, failures, context);
  } finally {
    turn.end();
  }
}

/** What the check met, said and handed on to whom it concerns. */
async function afterFailedCheck(
  deps: Deps,
  issuer: Issuer,
  account: Account,
  error: TinyCertError | X509Error,
  failures: Failures,
  { signal }: ReconcileContext,
): Promise<ReconcileResult> {
  const key = failures.keyOf(issuer);
  const { breaker } = account.gate;
  const fault = faultOf(error);
  const stops = error instanceof TinyCertError ? stopsOf(error) : 'nobody';
  if (stops === 'pause') {
    account.gate.limited((error as TinyCertError).retryAfterMs);
    await stopped(deps, issuer, account, key, { signal });
    return { requeueAfterMs: account.gate.pausedFor };
  }
  deps.directory.set(key, { ready: false, ...fault, sealer: account });
  if (stops === 'account') {
    breaker.checkFailed(fault);
    await report(deps, issuer, { ready: false, ...fault, ...limitsOf(account) }, signal);
    const wait = breaker.check();
    if (wait.go) wait.end();
    return { requeueAfterMs: wait.go ? 0 : wait.waitMs };
  }
  const isRefused = error instanceof TinyCertError && error.kind === 'credentials';
  const state = error instanceof TinyCertError ? (isRefused ? 'Refused' : 'Unreachable') : 'Connected';
  const result = again(isRefused ? REFUSED : OUTAGE, failures.count(key), deps);
  const nextAttempt = deps.clock.now() + (result.requeueAfterMs ?? 0);
  await report(deps, issuer, { ready: false, ...fault, state, nextAttempt }, signal);
  return result;
}

/** Logs in, finds the authority and takes note of what it has issued. */
async function connect(
  deps: Deps,
  account: Account,
  { spec, metadata }: Issuer,
  key: string,
  signal: AbortSignal,
): Promise<Omit<ReadyIssuer, 'key'> | Reason> {
  const authorities = await account.client.listAuthorities({ signal });
  const authority = pickAuthority(spec.authority, authorities);
  if ('reason' in authority) return authority;
  await deps.inventory.list(account, authority.id, key, signal);
  return {
    account,
    authority,
    subject: spec.subject,
    marksFor: spec.ownershipMarker === 'OrganizationalUnit' ? metadata.uid : undefined,
    material: authorityMaterial(account, authority.id),
  };
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
    deps.directory.set(key, { ready: false, ...reasonOf(said), sealer: account });
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
    fingerprint: createHash('sha256').update(root.raw).digest('hex'),
  };
}

function faultOf(error: TinyCertError | X509Error): Reason {
  const detail = error instanceof TinyCertError && error.detail !== undefined ? ` (${error.detail})` : '';
  return { reason: error.code, message: `${error.message}${detail}` };
}

function reasonOf({ reason, message }: Reason): Reason {
  return { reason, message };
}

function again(backoff: BackoffOptions, failures: number, { random }: Deps): { requeueAfterMs: number } {
  return { requeueAfterMs: backoffDelay(backoff, failures, random) };
}

import { createHash } from 'node:crypto';
import type { Account } from '../account/account.ts';
import type { IssuerStatus } from '../api/issuer-status.ts';
import type { ReadyIssuer } from '../issuance/issuer-directory.ts';
import { asOutdated } from '../issuance/outdated-crds.ts';
import { rfc3339, sameConditions, withConditions } from '../issuance/conditions.ts';
import type { ReconcileContext, ReconcileResult } from '../kube/controller.ts';
import { isConflict } from '../kube/errors.ts';
import { keyOf, parseKey } from '../kube/objects.ts';
import { type BackoffOptions, backoffDelay } from '../lib/backoff.ts';
import { canonicalJson } from '../lib/hash.ts';
import { TinyCertError } from '../tinycert/index.ts';
import { X509Error } from '../x509/errors.ts';
import { authorityMaterial, pickAuthority } from './authority.ts';
import type { Plan, Reason } from './decide.ts';
import type { Deps, Issuer } from './deps.ts';
import type { Failures } from './failures.ts';
import { inventoryToShow, warnOfOrphans } from './show-inventory.ts';

/** A sound issuer is looked at this often: credentials may have been withdrawn without a word. */
const CHECK_AGAIN: BackoffOptions = { base: 900_000, max: 900_000, jitter: 0.2 };
/** An outage: looked at often, since all that waits goes on as soon as it is over. */
const OUTAGE: BackoffOptions = { base: 5_000, max: 60_000, jitter: 0.2 };
/** Credentials that the CA refuses: seldom, since an account can be locked, and a new Secret is seen at once. */
const REFUSED: BackoffOptions = { base: 300_000, max: 3_600_000, jitter: 0.1 };
/** What somebody has to mend at TinyCert. */
const ABSENT: BackoffOptions = { base: 60_000, max: 900_000, jitter: 0.1 };

type SessionState = NonNullable<IssuerStatus['session']>['state'];

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
    return notReady(deps, issuer, plan, { key, state: 'Disconnected' }, context);
  }
  try {
    const account = await deps.accounts.acquire(key, plan.connection);
    const found = await connect(deps, account, issuer, key, context.signal);
    if ('reason' in found) {
      await notReady(deps, issuer, found, { key, state: 'Connected' }, context);
      return again(ABSENT, failures.count(key), deps);
    }
    return await ready(deps, issuer, { ...found, key }, failures, context);
  } catch (error) {
    if (!(error instanceof TinyCertError || error instanceof X509Error) || context.signal.aborted)
      throw error;
    await notReady(deps, issuer, reasonOf(error), { key, state: stateOf(error) }, context);
    if (error instanceof TinyCertError && error.kind === 'rate-limit' && error.retryAfterMs !== undefined) {
      return { requeueAfterMs: error.retryAfterMs };
    }
    const isRefused = error instanceof TinyCertError && error.kind === 'credentials';
    return again(isRefused ? REFUSED : OUTAGE, failures.count(key), deps);
  }
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

async function ready(
  deps: Deps,
  issuer: Issuer,
  found: ReadyIssuer,
  failures: Failures,
  context: ReconcileContext,
): Promise<ReconcileResult> {
  const { authority } = found;
  const shown = await describe(issuer.status?.authority, found);
  failures.forget(found.key);
  deps.directory.set(found.key, { ready: true, issuer: found });
  await report(
    deps,
    issuer,
    {
      ready: true,
      reason: 'Ready',
      message: `Certificates are issued by authority ${authority.id} "${authority.name}".`,
      state: 'Connected',
      authority: shown,
      inventory: await inventoryToShow(deps, issuer, found, context),
    },
    context,
  );
  return again(CHECK_AGAIN, 1, deps);
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

async function notReady(
  deps: Deps,
  issuer: Issuer,
  { reason, message }: Reason,
  { key, state }: { key: string; state: SessionState },
  context: ReconcileContext,
): Promise<ReconcileResult> {
  deps.directory.set(key, { ready: false, reason, message });
  await report(deps, issuer, { ready: false, reason, message, state }, context);
  return {};
}

async function report(
  deps: Deps,
  issuer: Issuer,
  said: Reason & {
    ready: boolean;
    state: SessionState;
    authority?: IssuerStatus['authority'];
    inventory?: Awaited<ReturnType<typeof inventoryToShow>>;
  },
  { signal }: ReconcileContext,
): Promise<void> {
  const { metadata, status } = issuer;
  const { reason, message } = said;
  const conditions = withConditions(
    status?.conditions,
    [{ type: 'Ready', status: said.ready ? 'True' : 'False', reason, message }],
    { now: deps.clock.now(), generation: metadata.generation },
  );
  const authority = said.authority ?? status?.authority;
  const isSaid =
    said.inventory === undefined &&
    sameConditions(status?.conditions, conditions) &&
    status?.session?.state === said.state &&
    canonicalJson(status.authority) === canonicalJson(authority);
  if (isSaid) return;
  if (!said.ready) deps.warn(issuer, reason, message);
  const patch = {
    metadata: { resourceVersion: metadata.resourceVersion },
    status: {
      conditions,
      session: { state: said.state },
      ...(authority ? { authority } : {}),
      ...said.inventory?.change,
    },
  };
  const options = { subresource: 'status', fieldValidation: 'Strict', signal } as const;
  const ref = parseKey(keyOf(issuer));
  try {
    await deps.kube.mergePatch(deps.type, ref, patch, options).catch(asOutdated);
  } catch (error) {
    if (!isConflict(error)) throw error;
    // A finalizer, or what others keep in status: as long as the spec is the same, what was found of it is right.
    const { metadata: now } = await deps.kube.get(deps.type, ref, { signal });
    if (now.uid !== metadata.uid || now.generation !== metadata.generation) throw error;
    const rebased = { ...patch, metadata: { resourceVersion: now.resourceVersion } };
    await deps.kube.mergePatch(deps.type, ref, rebased, options).catch(asOutdated);
  }
  warnOfOrphans(deps, issuer, said.inventory?.news ?? []);
}

function reasonOf(error: TinyCertError | X509Error): Reason {
  const detail = error instanceof TinyCertError && error.detail !== undefined ? ` (${error.detail})` : '';
  return { reason: error.code, message: `${error.message}${detail}` };
}

function stateOf(error: TinyCertError | X509Error): SessionState {
  if (!(error instanceof TinyCertError)) return 'Connected';
  if (error.kind === 'credentials') return 'Refused';
  return error.kind === 'rate-limit' ? 'RateLimited' : 'Unreachable';
}

function again(backoff: BackoffOptions, failures: number, { random }: Deps): ReconcileResult {
  return { requeueAfterMs: backoffDelay(backoff, failures, random) };
}

import type { CAcertLogin } from '../account/cacert-account.ts';
import { check, type CheckFault } from '../account/check.ts';
import type { Failures } from '../account/failures.ts';
import { stopsOf } from '../account/stops.ts';
import type { CAcertAccount } from '../api/kinds.ts';
import { CAcertError } from '../cacert/index.ts';
import type { ReadyCAcertAccount } from '../issuance/cacert/directory.ts';
import type { ReconcileContext, ReconcileResult } from '../kube/controller/controller.ts';
import type { BackoffOptions } from '../lib/backoff.ts';
import type { Plan } from './decide.ts';
import { type Deps, holderOf } from './deps.ts';
import { report } from './report.ts';

/** Names and addresses change seldom, and a login that is withdrawn shows with the next certificate at the latest. */
const CHECK_AGAIN: BackoffOptions = { base: 4 * 3_600_000, max: 4 * 3_600_000, jitter: 0.25 };

const PAUSED = {
  reason: 'RateLimitExceeded',
  message: 'CAcert refuses more requests for now. The account is checked as soon as it may be.',
};

/** Carries a plan out, tells the directory, and says in status how things stand. */
export async function act(
  deps: Deps,
  resource: CAcertAccount,
  plan: Plan,
  failures: Failures<CAcertLogin>,
  { signal }: ReconcileContext,
): Promise<ReconcileResult> {
  const key = holderOf(resource);
  if (plan.do === 'report') {
    const { reason, message } = plan;
    await deps.accounts.release(key);
    deps.directory.set(key, { ready: false, reason, message });
    await report(deps, resource, { ready: false, reason, message }, signal);
    return {};
  }
  const { bundle } = plan;
  const account = await deps.accounts.acquire(key, plan.connection);
  const known = deps.directory.get(key);
  const checked = await check<CAcertLogin, ReadyCAcertAccount>({
    account,
    holder: key,
    generation: resource.metadata.generation,
    failures,
    clock: deps.clock,
    random: deps.random,
    known: known?.ready ? known.issuer : undefined,
    again: CHECK_AGAIN,
    look: async () => ({ key, account, bundle, details: await account.client.getAccount({ signal }) }),
    faultOf: (error) => (signal.aborted ? undefined : faultOf(error)),
  });
  const { requeueAfterMs } = checked;
  if (checked.is === 'ready') {
    const found = { ...checked.found, bundle };
    deps.directory.set(key, { ready: true, issuer: found });
    const { fault } = account.gate;
    await report(
      deps,
      resource,
      { ...(fault ? { ready: false, ...fault } : { ready: true }), found },
      signal,
    );
    return { requeueAfterMs };
  }
  const { fault } = account.gate.breaker;
  const why =
    checked.is === 'failed' ? checked.fault : checked.is === 'absent' ? checked.why : (fault ?? PAUSED);
  // Who was ready before a rate limit is so still.
  if (checked.is === 'stopped' && !fault && known?.ready && known.issuer.account === account)
    return { requeueAfterMs };
  const { reason, message } = why;
  deps.directory.set(key, { ready: false, reason, message, account });
  await report(deps, resource, { ready: false, reason, message }, signal);
  return { requeueAfterMs };
}

function faultOf(error: unknown): CheckFault | undefined {
  if (!(error instanceof CAcertError)) return undefined;
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

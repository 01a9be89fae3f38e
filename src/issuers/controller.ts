import type { Account } from '../account/tinycert-account.ts';
import { Failures } from '../account/failures.ts';
import { readVersions } from '../account/secret-text.ts';
import { parseIssuer } from '../api/parse.ts';
import { ApiError } from '../kube/errors.ts';
import { CRDS_AGAIN_MS, CrdsOutdated } from '../issuance/outdated-crds.ts';
import type { Reconcile } from '../kube/controller.ts';
import { LIST_PRIORITY, type WorkQueue } from '../kube/queue.ts';
import { act } from './act.ts';
import { decide } from './decide.ts';
import { type Deps, holderOf } from './deps.ts';
import { gather } from './gather.ts';
import { isKept } from './in-use.ts';

/** Secrets that are not watched are looked at this often. */
const POLL_MS = 60_000;

/**
 * The controller of one issuer kind. It reads issuers and the Secrets they name, keeps the directory that certificates
 * are issued from, and writes the issuers' status, nothing else.
 */
export function controller(deps: Deps, queue: WorkQueue): { reconcile: Reconcile; stop: () => void } {
  const failures = new Failures<Account>();
  return { reconcile: reconciler(deps, failures), stop: wire(deps, queue, failures) };
}

function reconciler(deps: Deps, failures: Failures<Account>): Reconcile {
  const reconcile: Reconcile = async (key, context) => {
    const stored = deps.writtenIssuers.newest(key, deps.issuers.get(key));
    if (!stored || (stored.metadata.deletionTimestamp !== undefined && !isKept(stored))) return {};
    const parsed = parseIssuer(stored);
    if (!parsed.ok) {
      const plan = {
        do: 'report',
        reason: 'InvalidSpec',
        message: `The spec cannot be used: ${parsed.message}`,
      } as const;
      return act(deps, stored, plan, failures, context);
    }
    const issuer = parsed.object;
    const inputs = await gather(deps, issuer, context.signal).catch(async (error: unknown) => {
      if (!(error instanceof ApiError) || context.signal.aborted) throw error;
      const message = `The Secrets of the issuer cannot be read: ${error.message}`;
      await act(deps, issuer, { do: 'report', reason: 'SecretsUnreadable', message }, failures, context);
      throw error;
    });
    const isWatched = deps.secretWatches.want(
      holderOf(deps, issuer),
      readVersions([inputs.credentials, inputs.caBundle]),
    );
    const result = await act(deps, issuer, decide(inputs), failures, context);
    return isWatched ? result : { requeueAfterMs: Math.min(result.requeueAfterMs ?? POLL_MS, POLL_MS) };
  };
  return async (key, context) => {
    try {
      return await reconcile(key, context);
    } catch (error) {
      if (!(error instanceof CrdsOutdated)) throw error;
      context.log.error({ error }, 'The installed CRDs are older than the operator');
      return { requeueAfterMs: CRDS_AGAIN_MS };
    }
  };
}

function wire(deps: Deps, queue: WorkQueue, failures: Failures<Account>): () => void {
  const names = new Map<string, string>();
  const ends = [
    deps.issuers.subscribe(({ type, key, object, previous }) => {
      const holder = holderOf(deps, object);
      if (type === 'delete') {
        names.delete(holder);
        deps.writtenIssuers.forget(key);
        failures.forget(holder);
        queue.forget(key);
        deps.secretWatches.release(holder);
        deps.directory.delete(holder);
        void deps.accounts.release(holder);
        return;
      }
      names.set(holder, key);
      // Status is written by this controller alone, so that only a new generation is news.
      if (previous && previous.metadata.generation === object.metadata.generation) return;
      queue.add(key, { reason: 'changed', priority: previous ? 0 : LIST_PRIORITY });
    }),
    deps.directory.onFault((holder) => {
      const key = names.get(holder);
      if (key === undefined) return;
      queue.add(key, { reason: 'fault', afterMs: failures.fault(holder, deps.clock.monotonic()) });
    }),
  ];
  ends.push(
    deps.accounts.onChange((holder) => {
      const key = names.get(holder);
      if (key !== undefined) queue.add(key, { reason: 'account' });
    }),
  );
  deps.secretWatches.onChange((holder) => {
    const key = names.get(holder);
    if (key !== undefined) queue.add(key, { reason: 'secret' });
  });
  return () => {
    for (const end of ends) end();
  };
}

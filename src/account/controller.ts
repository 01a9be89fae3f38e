import type { Reconcile, ReconcileContext, ReconcileResult } from '../kube/controller/controller.ts';
import { ApiError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import { LIST_PRIORITY, type WorkQueue } from '../kube/controller/queue.ts';
import type { Store } from '../kube/watch/store.ts';
import type { Clock } from '../lib/clock.ts';
import type { Reason } from '../lib/reason.ts';
import type { Directory } from './directory.ts';
import type { Failures } from './failures.ts';
import type { AccountRegistry } from './registry.ts';
import { readVersions, type SecretText } from './secret-text.ts';
import type { SecretWatches } from './secret-watches.ts';

/** Secrets that are not watched are looked at this often. */
const POLL_MS = 60_000;

/** What the controller of a kind of resources that name an account and its credentials works with. */
export interface AccountControl<R extends KubeObject, I, A extends object> {
  clock: Clock;
  resources: Store<R>;
  /** What this controller wrote last, which its watch may not have shown yet. */
  written: { newest(key: string, cached: R | undefined): R | undefined; forget(key: string): void };
  directory: Pick<Directory<{ account: A }>, 'delete' | 'onFault'>;
  accounts: Pick<AccountRegistry<never, never>, 'release' | 'onChange'>;
  secretWatches: SecretWatches;
  failures: Failures<A>;
  /** The key of a resource in directory, registry and watches. */
  holderOf: (resource: R) => string;
  /** Whether a deleted resource is still looked after. */
  isKept: (resource: R) => boolean;
  parse: (resource: R) => { ok: true; object: R } | { ok: false; message: string };
  gather: (resource: R, signal: AbortSignal) => Promise<I>;
  /** The Secrets among what was gathered. */
  secretsOf: (inputs: I) => readonly (SecretText | undefined)[];
  act: (resource: R, inputs: I, context: ReconcileContext) => Promise<ReconcileResult>;
  /** Says why nothing can be had from the account of a resource. */
  report: (resource: R, why: Reason, context: ReconcileContext) => Promise<ReconcileResult>;
}

/**
 * A controller of resources that name an account: it reads them and the Secrets they name, keeps the directory that
 * certificates are had from, and writes their status, nothing else.
 */
export function accountController<R extends KubeObject, I, A extends object>(
  control: AccountControl<R, I, A>,
  queue: WorkQueue,
): { reconcile: Reconcile; stop: () => void } {
  return { reconcile: (key, context) => reconcile(control, key, context), stop: wire(control, queue) };
}

async function reconcile<R extends KubeObject, I, A extends object>(
  control: AccountControl<R, I, A>,
  key: string,
  context: ReconcileContext,
): Promise<ReconcileResult> {
  const stored = control.written.newest(key, control.resources.get(key));
  if (!stored || (stored.metadata.deletionTimestamp !== undefined && !control.isKept(stored))) return {};
  const parsed = control.parse(stored);
  if (!parsed.ok) {
    const message = `The spec cannot be used: ${parsed.message}`;
    return control.report(stored, { reason: 'InvalidSpec', message }, context);
  }
  const resource = parsed.object;
  const inputs = await control.gather(resource, context.signal).catch(async (error: unknown) => {
    if (!(error instanceof ApiError) || context.signal.aborted) throw error;
    const message = `The Secrets of the account cannot be read: ${error.message}`;
    await control.report(resource, { reason: 'SecretsUnreadable', message }, context);
    throw error;
  });
  const read = readVersions(control.secretsOf(inputs));
  const isWatched = control.secretWatches.want(control.holderOf(resource), read);
  const result = await control.act(resource, inputs, context);
  return isWatched ? result : { requeueAfterMs: Math.min(result.requeueAfterMs ?? POLL_MS, POLL_MS) };
}

/** Which events lead to which keys. Returns the function that ends this. */
function wire<R extends KubeObject, I, A extends object>(
  control: AccountControl<R, I, A>,
  queue: WorkQueue,
): () => void {
  const { failures, holderOf, secretWatches, directory, accounts, clock } = control;
  const names = new Map<string, string>();
  const call = (reason: string): ((holder: string) => void) => {
    return (holder) => {
      const key = names.get(holder);
      if (key !== undefined) queue.add(key, { reason });
    };
  };
  const ends = [
    control.resources.subscribe(({ type, key, object, previous }) => {
      const holder = holderOf(object);
      if (type === 'delete') {
        names.delete(holder);
        control.written.forget(key);
        failures.forget(holder);
        queue.forget(key);
        secretWatches.release(holder);
        directory.delete(holder);
        void accounts.release(holder);
        return;
      }
      names.set(holder, key);
      // Status is written by this controller alone, so that only a new generation is news.
      if (previous && previous.metadata.generation === object.metadata.generation) return;
      queue.add(key, { reason: 'changed', priority: previous ? 0 : LIST_PRIORITY });
    }),
    directory.onFault((holder) => {
      const key = names.get(holder);
      if (key === undefined) return;
      queue.add(key, { reason: 'fault', afterMs: failures.fault(holder, clock.monotonic()) });
    }),
    accounts.onChange(call('account')),
    secretWatches.onChange(call('secret')),
  ];
  return () => {
    for (const end of ends) end();
  };
}

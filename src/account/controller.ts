import type { Reconcile, ReconcileContext, ReconcileResult } from '../kube/controller/controller.ts';
import { type Forget, Lifetimes } from '../kube/controller/lifetimes.ts';
import { LIST_PRIORITY, type WorkQueue } from '../kube/controller/queue.ts';
import { ApiError } from '../kube/errors.ts';
import { type KubeObject, parseKey } from '../kube/objects.ts';
import type { Store } from '../kube/watch/store.ts';
import { act, isPresent, type AccountWork, type Finding, type UsableIssuer } from './act.ts';
import type { Plan } from './decide.ts';
import type { Directory } from './directory.ts';
import { Failures } from './failures.ts';
import type { AccountInputs } from './gather.ts';
import type { AccountRegistry } from './registry.ts';
import { readVersions } from './secret-text.ts';
import type { SecretWatches } from './secret-watches.ts';

/** How often to reconcile a resource whose Secrets are not all watched, in milliseconds. */
export const UNWATCHED_SECRETS_POLL_MS = 60_000;

/** What the controller of a kind of resources that name an account works with. */
export interface AccountControl<
  R extends KubeObject,
  I extends AccountInputs<R>,
  P extends { connection: object },
  F extends Finding<UsableIssuer>,
> extends AccountWork<R, P, F> {
  resources: Store<R>;
  /** This controller's last writes, which its watch may not have shown yet. */
  written: { newest(key: string, cached: R | undefined): R | undefined; forget(key: string): void };
  directory: Pick<Directory<F['issuer']>, 'get' | 'set' | 'delete' | 'onFault'>;
  accounts: AccountWork<R, P, F>['accounts'] & Pick<AccountRegistry<never, never>, 'onChange'>;
  secretWatches: SecretWatches;
  /** Whether a resource that is being deleted is reconciled all the same. */
  isKept: (resource: R) => boolean;
  parse: (resource: R) => { ok: true; object: R } | { ok: false; message: string };
  gather: (resource: R, signal: AbortSignal) => Promise<I>;
  decide: (inputs: I) => Plan<P>;
  /** What others keep for a resource, beyond what its directory, account and watches do. */
  owners?: readonly Forget[];
}

/**
 * A controller of resources that name an account. It reads the resources and the Secrets that they name, keeps the
 * directory that certificate controllers read, and writes nothing but its resources' status.
 */
export function accountController<
  R extends KubeObject,
  I extends AccountInputs<R>,
  P extends { connection: object },
  F extends Finding<UsableIssuer>,
>(control: AccountControl<R, I, P, F>, queue: WorkQueue): { reconcile: Reconcile; stop: () => void } {
  const failures = new Failures<F['issuer']['account']>(control.random);
  const holderOf = (key: string): string => control.holderOf({ metadata: parseKey(key) });
  const lifetimes = new Lifetimes({
    objects: control.resources,
    queue,
    owners: [
      ({ key }) => control.written.forget(key),
      ({ key }) => failures.forget(holderOf(key)),
      ({ key }) => control.directory.delete(holderOf(key)),
      ({ key }) => control.secretWatches.release(holderOf(key)),
      ({ key }) => void control.accounts.release(holderOf(key)),
      ...(control.owners ?? []),
    ],
  });
  const ends = [wire(control, failures, queue), lifetimes.wire()];
  return {
    reconcile: lifetimes.bounding((key, context) => reconcile(control, failures, key, context)),
    stop: () => {
      for (const end of ends) end();
    },
  };
}

async function reconcile<
  R extends KubeObject,
  I extends AccountInputs<R>,
  P extends { connection: object },
  F extends Finding<UsableIssuer>,
>(
  control: AccountControl<R, I, P, F>,
  failures: Failures<F['issuer']['account']>,
  key: string,
  context: ReconcileContext,
): Promise<ReconcileResult> {
  const stored = control.written.newest(key, control.resources.get(key));
  if (!stored || (stored.metadata.deletionTimestamp !== undefined && !control.isKept(stored))) return {};
  const reportReason = (resource: R, reason: string, message: string): Promise<ReconcileResult> =>
    act(control, failures, resource, { do: 'report', reason, message }, context);
  const parsed = control.parse(stored);
  if (!parsed.ok) return reportReason(stored, 'InvalidSpec', `The spec cannot be used: ${parsed.message}`);
  const resource = parsed.object;
  const inputs = await control.gather(resource, context.signal).catch(async (error: unknown) => {
    if (!(error instanceof ApiError) || context.signal.aborted) throw error;
    if (!isPresent(control.resources, resource)) throw error;
    const message = `The Secrets of the account cannot be read: ${error.message}`;
    await reportReason(resource, 'SecretsUnreadable', message);
    throw error;
  });
  if (!isPresent(control.resources, resource)) return {};
  const read = readVersions([inputs.credentials, inputs.caBundle]);
  const isWatched = control.secretWatches.want(control.holderOf(resource), read);
  const result = await act(control, failures, resource, control.decide(inputs), context);
  if (isWatched) return result;
  return { requeueAfterMs: Math.min(result.requeueAfterMs ?? Infinity, UNWATCHED_SECRETS_POLL_MS) };
}

/** Maps events to keys in the work queue. Returns the function that ends this. */
function wire<
  R extends KubeObject,
  I extends AccountInputs<R>,
  P extends { connection: object },
  F extends Finding<UsableIssuer>,
>(
  control: AccountControl<R, I, P, F>,
  failures: Failures<F['issuer']['account']>,
  queue: WorkQueue,
): () => void {
  const { holderOf, secretWatches, directory, accounts, clock } = control;
  const keys = new Map<string, string>();
  const enqueue = (reason: string): ((holder: string) => void) => {
    return (holder) => {
      const key = keys.get(holder);
      if (key !== undefined) queue.add(key, { reason });
    };
  };
  const ends = [
    control.resources.subscribe(({ type, key, object, previous }) => {
      const holder = holderOf(object);
      if (type === 'delete') {
        keys.delete(holder);
        return;
      }
      keys.set(holder, key);
      // Only this controller writes status, so an event without a new generation is no change.
      if (previous && previous.metadata.generation === object.metadata.generation) return;
      queue.add(key, { reason: 'changed', priority: previous ? 0 : LIST_PRIORITY });
    }),
    directory.onFault((holder) => {
      const key = keys.get(holder);
      if (key === undefined) return;
      queue.add(key, { reason: 'fault', afterMs: failures.fault(holder, clock.monotonic()) });
    }),
    accounts.onChange(enqueue('account')),
    secretWatches.onChange(enqueue('secret')),
  ];
  return () => {
    for (const end of ends) end();
  };
}

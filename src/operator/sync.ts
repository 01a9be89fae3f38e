import { isForbidden, isNotFound } from '../kube/errors.ts';
import type { Informer } from '../kube/watch/informer.ts';
import type { Store } from '../kube/watch/store.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';

/** An informer, whatever it holds. */
export interface Followed extends Pick<Informer<unknown>, 'done' | 'lastError'> {
  readonly store: Pick<Store<unknown>, 'synced' | 'whenSynced'>;
}

const LOOK_EVERY_MS = 10_000;
const FIRST_LOOK_MS = 2_000;

/**
 * Waits until all caches are filled, and says what is in the way for as long as something is. Resolves to false if told
 * to stop first.
 */
export async function watchSync(
  informers: readonly Followed[],
  clock: Clock,
  log: Logger,
  signal: AbortSignal,
): Promise<boolean> {
  const synced = Promise.all(informers.map(({ store }) => store.whenSynced(signal))).then(
    () => true,
    () => false,
  );
  let cancel: () => void = () => undefined;
  let said: readonly string[] = [];
  const look = (): void => {
    const errors = informers.flatMap(({ lastError }) => lastError ?? []);
    // Once, and again when something changes: a cluster can be without CRDs for weeks.
    for (const error of errors) if (!said.includes(error.message)) complain(error, log);
    said = errors.map(({ message }) => message);
    cancel = clock.timer(LOOK_EVERY_MS, look);
  };
  cancel = clock.timer(FIRST_LOOK_MS, look);
  const result = await synced;
  cancel();
  return result;
}

function complain(error: Error, log: Logger): void {
  if (isNotFound(error)) {
    log.error(
      { error },
      'The CRDs are not installed: run kubectl apply -f crds/ of this release. Nothing is issued until then.',
    );
  } else if (isForbidden(error)) {
    log.error({ error }, 'The operator lacks a right: apply deploy/rbac.yaml of this release.');
  } else {
    log.warn({ error }, 'Waiting for the API server');
  }
}

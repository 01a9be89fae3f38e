import { asError } from '../../lib/errors.ts';
import type { KubeObject } from '../objects.ts';
import type { Reconcile } from './controller.ts';
import type { WorkQueue } from './queue.ts';

/** An object that is gone, or that another one of its name has replaced. */
export interface Gone {
  key: string;
  uid: string;
}

/** Ends what one owner of state keeps for an object that is gone. It may be called again, and must be quick. */
export type Forget = (gone: Gone) => void;

/** The part of a `Store` that tells what exists. */
interface Objects {
  get(key: string): KubeObject | undefined;
  subscribe(
    listener: (event: { type: 'apply' | 'delete'; key: string; object: KubeObject }) => void,
  ): () => void;
}

export interface LifetimesOptions {
  objects: Objects;
  queue: Pick<WorkQueue, 'forget'>;
  /** Every owner of state that is kept for the objects. */
  owners: readonly Forget[];
}

/**
 * Ends the state that a process keeps for objects with the objects themselves. Each owner of state registers here, and is
 * called when an object is gone: when the watch shows it, and again when a reconcile of it that was under way has ended,
 * whatever that has set meanwhile. An object is its uid: one that was created again under the same name begins anew.
 */
export class Lifetimes {
  readonly #options: LifetimesOptions;

  constructor(options: LifetimesOptions) {
    this.#options = options;
  }

  /**
   * Subscribes to the objects. Returns the function that unsubscribes. Whoever needs the state of a gone object for the last
   * time subscribes before.
   */
  wire(): () => void {
    const { objects, queue } = this.#options;
    return objects.subscribe(({ type, key, object }) => {
      if (type !== 'delete') return;
      queue.forget(key);
      this.#forget(key, object);
    });
  }

  /** A reconcile that leaves nothing behind for an object that went meanwhile. */
  bounding(reconcile: Reconcile): Reconcile {
    const { objects, queue } = this.#options;
    return async (key, context) => {
      const before = objects.get(key);
      const isGone = (): boolean => objects.get(key)?.metadata.uid !== before?.metadata.uid;
      try {
        const result = await reconcile(key, context);
        return isGone() ? {} : result;
      } catch (error) {
        if (!isGone()) throw error;
        context.log.debug({ error: asError(error) }, 'The object is gone; its reconcile ended with an error');
        return {};
      } finally {
        if (before && isGone()) this.#forget(key, before);
        if (!objects.get(key)) queue.forget(key);
      }
    };
  }

  /** Calls every owner, then throws what the first of them has thrown. */
  #forget(key: string, { metadata: { uid = '' } }: KubeObject): void {
    const errors: unknown[] = [];
    for (const forget of this.#options.owners) {
      try {
        forget({ key, uid });
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw asError(errors[0]);
  }
}

import { AppError } from '../../lib/errors.ts';
import { type AnyKind, type Informers, allKinds, kindsByCa } from './informers.ts';
import type { KindState } from './watched-kind.ts';

type Kind = Pick<AnyKind, 'type' | 'state' | 'subscribe'>;

/** A kind whose objects a controller decides by, and in which states of the kind it may decide. */
export interface Need {
  kind: Kind;
  states: readonly KindState[];
}

/** The controller works on objects of the kind, or would judge wrongly without them: it waits for the CRD too. */
export function synced(kind: Kind): Need {
  return { kind, states: ['synced'] };
}

/** The controller asks only which objects exist, as for claims: if the kind is not installed, there are none. */
export function known(kind: Kind): Need {
  return { kind, states: ['synced', 'absent'] };
}

export function areMet(needs: readonly Need[]): boolean {
  return needs.every(({ kind, states }) => states.includes(kind.state));
}

/** Resolves to true once all needs are met at the same time, to false if the signal aborts first. */
export function whenMet(needs: readonly Need[], signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const finish = (isMet: boolean): void => {
      for (const end of ends) end();
      signal.removeEventListener('abort', onAbort);
      resolve(isMet);
    };
    const onAbort = (): void => finish(false);
    const onEvent = (): void => {
      if (areMet(needs)) finish(true);
    };
    const ends = needs.map(({ kind }) => kind.subscribe(onEvent));
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    else onEvent();
  });
}

/** A cache has not been filled yet. */
class NotSynced extends AppError {
  constructor() {
    super('NotSynced', 'The caches are not in sync with the API server.');
  }
}

/**
 * Throws unless the operator is ready: every kind is either in sync or not installed, and certificates of at least one CA
 * can be issued, for which its kind of certificates and a kind of issuers or accounts must be in sync. So a CA whose CRDs
 * were left out on purpose does not keep the operator unready, and an operator without CRDs is not ready.
 */
export function assertSynced(informers: Informers): void {
  const isSynced = ({ state }: Kind): boolean => state === 'synced';
  const canIssue = kindsByCa(informers).some(
    ({ certificates, issuers }) => isSynced(certificates) && issuers.some(isSynced),
  );
  if (!canIssue || allKinds(informers).some(({ state }) => state === 'unknown')) throw new NotSynced();
}

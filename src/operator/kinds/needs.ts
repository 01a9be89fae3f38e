import type { AnyKind } from './informers.ts';
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

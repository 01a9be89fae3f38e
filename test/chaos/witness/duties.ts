/** Holds and revocations that are due, from the versions of the resources. */
import type { Stored } from '../etcd.ts';
import { claimedIn, type Holding, type Status } from './holdings.ts';
import { keysOf } from './identity.ts';

type Action = 'Hold' | 'Revoke';

/** A hold or revocation that nobody remembers any more, so it must be done. */
export interface Duty {
  /** NAMESPACE/NAME. */
  place: string;
  /** Orders of names that its resource requested until then. */
  asked: readonly string[];
  /** `keyOf` it. */
  certificate: string;
  action: Action;
  /** Time of day in the run by which it must be done. */
  by: number;
  why: 'promised' | 'replaced' | 'deleted';
}

/** What is known of a resource that exists. */
interface Present {
  uid: string;
  asked: Set<string>;
  /** Certificates that it serves, or served at an account until it left that. */
  served: Set<string>;
  promised: Map<string, Action>;
  /** What it has claimed since its deletion was requested; before that what it claims now. */
  claimed: Set<string>;
  onDelete: Action | 'None';
}

/** Follows the resources, one version after the other. */
export class Duties {
  readonly #due: Duty[] = [];
  readonly #present = new Map<string, Present>();

  get due(): readonly Duty[] {
    return this.#due;
  }

  /** Takes a version of a resource, or its end. `names`: the order of the names that it requests; `at`: time of day in the run. */
  take(place: string, object: Stored | undefined, { names, at }: { names: string; at: number }): void {
    const known = this.#present.get(place);
    const last = known?.uid === object?.metadata.uid ? known : undefined;
    if (known && !last) this.#end(place, known, at);
    if (!object) return;
    const status: Status = object.status ?? {};
    const { onDelete = 'None', onReplace = 'None' } = (object.spec?.['revocation'] ?? {}) as {
      onDelete?: Action | 'None';
      onReplace?: Action | 'None';
    };
    const isDying = object.metadata.deletionTimestamp !== undefined;
    const now: Present = {
      uid: object.metadata.uid,
      asked: (last?.asked ?? new Set()).add(names),
      served: new Set(keysOf([status, ...(status.formerAccounts ?? [])])),
      promised: promisedIn(status),
      claimed: new Set([...(isDying ? (last?.claimed ?? []) : []), ...claimedIn(status)]),
      onDelete,
    };
    this.#present.set(place, now);
    if (!last) return;
    const add = (certificate: string, action: Action, why: Duty['why']): void => {
      this.#due.push({ place, asked: [...now.asked], certificate, action, by: at, why });
    };
    for (const [certificate, action] of last.promised)
      if (!now.promised.has(certificate)) add(certificate, action, 'promised');
    if (onReplace === 'None' || isDying) return;
    for (const certificate of last.served)
      if (!now.served.has(certificate) && !now.promised.has(certificate))
        add(certificate, onReplace, 'replaced');
  }

  #end(place: string, { asked, promised, claimed, onDelete }: Present, by: number): void {
    this.#present.delete(place);
    const due = new Map(promised);
    if (onDelete !== 'None')
      for (const certificate of claimed)
        if (due.get(certificate) !== 'Revoke') due.set(certificate, onDelete);
    for (const [certificate, action] of due)
      this.#due.push({ place, asked: [...asked], certificate, action, by, why: 'deleted' });
  }
}

function promisedIn({ formerAccounts = [], ...status }: Status): Map<string, Action> {
  const pending = [status, ...formerAccounts].flatMap(
    ({ pendingRevocations = [] }: Holding) => pendingRevocations,
  );
  return new Map(
    pending.flatMap((each) => keysOf([each]).map((certificate) => [certificate, each.action ?? 'Revoke'])),
  );
}

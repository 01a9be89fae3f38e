import type { LeaseHistory } from '../kube/lease.ts';
import { LEADER_KEY, read } from './layout.ts';
import type { Data } from './store.ts';

/** How many versions of its own a process remembers while it does not know which one was stored. */
const MAX_VERSIONS = 32;

interface Version {
  data: Data;
  isPutBack: boolean;
}

/**
 * The versions of the journal that this process has written, may have written, or has read. It led throughout since the first
 * of them, so a version that is none of them was put back, or written by hand (`putBackUnsure`, `putBackWaits`).
 */
export class OwnVersions {
  #versions: Version[] = [];

  /** Whether this process has seen or written a journal. */
  get hasAny(): boolean {
    return this.#versions.length > 0;
  }

  /** A write of this version is about to be sent. Until it is `confirmed` it may have been stored, or may be later. */
  sent(data: Data): void {
    this.#keep({ data, isPutBack: false });
  }

  /** This version was stored for certain, and so none before it is any more. */
  confirmed(data: Data): void {
    this.#versions = [{ data, isPutBack: false }];
  }

  /**
   * Whether a version that was read was put back. For a process that has none of its own the Lease tells; without a leader
   * election nothing does, and it counts as not put back.
   */
  wasPutBack(found: Data, lease: LeaseHistory | undefined, quietMs: number): boolean {
    const own = this.#versions.find(({ data }) => isEqual(data, found));
    if (own) return own.isPutBack;
    const isPutBack =
      this.#versions.length > 0 || (lease !== undefined && isOlderThan(lease, found, quietMs));
    this.#keep({ data: found, isPutBack });
    return isPutBack;
  }

  #keep(version: Version): void {
    this.#versions = [...this.#versions, version].slice(-MAX_VERSIONS);
  }
}

/**
 * Whether a journal may be older than what the last leader wrote: the Lease tells of a later one that had taken it over, or nobody has
 * renewed the Lease for so long that it was put back itself, perhaps. Leaders that ended before they took over wrote nothing. A Lease of
 * an earlier version of the operator does not tell them apart.
 */
function isOlderThan(
  { leadersBefore, begunBefore = leadersBefore, idleMs }: LeaseHistory,
  found: Data,
  quietMs: number,
): boolean {
  const writer = read.leader(found.get(LEADER_KEY))?.leaders;
  if (idleMs === undefined || idleMs > quietMs || leadersBefore === undefined) return true;
  return writer === undefined || writer < (begunBefore ?? 0) || writer > leadersBefore;
}

function isEqual(a: Data, b: Data): boolean {
  if (a.size !== b.size) return false;
  for (const [key, text] of a) if (b.get(key) !== text) return false;
  return true;
}

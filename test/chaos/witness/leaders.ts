import { TIMING } from '../clock.ts';

/** The fields of a Lease that tell who leads. */
export interface Lease {
  holderIdentity?: string;
  renewTime?: string;
}

/** A Lease that nobody renewed for so long may have been put back itself. */
const QUIET_MS = TIMING.sendWindow + TIMING.callDeadline + TIMING.lateExecution;

/**
 * Who led an installation and who wrote its journal, in the order of etcd. It tells when a process had to take the journal for one
 * that was put back from a backup, although none ever is in this run (docs/adr/0013-journal.md, "Consequences").
 */
export class Leaders {
  #lease: Lease = {};
  /** The last process that held the Lease. */
  #leader: string | undefined;
  /** The last process that wrote the journal, and all that did. */
  #writer: string | undefined;
  readonly #writers = new Set<string>();
  /** Processes that held the Lease, with whether it told of a stop. */
  readonly #elected = new Map<string, boolean>();

  takeLease(lease: Lease): void {
    const { holderIdentity: holder = '', renewTime = '' } = lease;
    if (holder !== '' && holder !== this.#leader) {
      const idleMs = Date.parse(renewTime) - Date.parse(this.#lease.renewTime ?? '');
      this.#elected.set(holder, !(idleMs <= QUIET_MS));
      this.#leader = holder;
    }
    this.#lease = lease;
  }

  /**
   * Takes a version of the journal by its writer. Whether that one had to take the version before for a journal that was put back:
   * it found what another process had written, although it led throughout, as every process does without an election.
   */
  takeJournal(writer: string): boolean {
    const isOthers = this.#writer !== undefined && this.#writer !== writer;
    const isDoubtful = this.#elected.get(writer) ?? true;
    const hasLed = this.#writers.has(writer);
    this.#writer = writer;
    this.#writers.add(writer);
    return isOthers && (hasLed || isDoubtful);
  }
}

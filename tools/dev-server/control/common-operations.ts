/** The operations that both servers have: on the journal, the faults and the gate. */
import type { Faults } from '../faults/faults.ts';
import type { Gate } from '../faults/gate.ts';
import type { Journal } from '../state/journal.ts';
import type { FaultRule, FaultView, JournalLine } from '../types.ts';

export interface CommonOperations<E extends JournalLine, F extends FaultRule<string>> {
  journal: (since?: number) => E[];
  clearJournal: () => void;
  waitForCall: (matches: (entry: E) => boolean, signal?: AbortSignal) => Promise<E>;
  addFault: (fault: F) => number;
  faults: () => FaultView<F>[];
  clearFaults: () => void;
  release: () => number;
}

/** The operations on this journal, these faults and this gate. */
export function commonOperations<E extends JournalLine, F extends FaultRule<string>>({
  journal,
  faults,
  gate,
}: {
  journal: Journal<E>;
  faults: Faults<F>;
  gate: Gate;
}): CommonOperations<E, F> {
  return {
    journal: (since = 0) => journal.since(since),
    clearJournal: () => journal.clear(),
    waitForCall: (matches, signal) => journal.wait(matches, signal),
    addFault: (fault) => faults.add(fault),
    faults: () => faults.views(),
    clearFaults: () => faults.clear(),
    release: () => gate.release(),
  };
}

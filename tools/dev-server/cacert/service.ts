import type { AnswerContext } from '../http/answer.ts';
import type { Faults } from '../faults/faults.ts';
import type { Journal } from '../state/journal.ts';
import type { Tasks } from '../tasks.ts';
import type { Hierarchy } from './hierarchy.ts';
import type { Member } from './members.ts';
import type { Settings } from './settings.ts';
import type { Signer } from './signer.ts';
import type { CAcertFault, CAcertJournalEntry } from './types.ts';

/** What the calls and operations of a CAcert server share. */
export interface Service {
  settings: Settings;
  members: Member[];
  hierarchy: Hierarchy;
  signer: Signer;
  journal: Journal<CAcertJournalEntry>;
  faults: Faults<CAcertFault>;
  gate: AnswerContext['gate'];
  tasks: Tasks;
  /** Unix milliseconds. */
  now: () => number;
  /** `Host` headers of the site if the settings have none. */
  ownHosts: string[];
  protocol: 'https' | 'http';
  /** Aborted when the server stops; ends every wait. */
  stopping: AbortSignal;
}

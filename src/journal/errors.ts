import { AppError } from '../lib/errors.ts';

/** The API server refused a write of the journal, and nothing was changed. `cause` is its answer. */
export class JournalRefused extends AppError {
  declare readonly code: 'JournalRefused';

  constructor(cause: Error) {
    super('JournalRefused', 'The API server refused to write the journal of attempts.', { cause });
  }
}

/** Why a term ends. */
export type EndOfTerm =
  /** The journal is not the version that this process last wrote (F2). */
  | 'changed'
  /** A write was not answered, so its outcome is unknown. */
  | 'unknown'
  /** This process does not lead at this moment. */
  | 'lease'
  /** The process stops. */
  | 'stopped';

const messages: Record<EndOfTerm, string> = {
  changed:
    'The journal of attempts was changed by somebody else; the operator reads everything again before it decides.',
  unknown:
    'A write of the journal of attempts was not answered; the operator reads everything again before it decides.',
  lease: 'This process does not lead at this moment; nothing was written to the journal of attempts.',
  stopped: 'The operator stops; nothing was written to the journal of attempts.',
};

/** The term in which something was decided is over: drop the work. Its resource is woken when the journal is ready again. */
export class TermOver extends AppError {
  declare readonly code: 'TermOver';
  readonly end: EndOfTerm;

  constructor(end: EndOfTerm) {
    super('TermOver', messages[end]);
    this.end = end;
  }
}

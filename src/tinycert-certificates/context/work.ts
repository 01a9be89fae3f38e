import type { TinyCertView } from '../../issuance/tinycert/records.ts';
import type { ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import { TerminalError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import type { Deps } from './deps.ts';
import type { Inputs } from './inputs.ts';

/** A step changed what the next decision is made from: it follows at once. Milliseconds. */
export const DECIDE_AGAIN_MS = 200;

/** One reconcile of one certificate. */
export interface Task {
  readonly deps: Deps;
  readonly inputs: Inputs;
  /** The journal with which this is decided; undefined while it is taken over. */
  readonly view: TinyCertView | undefined;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** A task that may ask the CA. */
export interface Work extends Task {
  readonly issuer: ReadyIssuer;
  readonly view: TinyCertView;
}

/**
 * The task with its issuer and the journal. The preconditions let nothing reach the CA without a ready one of each: throws a
 * `TerminalError`.
 */
export function workOf(task: Task): Work {
  const { issuer } = task.inputs;
  if (!issuer?.ready) throw new TerminalError('IssuerNotReady', 'The issuer is not ready.');
  if (!task.view) throw new TerminalError('NoJournal', 'The journal of attempts is not ready.');
  return { ...task, issuer: issuer.issuer, view: task.view };
}

/** The same task with other inputs. */
export function withInputs<T extends Task>(task: T, inputs: Partial<Inputs>): T {
  return { ...task, inputs: { ...task.inputs, ...inputs } };
}

/** The options of a call to the CA. */
export function callOptions({ deps, signal }: Pick<Task, 'deps' | 'signal'>): {
  signal: AbortSignal;
  deadlineMs: number;
} {
  return { signal, deadlineMs: deps.timing.callDeadline };
}

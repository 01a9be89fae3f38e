import { appendFileSync } from 'node:fs';

/**
 * The steps at which a process can be ended or frozen on purpose, named as the model in test/model names its steps:
 * each is the moment right after the thing happened.
 */
export type Step =
  /** A plan was made, nothing is written yet. */
  | 'decide'
  /** The attempt stands in status, nothing is asked yet. */
  | 'attempt'
  /** The first byte of cert/new or cert/reissue is about to leave; the gate is open. */
  | 'send'
  /** The CA answered with an id; nothing is stored yet. */
  | 'reply'
  /** Chain and key are fetched and checked. */
  | 'check'
  /** The Secret is written, status is not. */
  | 'secret'
  /** The result stands in status. */
  | 'result'
  /** A recovery has looked at the previous certificate, at the CA's list, at its own resource, at the cluster. */
  | 'previous'
  | 'list'
  | 'live'
  | 'cluster'
  /** What is given up stands on the issuer. */
  | 'record'
  /** A hold or revocation is about to be sent, and was confirmed. */
  | 'revoke'
  | 'revoked'
  /** A finalizer was put on, or is about to be taken off. */
  | 'finalizer'
  | 'vanish'
  /** The Secret of a key that CAcert is to certify is written, and is gone again. */
  | 'pending'
  | 'forget';

/** Whether failpoints are built in. The bundle that is shipped defines it as false, so that nothing of this is left. */
declare const FAILPOINTS: boolean | undefined;

/**
 * Marks a step. Does nothing unless the process was built with failpoints and told by its environment what to do:
 * `TINYCERT_FAILPOINT` is `STEP:kill:N` or `STEP:stop:N`, which sends SIGKILL or SIGSTOP at the Nth time, or several of
 * these joined by commas; and each step is added as a line to the file `TINYCERT_FAILPOINT_LOG`.
 */
export function failpoint(step: Step): void {
  if (typeof FAILPOINTS === 'boolean' && FAILPOINTS) reached(step);
}

const hits = new Map<Step, number>();
/** Longer than it takes the kernel to stop all threads after a signal. */
const LET_STOP_MS = 50;

function reached(step: Step): void {
  const count = (hits.get(step) ?? 0) + 1;
  hits.set(step, count);
  const { TINYCERT_FAILPOINT: orders = '', TINYCERT_FAILPOINT_LOG: file } = process.env;
  const action = dueAction(orders, step, count);
  if (file) appendFileSync(file, `${step}${action === undefined ? '' : ` ${action}`}\n`);
  if (action === undefined) return;
  process.kill(process.pid, action === 'stop' ? 'SIGSTOP' : 'SIGKILL');
  // The signal may reach another thread first: nothing may run on here meanwhile.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LET_STOP_MS);
}

function dueAction(orders: string, step: Step, count: number): string | undefined {
  for (const order of orders.split(',')) {
    const [wanted, action, at] = order.split(':');
    if (wanted === step && Number(at) === count) return action;
  }
  return undefined;
}

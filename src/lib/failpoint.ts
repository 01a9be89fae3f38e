import { appendFileSync } from 'node:fs';

/**
 * The steps at which a process can be killed or stopped on purpose, named like the steps of the model in test/model.
 */
export type Step =
  /** The plan is made; nothing is written yet. */
  | 'decide'
  /** The attempt is on record; the CA is not called yet. */
  | 'attempt'
  /** The first byte of cert/new or cert/reissue is about to leave; the send gate is open. */
  | 'send'
  /** The CA answered with an id; nothing is stored yet. */
  | 'reply'
  /** Chain and key were fetched and checked. */
  | 'check'
  /** The Secret is written; status is not. */
  | 'secret'
  /** The result is in status. */
  | 'result'
  /** A recovery has read the previous certificate, the CA's list, its own resource, the resources of the cluster. */
  | 'previous'
  | 'list'
  | 'live'
  | 'cluster'
  /** A hold or revocation is about to be sent (`revoke`), or was confirmed (`revoked`). */
  | 'revoke'
  | 'revoked'
  /** A finalizer was added (`finalizer`), or is about to be removed (`vanish`). */
  | 'finalizer'
  | 'vanish'
  /** The pending Secret with a key for CAcert was written (`pending`), or was deleted (`forget`). */
  | 'pending'
  | 'forget';

/** Whether failpoints are built in. The released bundle defines it as false, which removes this code. */
declare const FAILPOINTS: boolean | undefined;

/**
 * Marks a step. Does nothing in a process without failpoints built in. `TINYCERT_FAILPOINT` is `STEP:kill:N` or
 * `STEP:stop:N`, or several of these joined by commas: the Nth time at that step, the process gets SIGKILL or SIGSTOP.
 * If `TINYCERT_FAILPOINT_LOG` names a file, each step is appended to it as a line.
 */
export function failpoint(step: Step): void {
  if (typeof FAILPOINTS === 'boolean' && FAILPOINTS) reached(step);
}

const hits = new Map<Step, number>();
/** Longer than the kernel needs to stop all threads after a signal, in milliseconds. */
const LET_STOP_MS = 50;

function reached(step: Step): void {
  const count = (hits.get(step) ?? 0) + 1;
  hits.set(step, count);
  const { TINYCERT_FAILPOINT: orders = '', TINYCERT_FAILPOINT_LOG: file } = process.env;
  const action = dueAction(orders, step, count);
  if (file) appendFileSync(file, `${step}${action === undefined ? '' : ` ${action}`}\n`);
  if (action === undefined) return;
  process.kill(process.pid, action === 'stop' ? 'SIGSTOP' : 'SIGKILL');
  // The signal may reach another thread first; nothing may run here until it reaches this one.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LET_STOP_MS);
}

function dueAction(orders: string, step: Step, count: number): string | undefined {
  for (const order of orders.split(',')) {
    const [wanted, action, at] = order.split(':');
    if (wanted === step && Number(at) === count) return action;
  }
  return undefined;
}

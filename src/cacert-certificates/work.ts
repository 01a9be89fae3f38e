import type { ReadyCAcertAccount } from '../issuance/cacert/directory.ts';
import type { ReconcileContext } from '../kube/controller/controller.ts';
import type { Deps } from './deps.ts';
import type { CAcertView } from './attempt.ts';
import type { Inputs } from './inputs.ts';

/** What the steps of one reconcile work with while they use an account. */
export interface Work extends Pick<ReconcileContext, 'signal' | 'log'> {
  deps: Deps;
  inputs: Inputs;
  /** The journal with which this was decided; undefined while it is taken over. */
  view: CAcertView | undefined;
  account: ReadyCAcertAccount;
}

/** The same for a step that does not use the account. */
export type Step = Omit<Work, 'account'>;

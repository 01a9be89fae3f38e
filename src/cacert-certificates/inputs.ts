import type { CAcertCertificate } from '../api/kinds.ts';
import type { CAcertAccountState } from '../issuance/cacert/directory.ts';
import type { CertificateInputs } from '../issuance/decide/inputs.ts';
import type { OpenAttempt } from './attempt.ts';
import type { PendingView } from './pending-keys.ts';

/** Everything that a decision is based on. */
export interface Inputs extends CertificateInputs<CAcertCertificate> {
  accountKey: string;
  /** Undefined while this process has not checked it. */
  account: CAcertAccountState | undefined;
  /** Whether the account resource exists. */
  accountExists: boolean;
  /** The key whose certificate has not arrived yet. */
  pending: PendingView;
  /** Whether the journal is ready, so that `attempt` is known. */
  hasJournal: boolean;
  /** The attempt without a result, and what this process remembers of it: in particular an answer that is not stored yet. */
  attempt: OpenAttempt | undefined;
}

import type { CAcertCertificate } from '../api/kinds.ts';
import type { AttemptKnowledge } from '../issuance/attempt/memory.ts';
import type { CAcertAccountState } from '../issuance/cacert/directory.ts';
import type { CertificateInputs } from '../issuance/decide/inputs.ts';
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
  /** What this process remembers about an open attempt, in particular an answer that is not stored yet. */
  attempt: AttemptKnowledge<string> | undefined;
}

import type { CAcertCertificate } from '../api/kinds.ts';
import type { AttemptKnowledge } from '../issuance/attempt/memory.ts';
import type { CAcertAccountState } from '../issuance/cacert/directory.ts';
import type { CertificateInputs } from '../issuance/decide/inputs.ts';
import type { PendingView } from './pending-keys.ts';

/** All that a decision is made from. */
export interface Inputs extends CertificateInputs<CAcertCertificate> {
  accountKey: string;
  /** Undefined as long as this process has not checked it. */
  account: CAcertAccountState | undefined;
  /** Whether there is such a resource. */
  accountExists: boolean;
  /** The key whose certificate has not come yet. */
  pending: PendingView;
  /** What this process remembers of an open attempt; a certificate that nobody has stored yet, above all. */
  attempt: AttemptKnowledge<string> | undefined;
}

import type { TinyCertCertificate } from '../api/kinds.ts';
import type { HeldCertificate } from '../issuance/inspect.ts';
import type { IssuerState } from '../issuance/issuer-directory.ts';
import type { Observation } from '../issuance/observations.ts';
import type { Secret } from '../kube/objects.ts';
import type { Names } from '../x509/names.ts';

/** The certificate's Secret, as far as it had to be looked at. */
export type SecretView =
  /** Its watched version is the one in status: nothing changed, nothing was read. */
  | { state: 'unchanged'; metadata: Secret['metadata'] }
  | { state: 'absent' }
  /** There is one that is not ours, or that cannot be written. */
  | { state: 'foreign'; reason: 'SecretNotOwned' | 'SecretImmutable'; message: string }
  /** Ours, and not as status has it. `held` is what it holds, if that is whole. */
  | {
      state: 'changed';
      metadata: Secret['metadata'];
      held: HeldCertificate | undefined;
      hasMetadata: boolean;
    };

/** What this process remembers of an open attempt. */
export interface AttemptKnowledge {
  /** Nothing of the attempt can happen any more from this moment on, on the monotonic clock. */
  quietAt: number;
  unsent: boolean;
  /** A recovery has looked already, and found nothing. */
  isFruitless?: boolean | undefined;
  /** The id the CA answered, if this process heard it. */
  certificateId?: number | undefined;
}

/** What the account's gate says. */
export interface Turn {
  /** The account is stopped, and it is not this certificate's turn to try whether it works again. */
  held: boolean;
  /** A rate limit lasts. */
  paused: boolean;
  /** Nothing is known yet to work again, so that what is done now is not worth a word. */
  onTrial: boolean;
  /** The breaker's epoch in which the work began. */
  epoch: number;
}

/** All that a decision is made from. */
export interface Inputs {
  certificate: TinyCertCertificate;
  names: Names;
  specHash: string;
  /** Whether the installed CRDs know all that has to be written. */
  crdsFit: boolean;
  issuerKey: string;
  /** Undefined as long as this process has not checked it. */
  issuer: IssuerState | undefined;
  /** Whether there is such a resource. */
  issuerExists: boolean;
  /** Another, older certificate of the namespace that has the same `secretName`. */
  elder: string | undefined;
  secret: SecretView;
  /** Whether status carries the account's seal; undefined while there is no account to ask. */
  sealed: boolean | undefined;
  attempt: AttemptKnowledge | undefined;
  /** What the CA's list says of the certificate that status does not. */
  observed: Observation | undefined;
  turn: Turn;
  /** Wall clock, milliseconds since the epoch. */
  now: number;
  /** Monotonic clock, milliseconds. */
  monotonic: number;
}

/** Why something is needed, or why it cannot be done: a reason for machines and a sentence for people. */
export interface Reason {
  reason: string;
  message: string;
}

/** A certificate that exists at the CA and is to be served. */
export interface Conclusion {
  certificateId: number;
  /** How it came to be, for the metrics; `republished` if it is the one in status already. */
  outcome: 'success' | 'adopted' | 'republished';
}

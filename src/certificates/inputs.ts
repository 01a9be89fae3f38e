import type { TinyCertCertificate } from '../api/kinds.ts';
import type { SecretView } from '../issuance/certificate-secrets.ts';
import type { IssuerState } from '../issuance/issuer-directory.ts';
import type { Observation } from '../issuance/observations.ts';
import type { Names } from '../x509/names.ts';

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
  /** Another, older resource of the namespace that has the same `secretName`, as `kind name`. */
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

/** A certificate that exists at the CA and is to be served. */
export interface Conclusion {
  certificateId: number;
  /** How it came to be, for the metrics; `republished` if it is the one in status already. */
  outcome: 'success' | 'adopted' | 'republished';
}

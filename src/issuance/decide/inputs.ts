import type { SecretView } from '../secret/certificate-secrets.ts';
import type { CertificateResource } from '../certificate-kind.ts';
import type { Reason } from '../../lib/reason.ts';

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

/** What every decision about a certificate is made from, of whatever kind it is. */
export interface CertificateInputs<T extends CertificateResource = CertificateResource> {
  certificate: T;
  specHash: string;
  /** Whether the installed CRDs know all that has to be written. */
  crdsFit: boolean;
  /** Another, older resource of the namespace that has the same `secretName`, as `kind name`. */
  elder: string | undefined;
  secret: SecretView;
  turn: Turn;
  /** Wall clock, milliseconds since the epoch. */
  now: number;
  /** Monotonic clock, milliseconds. */
  monotonic: number;
}

/** What stands in the way. `until` is when to look again by itself; without it a change has to come. */
export interface Blocker extends Reason {
  until?: number;
  /** It passes by itself in a moment, so that it is not worth a write. */
  isMomentary?: true;
  /** Somebody tells when it is over: the account's gate. */
  isQueued?: true;
}

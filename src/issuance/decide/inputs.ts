import type { Reason } from '../../lib/reason.ts';
import type { CertificateResource } from '../certificate-kind.ts';
import type { SecretView } from '../secret/certificate-secrets.ts';

/** The account's gate as one certificate finds it. */
export interface GateTurn {
  /**
   * - `open`: the CA works as far as anybody knows.
   * - `trial`: this certificate may try, and nothing has succeeded since the account was stopped or paused.
   * - `paused`: the CA's rate limit has not ended.
   * - `stopped`: the breaker is open, or another certificate makes the trial.
   */
  phase: 'open' | 'trial' | 'paused' | 'stopped';
  /** The breaker's epoch in which the work began. */
  epoch: number;
}

/** The facts behind every decision about a certificate, whatever its kind. */
export interface CertificateInputs<T extends CertificateResource = CertificateResource> {
  certificate: T;
  specHash: string;
  /** Whether the installed CRDs have every field that the operator writes. */
  crdsFit: boolean;
  /** The other resource that owns the Secret this one names, as `kind name`: not always the older one (`NameClaims`). */
  elder: string | undefined;
  secret: SecretView;
  /** Why no certificate can follow the present one: the issuer or account of the spec is gone, or is about to go. */
  abandoned?: Reason | undefined;
  turn: GateTurn;
  /** Wall clock, milliseconds since the epoch. */
  now: number;
  /** Monotonic clock, milliseconds. */
  monotonic: number;
}

/** What ends a blocker: a change of some object, which is the default; the account's gate, which calls; or time. */
type Wake =
  | { wakeBy?: 'change'; until?: never }
  | { wakeBy: 'gate'; until?: never }
  | { wakeBy: 'time'; until: number };

/** Why a need cannot be met now, and what wakes the certificate again. */
export type Blocker = Reason &
  Wake & {
    /** It ends by itself within moments, so it is not worth a write. */
    isBrief?: true;
    /** The Secret that it waits for. Whoever waited for one inherits it, so status keeps that. */
    awaits?: string;
    /** Fields of the status to write with the report. */
    change?: Readonly<Record<string, unknown>>;
  };

import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { CertificateInputs } from '../../issuance/decide/inputs.ts';
import type { OpenAttempt } from '../../issuance/tinycert/attempt.ts';
import type { LossSign } from '../../issuance/tinycert/inventory/loss-signs.ts';
import type { Observation } from '../../issuance/tinycert/inventory/observations.ts';
import type { IssuerState } from '../../issuance/tinycert/issuer-directory.ts';
import type { Names } from '../../x509/names.ts';

/** The facts behind a decision about a TinyCertCertificate. */
export interface Inputs extends CertificateInputs<TinyCertCertificate> {
  names: Names;
  issuerKey: string;
  /** Undefined until this process has checked the issuer. */
  issuer: IssuerState | undefined;
  /** Whether the issuer resource exists. */
  issuerExists: boolean;
  /** Whether the API server serves the issuer's kind. */
  issuerKindInstalled: boolean;
  /** Whether status carries the account's seal; undefined while there is no account to verify it. */
  sealed: boolean | undefined;
  /** When a partial seal may be written again, in monotonic milliseconds. */
  resealAt: number | undefined;
  /** Whether the journal is ready, so that `attempt` is known. */
  hasJournal: boolean;
  /** The attempt without a result at the account of the issuer, and what this process knows of it. */
  attempt: OpenAttempt | undefined;
  /** The key in the journal of an attempt that nobody can read. */
  unreadable: string | undefined;
  /** What the CA's list reports of the certificate and status does not. */
  observed: Observation | undefined;
  /** Whether the CA has what the resource may have lost with its status; `none` unless this would be its first purchase. */
  lossSign: LossSign;
  /** How long the resource waits for an owner of that before it buys another one, in milliseconds. */
  unclaimedWaitMs: number;
}

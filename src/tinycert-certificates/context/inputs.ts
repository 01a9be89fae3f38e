import type { AttemptKnowledge } from '../../issuance/attempt/memory.ts';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { CertificateInputs } from '../../issuance/decide/inputs.ts';
import type { IssuerState } from '../../issuance/tinycert/issuer-directory.ts';
import type { Observation } from '../../issuance/tinycert/inventory/observations.ts';
import type { Names } from '../../x509/names.ts';

/** All that a decision is made from. */
export interface Inputs extends CertificateInputs<TinyCertCertificate> {
  names: Names;
  issuerKey: string;
  /** Undefined as long as this process has not checked it. */
  issuer: IssuerState | undefined;
  /** Whether there is such a resource. */
  issuerExists: boolean;
  /** Whether the API server serves the issuer's kind. */
  issuerKindInstalled: boolean;
  /** Whether status carries the account's seal; undefined while there is no account to ask. */
  sealed: boolean | undefined;
  /** What this process remembers of an open attempt. */
  attempt: AttemptKnowledge<number> | undefined;
  /** What the CA's list says of the certificate that status does not. */
  observed: Observation | undefined;
}

/** A certificate that exists at the CA and is to be served. */
export interface Publication {
  certificateId: number;
  /** How it came to be, for the metrics; `republished` if it is the one in status already. */
  outcome: 'success' | 'adopted' | 'republished';
}

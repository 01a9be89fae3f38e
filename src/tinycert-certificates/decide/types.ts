import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import type { CertificateRef } from '../../api/tinycert/identity.ts';
import type { NothingPlan, ReportPlan } from '../../issuance/decide/blockers.ts';
import type { WantedCondition } from '../../issuance/status/conditions.ts';
import type { Recording } from '../../journal/group.ts';
import type { Reason } from '../../lib/reason.ts';
import type { Inputs } from '../context/inputs.ts';

/** A status that a certificate can have at the CA. */
export type CaStatus = NonNullable<CertificateStatus['certificateStatus']>;

/** What has to be done to match the spec, and why. */
export type Need = Reason &
  (
    | { remedy: 'renew' | 'republish' | 'syncSecret' | 'updateStatus' }
    /** `givesUp`: bought for an earlier spec, it becomes a former certificate. */
    | { remedy: 'issue' | 'close'; givesUp?: CertificateRef }
    | { remedy: 'recordCaStatus'; to: CaStatus }
    | { remedy: 'adoptReissued'; candidates: readonly CertificateRef[] }
    | { remedy: 'resume' | 'take'; bought: CertificateRef }
    /** `quietAt`: monotonic milliseconds. */
    | { remedy: 'recover'; quietAt: number }
  );

/** One line of the table of needs. */
export type Policy = (inputs: Inputs) => Need | undefined;

/** A purchase: `cert/new` or `cert/reissue`. */
export interface Order {
  operation: 'New' | 'Reissue';
  why: Reason;
  /** No longer wanted: it becomes a former certificate before another one is bought. */
  givesUp?: CertificateRef;
  /** A recovery found that the attempt which this one replaces bought nothing. */
  boughtNothing?: boolean;
  /** What the resource may have bought and lost: it goes on record, and the inventory reports it. */
  unclaimed?: readonly CertificateRef[];
  /** What is put on record about the attempt that this one replaces. */
  records?: readonly Recording[];
}

/** A certificate that exists at the CA and is to be served. */
export interface Publication {
  certificate: CertificateRef;
  /** How it came about, for the metrics; `republished` if it is the certificate in status already. */
  outcome: 'success' | 'adopted' | 'republished';
  /** What is put on record when its attempt ends. */
  records?: readonly Recording[];
}

/** What to do. `act` executes it and decides nothing. */
export type Plan =
  | NothingPlan
  | ReportPlan
  /**
   * Nothing can be found out about an open attempt before `quietAt`, monotonic milliseconds. `onlyFirst`: the conditions are
   * written only if status reports nothing yet.
   */
  | { do: 'wait'; quietAt: number; conditions?: WantedCondition[]; onlyFirst?: true }
  | ({ do: 'issue' } & Order)
  /** Read what tells whether the resource has lost a certificate, then decide again. */
  | { do: 'lookForLoss' }
  /** Fetch what an attempt bought and publish it. */
  | { do: 'resume'; bought: CertificateRef; why: Reason }
  /** Take into status what an attempt bought and the Secret holds already, or end the attempt if the Secret proves nothing. */
  | { do: 'take'; bought: CertificateRef }
  /** Find out what an open attempt bought, then follow `decideAfterRecovery`. */
  | { do: 'recover' }
  /** Record the status that the CA lists for the certificate. */
  | { do: 'recordCaStatus'; to: CaStatus }
  /** Find what somebody reissued the certificate as. */
  | { do: 'adoptReissued'; candidates: readonly CertificateRef[] }
  /** End an attempt of which nothing is wanted any more. */
  | { do: 'close'; givesUp?: CertificateRef }
  /** Fetch the same certificate again and publish it. */
  | { do: 'republish'; why: Reason }
  /** Restore labels, annotations and owners of a Secret whose content is sound. */
  | { do: 'syncSecret' }
  /** Adopt the certificate that the resource's own Secret proves, or follow `decideAfterAdoption`. */
  | { do: 'adopt' }
  | { do: 'updateStatus' }
  /** Write the seal again, with both keys as they are now. */
  | { do: 'reseal' };

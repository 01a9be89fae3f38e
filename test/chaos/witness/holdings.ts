/** What a resource claims, as its status says. */
import { keysOf, type Stated } from './identity.ts';

/** What a resource has at one account. */
export interface Holding extends Stated {
  /** The attempt that the certificate came of. */
  attemptId?: string;
  seal?: string;
  formerCertificates?: Stated[];
  pendingRevocations?: (Stated & { action?: 'Hold' | 'Revoke'; notBefore?: string })[];
}

/** A condition, as far as the run reads it. */
export interface Condition {
  type: string;
  status: string;
  reason: string;
  message: string;
  observedGeneration?: number;
}

/** The part of a status with the claims of a resource. */
export interface Status extends Holding {
  /** What it has at accounts that it no longer uses. */
  formerAccounts?: Holding[];
  conditions?: Condition[];
}

/** All certificates that a status claims, at the present account and at former ones. */
export function claimedIn(status: Status): string[] {
  const { formerAccounts = [] } = status;
  return [status, ...formerAccounts].flatMap(heldIn);
}

/** How long after its time a promise may still be under way, in milliseconds of the run. */
const TO_KEEP_MS = 60_000;

/** Promises that should have been kept by now, at the present account and at former ones, in words. */
export function overdueIn(status: Status, now: number): string[] {
  const { formerAccounts = [] } = status;
  return [status, ...formerAccounts]
    .flatMap(({ pendingRevocations = [] }) => pendingRevocations)
    .filter(({ notBefore = '' }) => Date.parse(notBefore) + TO_KEEP_MS < now)
    .map(({ action, certificateId }) => `${action} of ${certificateId}`);
}

/** All certificates that a resource claims at one account. */
export function heldIn(holding: Holding): string[] {
  const { formerCertificates = [], pendingRevocations = [] } = holding;
  return keysOf([holding, ...formerCertificates, ...pendingRevocations]);
}

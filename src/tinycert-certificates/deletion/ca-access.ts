import type { Gate } from '../../account/gate/gate.ts';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import { UNREADABLE_NAME } from '../../api/readable.ts';
import { isSameCertificate } from '../../api/tinycert/identity.ts';
import type { Attempt } from '../../issuance/tinycert/attempt.ts';
import { issuerKey, type ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import type { ReconcileContext, ReconcileResult } from '../../kube/controller/controller.ts';
import { keyOf } from '../../kube/objects.ts';
import type { Reason } from '../../lib/reason.ts';
import type { Deps } from '../context/deps.ts';
import { kindNotInstalled } from '../decide/preconditions.ts';
import { revocationsOnDelete } from '../decide/revocations-due.ts';
import { STATUS_OF } from '../revocation/change-status.ts';
import { reportPending } from '../revocation/pending.ts';
import { removeFinalizer } from './finalizer.ts';

/** How the CA can be asked for a deleted resource. */
export type CaAccess =
  /** `isLast`: the issuer is gone, and this is its last session. */
  | { do: 'ask'; issuer: ReadyIssuer; isLast: boolean }
  /** The issuer exists and will be ready again; without a reason it will be in a moment. `gate` wakes the resource. */
  | { do: 'wait'; why: Reason | undefined; gate?: Gate }
  /** The issuer or its credentials are gone, and so is their last session. */
  | { do: 'release'; why: Reason };

/** The reasons of an issuer that nothing can be asked with: its credentials or trust bundle are gone, or its spec cannot be used. */
const GONE: ReadonlySet<string> = new Set(['CredentialsNotFound', 'CABundleNotFound', 'InvalidSpec']);
/** The account exists and its authority does not: what the CA answers about its certificates counts. */
const AUTHORITY_GONE = 'AuthorityNotFound';

const WORDS = { Hold: 'put on hold', Revoke: 'revoked' } as const;

/** How long a deleted resource waits for an issuer that is gone to come back. */
export const RELEASE_AFTER_MS = 600_000;

/** How the CA can be asked: through the issuer, or, if that or its credentials were deleted, through their last session. */
export function caAccessOf(deps: Deps, certificate: TinyCertCertificate): CaAccess {
  const { metadata, spec } = certificate;
  const { kind, name } = spec.issuerRef;
  const key = issuerKey(spec.issuerRef, metadata.namespace);
  const state = deps.directory.get(key);
  const notReady = {
    reason: 'IssuerNotReady',
    message: `${kind} ${name} is not ready; its own conditions say why. Its holds and revocations are done as soon as it is ready; this resource is removed after that.`,
  };
  if (state?.ready) {
    deps.revocationRetries.accessRestored(metadata.uid ?? '');
    const { gate } = state.issuer.account;
    if (gate.isStoppedFor(keyOf(certificate))) return { do: 'wait', why: notReady, gate };
    return { do: 'ask', issuer: state.issuer, isLast: false };
  }
  if (!state && !deps.issuerKindInstalled(key)) return { do: 'wait', why: kindNotInstalled(certificate) };
  if (!state && deps.issuerExists(key)) return { do: 'wait', why: undefined };
  const issuer = deps.lastSessions.get(key);
  if (issuer && (!state || GONE.has(state.reason) || state.reason === AUTHORITY_GONE))
    return { do: 'ask', issuer, isLast: true };
  if (state && !GONE.has(state.reason)) return { do: 'wait', why: notReady };
  return { do: 'release', why: state ? { reason: state.reason, message: state.message } : noIssuer(spec) };
}

function noIssuer({ issuerRef: { kind, name } }: TinyCertCertificate['spec']): Reason {
  return name === UNREADABLE_NAME
    ? { reason: 'InvalidSpec', message: 'spec.issuerRef cannot be read.' }
    : { reason: 'IssuerNotFound', message: `There is no ${kind} ${name}.` };
}

/**
 * Removes the finalizer of a deleted resource without its holds and revocations, once there has been no access to the CA for ten minutes. It is
 * reported where it can still be read: in the log, in a metric, and in an event in the operator's own namespace.
 */
export async function releaseUnrevoked(
  deps: Deps,
  certificate: TinyCertCertificate,
  { why: { reason, message }, attempt }: { why: Reason; attempt: Attempt | undefined },
  { signal, log }: ReconcileContext,
): Promise<ReconcileResult> {
  const { metadata, spec, status } = certificate;
  const uid = metadata.uid ?? '';
  const left = RELEASE_AFTER_MS - deps.revocationRetries.withoutAccess(uid, deps.clock.monotonic());
  if (left > 0) {
    const said = `${message} No issuer or session is left to reach TinyCert with. This resource is removed ten minutes after that was first found, and its certificates keep their status. Set onDelete to None to remove it at once.`;
    await reportPending(deps, certificate, { reason, message: said }, signal);
    return { requeueAfterMs: left };
  }
  const unrevoked = revocationsOnDelete(spec, status).map(({ certificate: ref, action }) => {
    const { certificateId } = ref;
    const serialNumber = isSameCertificate(ref, status) ? status?.serialNumber : undefined;
    const facts = { ...ref, serialNumber, action };
    log.error(facts, 'A certificate is given up without the hold or revocation that was due');
    deps.metrics.revocations.inc({ status: STATUS_OF[action], outcome: 'released' });
    return `${certificateId}${serialNumber === undefined ? '' : ` (serial number ${serialNumber})`}, to be ${WORDS[action]}`;
  });
  if (attempt) {
    log.error({ attempt }, 'An attempt is given up; a certificate that it may have bought keeps its status');
    unrevoked.push(`with an id above ${attempt.afterId}, if an attempt without a result bought one`);
  }
  const of = `authority ${status?.authorityId ?? 'unknown'}, resource ${metadata.namespace}/${metadata.name}`;
  if (unrevoked.length > 0) {
    deps.warnOperator(
      'RevocationAbandoned',
      `Certificate ${unrevoked.join('; certificate ')}; ${of}: given up with its present status. ${message}`,
    );
  }
  await removeFinalizer(deps, certificate, signal);
  return {};
}

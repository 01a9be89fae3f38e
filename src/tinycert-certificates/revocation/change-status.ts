import type { Ticket } from '../../account/gate/parking.ts';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import { type CertificateRef, certificateKey } from '../../api/tinycert/identity.ts';
import { sendGate } from '../../issuance/attempt/send-gate.ts';
import { TurnAwaited } from '../../issuance/decide/gate-turn.ts';
import { currentClaimsOf } from '../../issuance/tinycert/claims.ts';
import { idAt } from '../../issuance/tinycert/lookup.ts';
import type { ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import { orGone } from '../../issuance/tinycert/lookup.ts';
import { instant } from '../../lib/clock.ts';
import { AppError } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoint.ts';
import { type SettableStatus, TinyCertError } from '../../tinycert/index.ts';
import type { Deps } from '../context/deps.ts';
import { callOptions, type Work } from '../context/work.ts';
import type { StatusAtCa } from '../context/revocation-retries.ts';

/** Whether nothing can be done with a certificate any more: nobody adopts it, and no deletion revokes it again. */
export function isAtEnd(outcome: StatusAtCa | 'claimed' | undefined): boolean {
  return outcome === 'revoked' || outcome === 'gone';
}

/** The status that each action, or each value of `desiredStatus`, gives a certificate. */
export const STATUS_OF = { Good: 'good', Hold: 'hold', Revoke: 'revoked', Revoked: 'revoked' } as const;

/**
 * Runs all changes of status of one resource in one turn at the account's gate. A turn for each would wake the resource again
 * after the first, for ever: during a trial one call of the gate is one turn. Rejects as `run` does, or with `TurnAwaited` if
 * the gate has no place now. Without a ticket the gate is skipped: nothing signals the recovery of an account whose issuer is
 * gone.
 */
export async function inOneTurn<T>(
  { account: { gate } }: ReadyIssuer,
  ticket: Ticket | undefined,
  run: () => Promise<T>,
): Promise<T> {
  const permit = ticket && gate.enter(ticket);
  if (ticket && !permit) throw new TurnAwaited();
  try {
    return await run();
  } finally {
    permit?.release();
  }
}

/** The CA accepted a change of status, and the certificate does not have that status. */
export class StatusNotConfirmed extends AppError {
  constructor() {
    super(
      'StatusNotConfirmed',
      'TinyCert accepted the change of status, but its details of the certificate show another status. If this lasts, check whether a proxy or a cache in front of TinyCert answers in its place.',
    );
  }
}

type Access = Pick<Work, 'deps' | 'issuer' | 'signal'>;

/**
 * Gives a certificate a status at the CA and resolves with the status it has then, by the CA's own answer. It never lifts a
 * revocation, whoever made it, and leaves expired and replaced certificates as they are. It may be repeated. Rejects with a
 * `TinyCertError` or `StatusNotConfirmed`, after which nothing is certain, or with `SendRefused`.
 */
export async function changeStatus(
  access: Access,
  certificate: CertificateRef,
  wanted: SettableStatus,
): Promise<StatusAtCa> {
  const { metrics } = access.deps;
  try {
    const status = await change(access, certificate, wanted);
    metrics.revocations.inc({ status: wanted, outcome: status === wanted ? 'success' : 'moot' });
    return status;
  } catch (error) {
    metrics.revocations.inc({ status: wanted, outcome: 'failure' });
    throw error;
  }
}

async function change(
  access: Access,
  certificate: CertificateRef,
  wanted: SettableStatus,
): Promise<StatusAtCa> {
  const { deps, issuer } = access;
  const id = idAt(issuer.account, certificate);
  // A revocation needs no read before it: it is right whatever the status is.
  if (wanted !== 'revoked') {
    const before = await statusAtCa(access, id);
    if (isSettled(before, wanted)) return before;
  }
  const { clock, leads, timing } = deps;
  const gate = sendGate({ clock, since: instant(clock), windowMs: timing.sendWindow, leads });
  const beforeSend = (): void => {
    failpoint('revoke');
    gate();
  };
  let refusal: TinyCertError | undefined;
  try {
    const options = { ...callOptions(access), beforeSend };
    await issuer.account.client.setCertificateStatus(id, wanted, options);
    failpoint('revoked');
  } catch (error) {
    if (!(error instanceof TinyCertError)) throw error;
    if (error.kind !== 'not-found' && error.kind !== 'input') throw error;
    refusal = error;
  }
  // The body of a success is not documented, so what the certificate shows afterwards is the only proof.
  const after = await statusAtCa(access, id);
  if (isSettled(after, wanted)) return after;
  throw refusal ?? new StatusNotConfirmed();
}

/** Whether a status is the wanted one, or one that must not or cannot be changed any more. */
function isSettled(status: StatusAtCa, wanted: SettableStatus): boolean {
  return status === wanted || (status !== 'good' && status !== 'hold');
}

async function statusAtCa(access: Access, id: number): Promise<StatusAtCa> {
  const { client } = access.issuer.account;
  const details = await orGone(() => client.getCertificateDetails(id, callOptions(access)));
  if (!details) return 'gone';
  if (details.status !== 'unknown') return details.status;
  throw new TinyCertError('ProtocolError', {
    call: 'cert/details',
    detail: 'TinyCert reports a status that the operator does not know.',
  });
}

/**
 * Which of these certificates another resource claims, by a live list (`revokeUnclaimed`): they are never held or revoked.
 * Rejects with an `ApiError`.
 */
export async function claimedByOthers(
  deps: Pick<Deps, 'listCertificates'>,
  certificate: TinyCertCertificate,
  asked: readonly CertificateRef[],
  signal: AbortSignal,
): Promise<CertificateRef[]> {
  if (asked.length === 0) return [];
  const { uid } = certificate.metadata;
  const claimed = new Set<string>();
  for (const { metadata, status } of await deps.listCertificates(signal)) {
    if (metadata.uid !== uid) for (const claim of currentClaimsOf(status)) claimed.add(certificateKey(claim));
  }
  return asked.filter((each) => claimed.has(certificateKey(each)));
}

/** Warns of certificates that are neither held nor revoked because another resource claims them. */
export function warnOfClaimed(
  deps: Pick<Deps, 'warn'>,
  certificate: TinyCertCertificate,
  claimed: readonly CertificateRef[],
): void {
  if (claimed.length === 0) return;
  const ids = claimed.map(({ certificateId }) => certificateId);
  const message = `Certificate ${ids.join(', ')} is claimed by another resource and stays as it is.`;
  deps.warn(certificate, 'ClaimedByAnother', message);
}

import type { Ticket } from '../../account/gate/parking.ts';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import { sendGate } from '../../issuance/attempt/send-gate.ts';
import { TurnAwaited } from '../../issuance/decide/gate-turn.ts';
import { currentClaimsOf } from '../../issuance/tinycert/claims.ts';
import type { ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import { instant } from '../../lib/clock.ts';
import { failpoint } from '../../lib/failpoint.ts';
import { type SettableStatus, TinyCertError } from '../../tinycert/index.ts';
import type { Deps } from '../context/deps.ts';
import { callOptions, type Work } from '../context/work.ts';
import type { CaStatus } from '../decide/types.ts';

/** The status that a certificate turned out to have; `gone` if the CA no longer has it. */
export type StatusAtCa = CaStatus | 'gone';

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

type Access = Pick<Work, 'deps' | 'issuer' | 'signal'>;

/**
 * Gives a certificate a status at the CA and resolves with the status it has then, by the CA's own answer. It never lifts a
 * revocation, whoever made it, and leaves expired and replaced certificates as they are. It may be repeated. Rejects with a
 * `TinyCertError`, after which nothing is certain, or with `SendRefused`.
 */
export async function changeStatus(
  access: Access,
  certificateId: number,
  wanted: SettableStatus,
): Promise<StatusAtCa> {
  const { metrics } = access.deps;
  try {
    const status = await change(access, certificateId, wanted);
    metrics.revocations.inc({ status: wanted, outcome: status === wanted ? 'success' : 'moot' });
    return status;
  } catch (error) {
    metrics.revocations.inc({ status: wanted, outcome: 'failure' });
    throw error;
  }
}

async function change(access: Access, id: number, wanted: SettableStatus): Promise<StatusAtCa> {
  const { deps, issuer } = access;
  // A revocation needs no read before it: it is right whatever the status is.
  if (wanted !== 'revoked') {
    const before = await statusAtCa(access, id);
    if (before !== 'good' && before !== 'hold') return before;
    if (before === wanted) return before;
  }
  const { clock, leads, timing } = deps;
  const gate = sendGate({ clock, since: instant(clock), windowMs: timing.sendWindow, leads });
  const beforeSend = (): void => {
    failpoint('revoke');
    gate();
  };
  try {
    const options = { ...callOptions(access), beforeSend };
    await issuer.account.client.setCertificateStatus(id, wanted, options);
  } catch (error) {
    if (!(error instanceof TinyCertError)) throw error;
    if (error.kind === 'not-found') return 'gone';
    if (error.kind !== 'input') throw error;
    const after = await statusAtCa(access, id);
    if (after === 'good' || (after === 'hold' && wanted === 'revoked')) throw error;
    return after;
  }
  failpoint('revoked');
  return wanted;
}

async function statusAtCa(access: Access, id: number): Promise<StatusAtCa> {
  try {
    const { client } = access.issuer.account;
    const { status } = await client.getCertificateDetails(id, callOptions(access));
    if (status !== 'unknown') return status;
  } catch (error) {
    if (error instanceof TinyCertError && error.kind === 'not-found') return 'gone';
    throw error;
  }
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
  ids: readonly number[],
  signal: AbortSignal,
): Promise<Set<number>> {
  if (ids.length === 0) return new Set();
  const { uid } = certificate.metadata;
  const { authorityId } = certificate.status ?? {};
  const claimed = new Set<number>();
  for (const { metadata, status } of await deps.listCertificates(signal)) {
    if (metadata.uid !== uid) for (const id of currentClaimsOf(status, authorityId)) claimed.add(id);
  }
  return new Set(ids.filter((id) => claimed.has(id)));
}

/** Warns of certificates that are neither held nor revoked because another resource claims them. */
export function warnOfClaimed(
  deps: Pick<Deps, 'warn'>,
  certificate: TinyCertCertificate,
  claimed: ReadonlySet<number>,
): void {
  if (claimed.size === 0) return;
  const message = `Certificate ${[...claimed].join(', ')} is claimed by another resource and stays as it is.`;
  deps.warn(certificate, 'ClaimedByAnother', message);
}

import type { Ticket } from '../../account/gate/parking.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import { currentClaimsOf } from '../../issuance/tinycert/claims.ts';
import { instant, sendGate } from '../../issuance/attempt/send-gate.ts';
import { failpoint } from '../../lib/failpoint.ts';
import { type SettableStatus, TinyCertError } from '../../tinycert/index.ts';
import type { Deps } from '../context/deps.ts';
import { TurnAwaited } from '../../issuance/decide/gate-turn.ts';

/** The status that a certificate turned out to have; `gone` if the CA no longer has it. */
export type StatusAtCa = NonNullable<CertificateStatus['certificateStatus']> | 'gone';

/** What each promised action makes of a certificate. */
export const STATUS_OF = { Good: 'good', Hold: 'hold', Revoke: 'revoked', Revoked: 'revoked' } as const;

/**
 * Does all changes of status that are due for one resource in one turn at the account's gate. A turn for each would call
 * the resource again after the first, for ever: while an account is on trial one call of the gate is one turn. Rejects as
 * `work` does, or with `TurnAwaited` if the gate has no place soon. Without a ticket the gate is skipped: nothing tells the
 * account of an issuer that is gone that the CA is well again.
 */
export async function inOneTurn<T>(
  { account: { gate } }: ReadyIssuer,
  ticket: Ticket | undefined,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const permit = ticket && (await gate.enter(ticket, signal));
  if (ticket && !permit) throw new TurnAwaited();
  try {
    return await work();
  } finally {
    permit?.release();
  }
}

/**
 * Gives a certificate a status at the CA and resolves with the one it has then, by the CA's own word. A revocation is
 * never lifted, whoever made it, and what has expired or was replaced stays as it is. Safe to repeat. Rejects with a
 * `TinyCertError`, after which nothing is certain, or with `SendRefused`.
 */
export async function changeStatus(
  deps: Deps,
  issuer: ReadyIssuer,
  certificateId: number,
  wanted: SettableStatus,
  signal: AbortSignal,
): Promise<StatusAtCa> {
  const { account } = issuer;
  const { clock, leads, timing, metrics } = deps;
  try {
    const status = await change();
    metrics.revocations.inc({ status: wanted, outcome: status === wanted ? 'success' : 'moot' });
    return status;
  } catch (error) {
    metrics.revocations.inc({ status: wanted, outcome: 'failure' });
    throw error;
  }

  async function change(): Promise<StatusAtCa> {
    // Only a revocation needs no look before it: whatever the status is, it is right afterwards.
    if (wanted !== 'revoked') {
      const before = await look();
      if (before !== 'good' && before !== 'hold') return before;
      if (before === wanted) return before;
    }
    const gate = sendGate({ clock, since: instant(clock), windowMs: timing.sendWindow, leads });
    const beforeSend = (): void => {
      failpoint('revoke');
      gate();
    };
    try {
      const options = { signal, deadlineMs: timing.callDeadline, beforeSend };
      await account.client.setCertificateStatus(certificateId, wanted, options);
    } catch (error) {
      if (!(error instanceof TinyCertError)) throw error;
      if (error.kind === 'not-found') return 'gone';
      if (error.kind !== 'input') throw error;
      const after = await look();
      if (after === 'good' || (after === 'hold' && wanted === 'revoked')) throw error;
      return after;
    }
    failpoint('revoked');
    return wanted;
  }

  async function look(): Promise<StatusAtCa> {
    try {
      const options = { signal, deadlineMs: timing.callDeadline };
      const { status } = await account.client.getCertificateDetails(certificateId, options);
      if (status !== 'unknown') return status;
    } catch (error) {
      if (error instanceof TinyCertError && error.kind === 'not-found') return 'gone';
      throw error;
    }
    throw new TinyCertError('ProtocolError', {
      call: 'cert/details',
      detail: 'The status of the certificate is none that is known.',
    });
  }
}

/** Of these certificates those that another resource claims, by a live list: they are never held or revoked. */
export async function claimedByOthers(
  deps: Deps,
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

import type { TinyCertCertificate } from '../../api/kinds.ts';
import { effectiveNames } from '../../api/tinycert/effective.ts';
import { authorityKey } from '../../api/tinycert/identity.ts';
import { inTurn, ticketOf } from '../../issuance/decide/gate-turn.ts';
import { claimsOf } from '../../issuance/tinycert/claims.ts';
import { issuerKey, type ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import type { TinyCertView } from '../../issuance/tinycert/records.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import type { Names } from '../../x509/names.ts';
import type { Deps } from '../context/deps.ts';
import { factsOf } from '../context/gather.ts';
import type { Inputs } from '../context/inputs.ts';
import { type Work, withInputs } from '../context/work.ts';
import { decide } from '../decide/plan.ts';
import { waitsForIssuer } from '../decide/preconditions.ts';
import { failedConditions, servedUntil } from '../decide/readiness.ts';

/**
 * Parks a certificate that would be the resource's first while the account has no room for one more. It is decided anew when its turn
 * has come, so its Secret is read once, and not before it is parked as well. Returns undefined if that is not so: what a resource has
 * already may ask for something else first.
 */
export function parkedUnread(
  deps: Deps,
  certificate: TinyCertCertificate,
  view: TinyCertView | undefined,
): ReconcileResult | undefined {
  const { spec, metadata } = certificate;
  const state = deps.directory.get(issuerKey(spec.issuerRef, metadata.namespace));
  if (!state?.ready || claimsOf(certificate.status).length > 0) return undefined;
  const { gate } = state.issuer.account;
  const lock = purchaseLock(state.issuer, effectiveNames(spec));
  const ticket = { ...ticketOf(deps, { certificate, now: deps.clock.now() }), lock };
  if (gate.admits(ticket) || deps.certificateSecrets.isWatched(certificate)) return undefined;
  const inputs: Inputs = { ...factsOf(deps, certificate, view), secret: { state: 'absent' } };
  if (inputs.turn.phase !== 'open' || decide(inputs).do !== 'issue') return undefined;
  gate.park(ticket);
  return {};
}

/** One at a time buys for an authority and a common name, since recovery tells certificates apart by these two. */
export function purchaseLock({ authority }: ReadyIssuer, { commonName }: Pick<Names, 'commonName'>): string {
  return `${authorityKey(authority)}\n${commonName}`;
}

/**
 * Runs `run` if the gate admits the certificate now; `lock` is what no other certificate may work on meanwhile. If it is parked
 * at a stopped account, its conditions report that.
 */
export async function atGate(
  work: Work,
  run: (work: Work) => Promise<ReconcileResult>,
  lock?: string,
): Promise<ReconcileResult> {
  const { deps, inputs, issuer, signal } = work;
  const ticket = { ...ticketOf(deps, inputs), ...(lock === undefined ? {} : { lock }) };
  return inTurn(issuer.account.gate, ticket, inputs, {
    work: (present) => run(withInputs(work, present)),
    parked: async (isStopped) => {
      const { certificate } = inputs;
      if (isStopped) {
        const conditions = failedConditions(inputs, waitsForIssuer(certificate));
        await deps.statuses.writeNews({ certificate, conditions, signal });
      }
      return { requeueAt: servedUntil(inputs) };
    },
  });
}

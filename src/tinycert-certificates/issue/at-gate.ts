import { inTurn, ticketOf } from '../../issuance/decide/gate-turn.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { type Work, withInputs } from '../context/work.ts';
import { waitsForIssuer } from '../decide/preconditions.ts';
import { failedConditions, servedUntil } from '../decide/readiness.ts';

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

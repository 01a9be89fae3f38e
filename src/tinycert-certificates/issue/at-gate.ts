import { inTurn, ticketOf } from '../../issuance/decide/gate-turn.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { type Work, withInputs } from '../context/work.ts';
import { waitsForIssuer } from '../decide/preconditions.ts';
import { failedConditions, servedUntil } from '../decide/readiness.ts';

/** Runs `run` in the certificate's turn at the gate. If it is parked at a stopped account, its conditions report that. */
export async function atGate(
  work: Work,
  run: (work: Work) => Promise<ReconcileResult>,
): Promise<ReconcileResult> {
  const { deps, inputs, issuer, signal } = work;
  return inTurn(issuer.account.gate, ticketOf(deps, inputs), inputs, signal, {
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

import type { ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import { inTurn, ticketOf } from '../../issuance/decide/gate-turn.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { failedConditions, servedUntil } from '../decide/plan.ts';
import type { Deps } from '../context/deps.ts';
import { waitsForIssuer } from '../decide/preconditions.ts';
import type { Inputs } from '../context/inputs.ts';

/** Works against the CA in turn (`inTurn`). A certificate that is parked at a stopped account says so. */
export async function atGate(
  deps: Deps,
  inputs: Inputs,
  { account: { gate } }: ReadyIssuer,
  signal: AbortSignal,
  work: (inputs: Inputs) => Promise<ReconcileResult>,
): Promise<ReconcileResult> {
  const parked = async (isHeld: boolean): Promise<ReconcileResult> => {
    const { certificate } = inputs;
    if (isHeld) {
      const conditions = failedConditions(inputs, waitsForIssuer(certificate));
      await deps.statuses.writeNews({ certificate, conditions, signal });
    }
    return { requeueAt: servedUntil(inputs) };
  };
  return inTurn(gate, ticketOf(deps, inputs), inputs, signal, { work, parked });
}

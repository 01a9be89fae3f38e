import type { Reason } from '../../lib/reason.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import type { ReconcileContext, ReconcileResult } from '../../kube/controller/controller.ts';
import { keyOf } from '../../kube/objects.ts';
import type { SettableStatus } from '../../tinycert/index.ts';
import { changeStatus, claimedByOthers, inOneTurn, STATUS_OF, type StatusAtCa } from './change-status.ts';
import type { Deps } from '../context/deps.ts';
import { type DueRevocations, revocationsDue } from '../decide/revocations-due.ts';
import type { Inputs } from '../context/inputs.ts';
import { afterFailedRevocation, pendingConditions, reportPending, saysPending } from './pending.ts';
import { record, type StatusChange } from '../status/record.ts';
import { ticketOf } from '../../issuance/decide/gate-turn.ts';

/** How things are afterwards, and when to look again. */
export interface Kept {
  inputs: Inputs;
  result: ReconcileResult;
}

/**
 * Does at the CA what is due for a resource that stays: holds and revokes replaced certificates whose time has come, and
 * gives the present one the status that the spec has come to ask for. One write says all that was done. Beside the plan
 * for the certificate, which neither waits for it nor holds it up.
 */
export async function revokeDue(deps: Deps, inputs: Inputs, context: ReconcileContext): Promise<Kept> {
  const { issuer, certificate, sealed } = inputs;
  const { signal, log } = context;
  if (!issuer?.ready || certificate.spec.suspend) return { inputs, result: {} };
  if (sealed === false && certificate.status?.pendingRevocations) return withWord(SEAL_BROKEN, {});
  const duties = revocationsDue(inputs);
  if (!duties) {
    return saysPending(certificate) ? withWord(undefined, {}) : { inputs, result: {} };
  }
  const uid = certificate.metadata.uid ?? '';
  const waits = deps.revocationRetries.waits(uid, deps.clock.monotonic());
  if (waits > 0) return { inputs, result: { requeueAfterMs: waits } };
  if (inputs.turn.held) {
    issuer.issuer.account.gate.park(ticketOf(deps, inputs));
    return { inputs, result: {} };
  }

  const done = new Map<number, Outcome>();
  let failure: ReturnType<typeof afterFailedRevocation> | undefined;
  try {
    await carryOut(deps, inputs, issuer.issuer, duties, done, signal);
    deps.revocationRetries.forget(uid);
  } catch (error) {
    const asked = {
      uid,
      key: keyOf(certificate),
      issuerKey: inputs.issuerKey,
      issuer: issuer.issuer,
      isLast: false,
    };
    failure = afterFailedRevocation(deps, asked, error, signal);
  }
  const { why, result = {} } = failure ?? {};
  const change = changeAfter(inputs, duties, done);
  if (!change) return why ? withWord(why, result) : { inputs: asIs(certificate), result };
  const written = await record(deps, {
    certificate,
    change,
    ...(failure && !why ? {} : pendingConditions(why)),
    sealer: issuer.issuer.account,
    signal,
  });
  log.info({ done: Object.fromEntries(done) }, 'Changed the status of certificates as was promised');
  return { inputs: asIs(written), result };

  /** With the resource as it is now, and the issuer, which a fault may have been found of. */
  function asIs(now: TinyCertCertificate): Inputs {
    return { ...inputs, certificate: now, issuer: deps.directory.get(inputs.issuerKey) };
  }

  async function withWord(said: Reason | undefined, then: ReconcileResult): Promise<Kept> {
    const now = said
      ? await reportPending(deps, certificate, said, signal)
      : await deps.statuses.writeNews({ certificate, ...pendingConditions(undefined), signal });
    return { inputs: asIs(now), result: then };
  }
}

const SEAL_BROKEN: Reason = {
  reason: 'SealBroken',
  message:
    'The status was changed by somebody else or the API key was replaced, so that the ids in it are not believed and no replaced certificate is held or revoked on their word. Look at TinyCert whether some are left.',
};

type Outcome = StatusAtCa | 'claimed';

async function carryOut(
  deps: Deps,
  inputs: Inputs,
  issuer: ReadyIssuer,
  { pending, desired }: DueRevocations,
  done: Map<number, Outcome>,
  signal: AbortSignal,
): Promise<void> {
  const { certificate } = inputs;
  const { certificateId: own, attempt } = certificate.status ?? {};
  const ids = pending.map(({ certificateId }) => certificateId);
  const meant = desired && own !== undefined ? [own] : [];
  const claimed = await claimedByOthers(deps, certificate, [...ids, ...meant], signal);
  for (const id of claimed) done.set(id, 'claimed');
  if (claimed.size > 0) {
    const message = `Certificate ${[...claimed].join(', ')} is claimed by another resource and stays as it is.`;
    deps.warn(certificate, 'ClaimedByAnother', message);
  }
  const due: { id: number; wanted: SettableStatus }[] = [];
  for (const { certificateId: id, action } of pending) {
    if (claimed.has(id)) continue;
    // What the resource has come to hold again was not replaced after all.
    if (id === own || id === attempt?.certificateId) done.set(id, 'good');
    else due.push({ id, wanted: STATUS_OF[action] });
  }
  if (desired && own !== undefined && !claimed.has(own)) due.push({ id: own, wanted: STATUS_OF[desired] });
  if (due.length === 0) return;
  await inOneTurn(issuer, ticketOf(deps, inputs), signal, async () => {
    for (const { id, wanted } of due) done.set(id, await changeStatus(deps, issuer, id, wanted, signal));
  });
}

/** What status says of all that was done; undefined if nothing was. */
function changeAfter(
  { certificate: { spec, status } }: Inputs,
  { pending, desired }: DueRevocations,
  done: ReadonlyMap<number, Outcome>,
): StatusChange | undefined {
  const { certificateId = 0, pendingRevocations = [] } = status ?? {};
  const isOver = new Set(pending.map((each) => each.certificateId).filter((id) => done.has(id)));
  const left = pendingRevocations.filter((each) => !isOver.has(each.certificateId));
  const own = done.get(certificateId);
  // Good for a certificate that turns out to be revoked is observed once another one has taken its place.
  const isObserved = own !== undefined && !(desired === 'Good' && own === 'revoked');
  const change: StatusChange = {
    ...(isOver.size > 0 ? { pendingRevocations: left.length > 0 ? left : null } : {}),
    ...(desired === null ? { observedDesiredStatus: null } : {}),
    ...(desired && isObserved ? { observedDesiredStatus: spec.desiredStatus } : {}),
    ...(desired && isStatus(own) ? { certificateStatus: own } : {}),
  };
  return Object.keys(change).length === 0 ? undefined : change;
}

function isStatus(found: Outcome | undefined): found is NonNullable<CertificateStatus['certificateStatus']> {
  return found !== undefined && found !== 'claimed' && found !== 'gone';
}

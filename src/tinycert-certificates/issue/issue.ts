import type { Reason } from '../../lib/reason.ts';
import { newAttempt } from '../../issuance/tinycert/attempt.ts';
import type { AuthorityMaterial, ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import { type Request, requestOf } from '../../issuance/tinycert/request.ts';
import { instant, type Instant, sendGate } from '../../issuance/attempt/send-gate.ts';
import { datesOf } from '../../issuance/tinycert/purchase-dates.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { isConflict } from '../../kube/errors.ts';
import { failpoint } from '../../lib/failpoint.ts';
import type { AlternativeName } from '../../tinycert/index.ts';
import type { Names } from '../../x509/names.ts';
import { conclude } from './publish.ts';
import { workingConditions } from '../decide/plan.ts';
import type { Deps } from '../context/deps.ts';
import { afterFailedCall } from './failure.ts';
import type { Inputs } from '../context/inputs.ts';
import { record } from '../status/record.ts';
import { atGate } from './at-gate.ts';

export interface Order {
  operation: 'New' | 'Reissue';
  why: Reason;
  /** What an earlier attempt bought and nobody wants any more: it becomes a former certificate in the same write. */
  givesUp?: number;
}

/**
 * Buys one certificate: attempt, send gate, reply (rules 2 to 4). It waits for its turn before the attempt is written,
 * so that the time between the attempt and the first byte is never spent in a queue.
 */
export async function issue(
  deps: Deps,
  inputs: Inputs,
  issuer: ReadyIssuer,
  order: Order,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { account, authority } = issuer;
  const material = await issuer.material();
  return account.locks.run(
    `${authority.id}\n${inputs.names.commonName}`,
    () =>
      atGate(deps, inputs, issuer, signal, (present) => buy(deps, present, issuer, material, order, signal)),
    signal,
  );
}

async function buy(
  deps: Deps,
  inputs: Inputs,
  issuer: ReadyIssuer,
  material: AuthorityMaterial,
  order: Order,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const since = instant(deps.clock);
  const { status } = inputs.certificate;
  const request = requestOf(inputs.certificate, issuer, material);
  // A seal over ids that somebody else may have written would make them ours: they are neither built on nor sealed.
  const isForged = inputs.sealed === false && order.operation === 'New';
  const attempt = newAttempt(
    {
      operation: order.operation,
      request,
      specHash: inputs.specHash,
      reason: order.why.reason,
      previousId: status?.certificateId,
      afterId: issuer.account.highestId(issuer.authority.id) ?? 0,
      dates: datesOf(since.wall, deps.timing, issuer.account.client.clockOffset()),
    },
    isForged ? undefined : status,
    deps.holder,
    since.wall,
  );
  // From here on a lost answer, of the API server or of the CA, leaves an attempt of which this process knows the worst.
  deps.attempts.prepared(attempt.id, since.monotonic);
  const certificate = await record(deps, {
    certificate: inputs.certificate,
    change: { attempt, ...(isForged && status?.certificateId !== undefined ? withoutIds : {}) },
    conditions: workingConditions(inputs, order.why),
    givesUp: order.givesUp,
    sealer: issuer.account,
    signal,
  }).catch((error: unknown) => {
    if (isConflict(error)) deps.attempts.forget(attempt.id);
    throw error;
  });
  failpoint('attempt');
  if (status?.attempt) deps.attempts.forget(status.attempt.id);
  const attempted = { ...inputs, certificate };
  let certificateId: number;
  try {
    certificateId = await send(deps, attempted, issuer, request, order.operation, since, signal);
  } catch (error) {
    return afterFailedCall(deps, attempted, issuer, attempt, error, signal);
  }
  failpoint('reply');
  deps.attempts.bought(attempt.id, since.monotonic, certificateId);
  issuer.account.noteId(issuer.authority.id, certificateId);
  return conclude(deps, attempted, issuer, { certificateId, outcome: 'success' }, signal);
}

const withoutIds = { certificateId: null, authorityId: null } as const;

function send(
  deps: Deps,
  inputs: Inputs,
  { account }: ReadyIssuer,
  { authorityId, names, subject }: Request,
  operation: Order['operation'],
  since: Instant,
  signal: AbortSignal,
): Promise<number> {
  const { certificate } = inputs;
  const { clock, leads, timing } = deps;
  const { id = '', previousId } = certificate.status?.attempt ?? {};
  const gate = sendGate({ clock, since, windowMs: timing.sendWindow, leads });
  const options = {
    signal,
    deadlineMs: timing.callDeadline,
    beforeSend: () => {
      failpoint('send');
      gate();
      deps.attempts.sent(id);
    },
  };
  if (operation === 'Reissue' && previousId !== undefined) {
    return account.client.reissueCertificate(previousId, options);
  }
  const { country = '', organization = '', ...rest } = subject;
  return account.client.createCertificate(
    {
      authorityId,
      subject: { ...rest, commonName: names.commonName, country, organization },
      alternativeNames: alternativeNames(names),
    },
    options,
  );
}

function alternativeNames(names: Names): AlternativeName[] {
  const of = (type: AlternativeName['type'], values: readonly string[]): AlternativeName[] =>
    values.map((value) => ({ type, value }));
  return [
    ...of('DNS', names.dns),
    ...of('IP', names.ip),
    ...of('URI', names.uri),
    ...of('email', names.email),
  ];
}

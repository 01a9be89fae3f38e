import { type Instant, instant, sendGate } from '../../issuance/attempt/send-gate.ts';
import { newAttempt } from '../../issuance/tinycert/attempt.ts';
import type { AuthorityMaterial } from '../../issuance/tinycert/issuer-directory.ts';
import { datesOf } from '../../issuance/tinycert/purchase-dates.ts';
import { type Request, requestOf } from '../../issuance/tinycert/request.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { isConflict } from '../../kube/errors.ts';
import { failpoint } from '../../lib/failpoint.ts';
import type { AlternativeName } from '../../tinycert/index.ts';
import type { Names } from '../../x509/names.ts';
import { callOptions, type Work, withInputs } from '../context/work.ts';
import { workingConditions } from '../decide/readiness.ts';
import type { Order } from '../decide/types.ts';
import { record } from '../status/record.ts';
import { atGate } from './at-gate.ts';
import { afterFailedCall } from './failure.ts';
import { publish } from './publish.ts';

/**
 * Buys one certificate: attempt, send gate, reply (`attemptBeforeCall`, `sendGate`). It waits for its turn before it writes
 * the attempt, so the time between the attempt and the first byte is never spent in a queue.
 */
export async function issue(work: Work, order: Order): Promise<ReconcileResult> {
  const { inputs, issuer, signal } = work;
  const material = await issuer.material();
  return issuer.account.locks.run(
    `${issuer.authority.id}\n${inputs.names.commonName}`,
    () => atGate(work, (present) => buy(present, material, order)),
    signal,
  );
}

async function buy(work: Work, material: AuthorityMaterial, order: Order): Promise<ReconcileResult> {
  const { deps, inputs, issuer, signal } = work;
  const since = instant(deps.clock);
  const { status } = inputs.certificate;
  const request = requestOf(inputs.certificate, issuer, material);
  // Ids that somebody else may have written are neither built on nor sealed: a seal over them would make them ours.
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
  // From here on the answer of the API server or of the CA may be lost, so this process remembers the attempt itself.
  deps.attempts.prepared(attempt.id, since.monotonic, inputs.certificate.metadata.uid);
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
  const attempted = withInputs(work, { certificate });
  let certificateId: number;
  try {
    certificateId = await send(attempted, request, order.operation, since);
  } catch (error) {
    return afterFailedCall(attempted, attempt, error);
  }
  failpoint('reply');
  deps.attempts.bought(attempt.id, certificateId);
  issuer.account.noteId(issuer.authority.id, certificateId);
  return publish(attempted, { certificateId, outcome: 'success' });
}

const withoutIds = { certificateId: null, authorityId: null } as const;

/** Sends the request once, and resolves with the id of the certificate. */
function send(
  work: Work,
  { authorityId, names, subject }: Request,
  operation: Order['operation'],
  since: Instant,
): Promise<number> {
  const { deps, inputs, issuer } = work;
  const { clock, leads, timing } = deps;
  const { id = '', previousId } = inputs.certificate.status?.attempt ?? {};
  const gate = sendGate({ clock, since, windowMs: timing.sendWindow, leads });
  const options = {
    ...callOptions(work),
    beforeSend: () => {
      failpoint('send');
      gate();
      deps.attempts.sent(id);
    },
  };
  const { client } = issuer.account;
  if (operation === 'Reissue' && previousId !== undefined)
    return client.reissueCertificate(previousId, options);
  const { country = '', organization = '', ...rest } = subject;
  return client.createCertificate(
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

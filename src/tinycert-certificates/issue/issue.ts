import { authorityKey, certificateOf, isSameAuthority } from '../../api/tinycert/identity.ts';
import { sendGate } from '../../issuance/attempt/send-gate.ts';
import { newAttempt } from '../../issuance/tinycert/attempt.ts';
import type { AuthorityMaterial } from '../../issuance/tinycert/issuer-directory.ts';
import { datesOf } from '../../issuance/tinycert/purchase-dates.ts';
import { type Request, requestOf } from '../../issuance/tinycert/request.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { isConflict } from '../../kube/errors.ts';
import { type Instant, instant } from '../../lib/clock.ts';
import { failpoint } from '../../lib/failpoint.ts';
import type { AlternativeName } from '../../tinycert/index.ts';
import type { Names } from '../../x509/names.ts';
import { callOptions, type Work, withInputs } from '../context/work.ts';
import { workingConditions } from '../decide/readiness.ts';
import type { Order } from '../decide/types.ts';
import { record } from '../status/record.ts';
import { atGate } from './at-gate.ts';
import { afterDoubt, AnswerDoubted, assertOwnId } from './doubt.ts';
import { afterFailedCall } from './failure.ts';
import { publish } from './publish.ts';

/**
 * Buys one certificate: attempt, send gate, reply (`attemptBeforeCall`, `sendGate`). It is admitted before it writes the attempt,
 * so the time between the attempt and the first byte is never spent in a queue. One at a time buys for an authority and a
 * common name, since recovery tells certificates apart by these two.
 */
export async function issue(work: Work, order: Order): Promise<ReconcileResult> {
  const { inputs, issuer } = work;
  const material = await issuer.material();
  const lock = `${authorityKey(issuer.authority)}\n${inputs.names.commonName}`;
  return atGate(work, (present) => buy(present, material, order), lock);
}

async function buy(work: Work, material: AuthorityMaterial, order: Order): Promise<ReconcileResult> {
  const { deps, inputs, issuer, signal } = work;
  const since = instant(deps.clock);
  const { status } = inputs.certificate;
  const request = requestOf(inputs.certificate, issuer, material);
  // Ids that somebody else may have written are neither built on nor sealed: a seal over them would make them ours.
  const isForged = inputs.sealed === false && order.operation === 'New';
  const { authority } = issuer;
  const attempt = newAttempt(
    {
      authority,
      operation: order.operation,
      request,
      specHash: inputs.specHash,
      reason: order.why.reason,
      previousId: isSameAuthority(status, authority) ? status?.certificateId : undefined,
      afterId: issuer.account.highestId(authority.authorityId) ?? 0,
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
  const bought = certificateOf(authority, certificateId);
  try {
    await assertOwnId(attempted, attempt, bought);
  } catch (error) {
    if (error instanceof AnswerDoubted) return afterDoubt(attempted, attempt, bought, error);
    throw error;
  }
  deps.attempts.bought(attempt.id, bought);
  return publish(attempted, { certificate: bought, outcome: 'success' });
}

const withoutIds = { certificateId: null, authorityId: null, account: null } as const;

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

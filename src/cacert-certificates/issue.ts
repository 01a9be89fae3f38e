import { createHash, randomUUID } from 'node:crypto';
import { keySize, wantedEmails } from '../api/cacert/effective.ts';
import { ANONYMOUS_NAME } from '../api/cacert/certificate-spec.ts';
import type { CAcertAttempt } from '../api/cacert/certificate-status.ts';
import type { ReadyCAcertAccount } from '../issuance/cacert/directory.ts';
import { instant, sendGate } from '../issuance/attempt/send-gate.ts';
import { inTurn, ticketOf } from '../issuance/decide/gate-turn.ts';
import type { ReconcileContext, ReconcileResult } from '../kube/controller/controller.ts';
import { isConflict } from '../kube/errors.ts';
import { keyOf } from '../kube/objects.ts';
import { TerminalError } from '../lib/errors.ts';
import { failpoint } from '../lib/failpoint.ts';
import type { Reason } from '../lib/reason.ts';
import { generateRsaKey } from '../x509/generate-rsa-key.ts';
import type { PrivateKey } from '../x509/private-key.ts';
import { createSigningRequest, verifySigningRequest } from '../x509/signing-request.ts';
import { failedConditions, servedUntil, workingConditions } from './decide.ts';
import type { Deps } from './deps.ts';
import { afterFailedCall } from './failure.ts';
import { attemptsOfADay, waitsForAccount } from './preconditions.ts';
import type { Inputs } from './inputs.ts';
import { servedKey } from './served-key.ts';

/** What came of a call is decided on anew, from all that there is then. */
const AT_ONCE: ReconcileResult = { requeueAfterMs: 0 };

/**
 * Has one certificate signed: key, attempt, send gate, reply. The key is kept before anything else is done, and it is made
 * before the certificate's turn at the account comes, so that the time between the attempt and the first byte is short.
 */
export async function issue(
  deps: Deps,
  inputs: Inputs,
  why: Reason,
  { signal }: ReconcileContext,
): Promise<ReconcileResult> {
  const { account, certificate } = inputs;
  if (!account?.ready) throw new TerminalError('AccountNotReady', 'The account is not ready.');
  const { gate } = account.issuer.account;
  const pending = await pendingKey(deps, inputs, signal);
  return inTurn(gate, ticketOf(deps, inputs), { ...inputs, pending }, signal, {
    work: (present) => buy(deps, present, account.issuer, why, signal),
    parked: async (isHeld) => {
      const conditions = failedConditions(inputs, waitsForAccount(certificate));
      if (isHeld) await deps.statuses.writeNews({ certificate, conditions, signal });
      return { requeueAt: servedUntil(inputs) };
    },
  });
}

/** The key to be certified. One that has not been served is used again: whatever is signed for it late is not in vain. */
async function pendingKey(deps: Deps, inputs: Inputs, signal: AbortSignal): Promise<Inputs['pending']> {
  const { certificate, pending } = inputs;
  const bits = keySize(certificate.spec);
  const isOfUse =
    pending.state === 'present' &&
    pending.account === certificate.spec.accountRef.name &&
    pending.key?.modulusBits === bits;
  if (isOfUse && pending.certificate === undefined) return pending;
  const key =
    (isOfUse ? pending.key : await servedKey(deps, inputs, signal)) ?? (await generateRsaKey(bits, signal));
  const kept = await deps.pendingKeys.keep(certificate, pending, key, signal);
  failpoint('pending');
  return kept;
}

async function buy(
  deps: Deps,
  inputs: Inputs,
  { account, details }: ReadyCAcertAccount,
  why: Reason,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { certificate, pending } = inputs;
  const { spec, status } = certificate;
  if (pending.state !== 'present' || !pending.key)
    throw new TerminalError('NoKey', 'There is no key to certify.');
  const csr = await requestFor(pending.key);
  const since = instant(deps.clock);
  const attempt: CAcertAttempt = {
    number: (status?.attempt?.number ?? 0) + 1,
    id: randomUUID(),
    holder: deps.holder,
    startTime: new Date(since.wall).toISOString(),
    specHash: inputs.specHash,
    pendingSecretName: deps.pendingKeys.refOf(certificate).name,
    publicKeyHash: createHash('sha256').update(pending.key.toPublicKey()).digest('hex'),
    reason: why.reason,
  };
  // From here on a lost answer, of the API server or of CAcert, leaves an attempt of which this process knows the worst.
  deps.attempts.prepared(attempt.id, since.monotonic);
  const attempted = await deps.statuses
    .write({
      certificate,
      change: { attempt, attemptTimes: [...attemptsOfADay(inputs), attempt.startTime] },
      conditions: workingConditions(inputs, why),
      signal,
    })
    .catch((error: unknown) => {
      if (isConflict(error)) deps.attempts.forget(attempt.id);
      throw error;
    });
  failpoint('attempt');
  if (status?.attempt) deps.attempts.forget(status.attempt.id);
  const now = { ...inputs, certificate: attempted };
  const gate = sendGate({ clock: deps.clock, since, windowMs: deps.timing.sendWindow, leads: deps.leads });
  try {
    const signed = await account.client.signCertificate(
      {
        csr,
        emails: wantedEmails(spec),
        name: spec.commonName,
        codeSigning: spec.codeSigning,
        encoding: details.encoding,
      },
      {
        signal,
        deadlineMs: deps.timing.callDeadline,
        beforeSend: () => {
          failpoint('send');
          gate();
          deps.attempts.sent(attempt.id);
        },
      },
    );
    failpoint('reply');
    deps.attempts.bought(attempt.id, since.monotonic, signed.certificate);
  } catch (error) {
    return afterFailedCall(deps, now, account, attempt, error, signal);
  }
  account.gate.succeeded(keyOf(certificate), inputs.turn.epoch);
  return AT_ONCE;
}

/** Only the public key of a request counts at CAcert, which does not say if its signature is wrong: it is verified here. */
async function requestFor(key: PrivateKey): Promise<string> {
  const csr = await createSigningRequest({ key, commonName: ANONYMOUS_NAME });
  if (!verifySigningRequest(csr).equals(key.toPublicKey()))
    throw new TerminalError('RequestDamaged', 'The signing request is not for the key it was made with.');
  return csr;
}

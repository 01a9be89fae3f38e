import { createHash, randomUUID } from 'node:crypto';
import { keySize, wantedEmails } from '../api/cacert/effective.ts';
import { ANONYMOUS_NAME } from '../api/cacert/certificate-spec.ts';
import type { CAcertAttempt } from '../api/cacert/certificate-status.ts';
import { sendGate } from '../issuance/attempt/send-gate.ts';
import { inTurn, ticketOf } from '../issuance/decide/gate-turn.ts';
import type { ReconcileResult } from '../kube/controller/controller.ts';
import { isConflict } from '../kube/errors.ts';
import { keyOf } from '../kube/objects.ts';
import { type Instant, instant } from '../lib/clock.ts';
import { TerminalError } from '../lib/errors.ts';
import { failpoint } from '../lib/failpoint.ts';
import type { Reason } from '../lib/reason.ts';
import { generateRsaKey } from '../x509/generate-rsa-key.ts';
import type { PrivateKey } from '../x509/private-key.ts';
import { createSigningRequest, verifySigningRequest } from '../x509/signing-request.ts';
import { afterFailedCall } from './failure.ts';
import type { Inputs } from './inputs.ts';
import { attemptsInPeriod, waitsForAccount } from './preconditions.ts';
import { failedConditions, servedUntil, workingConditions } from './readiness.ts';
import { servedKey } from './served-key.ts';
import type { Step, Work } from './work.ts';
import { pendingSecretRef } from './pending-keys.ts';

/** The next reconcile decides on the answer, with fresh inputs. */
const AT_ONCE: ReconcileResult = { requeueAfterMs: 0 };

/**
 * Has one certificate signed: key, attempt, send gate, answer. The key is stored before anything else. It is made before
 * the certificate's turn at the gate, to keep the time between the attempt and the first byte short.
 */
export async function issue(work: Work, why: Reason): Promise<ReconcileResult> {
  const { deps, inputs, account, signal } = work;
  const { certificate } = inputs;
  const { gate } = account.account;
  const pending = await pendingKey(work);
  return inTurn(
    gate,
    ticketOf(deps, inputs),
    { ...inputs, pending },
    {
      work: (present) => buy({ ...work, inputs: present }, why),
      parked: async (isStopped) => {
        const conditions = failedConditions(inputs, waitsForAccount(certificate));
        if (isStopped) await deps.statuses.writeNews({ certificate, conditions, signal });
        return { requeueAt: servedUntil(inputs) };
      },
    },
  );
}

/** The key to certify. A key that was never served is used again, so a certificate that CAcert signs late for it still fits. */
async function pendingKey({ deps, inputs, signal }: Step): Promise<Inputs['pending']> {
  const { certificate, pending } = inputs;
  const bits = keySize(certificate.spec);
  const isUsable =
    pending.state === 'present' &&
    pending.account === certificate.spec.accountRef.name &&
    pending.key?.modulusBits === bits;
  if (isUsable && pending.certificate === undefined) return pending;
  const key =
    (isUsable ? pending.key : await servedKey(deps, inputs, signal)) ?? (await generateRsaKey(bits, signal));
  const kept = await deps.pendingKeys.keep(certificate, pending, key, signal);
  failpoint('pending');
  return kept;
}

async function buy(work: Work, why: Reason): Promise<ReconcileResult> {
  const { deps, inputs, account, signal } = work;
  const { certificate, pending } = inputs;
  const { spec } = certificate;
  if (pending.state !== 'present' || !pending.key)
    throw new TerminalError('NoKey', 'There is no key to certify.');
  const csr = await requestFor(pending.key);
  const since = instant(deps.clock);
  const attempt = attemptFor(work, pending.key, since, why);
  const attempted = await writeAttempt(work, attempt, since, why);
  failpoint('attempt');
  const gate = sendGate({ clock: deps.clock, since, windowMs: deps.timing.sendWindow, leads: deps.leads });
  try {
    const signed = await account.account.client.signCertificate(
      {
        csr,
        emails: wantedEmails(spec),
        name: spec.commonName,
        codeSigning: spec.codeSigning,
        encoding: account.details.encoding,
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
    deps.attempts.bought(attempt.id, signed.certificate);
  } catch (error) {
    return afterFailedCall({ ...work, inputs: { ...inputs, certificate: attempted } }, attempt, error);
  }
  account.account.gate.succeeded(keyOf(certificate), inputs.turn.epoch);
  return AT_ONCE;
}

function attemptFor({ deps, inputs }: Step, key: PrivateKey, since: Instant, why: Reason): CAcertAttempt {
  const { certificate, specHash } = inputs;
  return {
    number: (certificate.status?.attempt?.number ?? 0) + 1,
    id: randomUUID(),
    holder: deps.holder,
    startTime: new Date(since.wall).toISOString(),
    specHash,
    pendingSecretName: pendingSecretRef(certificate).name,
    publicKeyHash: createHash('sha256').update(key.toPublicKey()).digest('hex'),
    reason: why.reason,
  };
}

/**
 * Writes the attempt into status before anything is sent. It is remembered first: if an answer of the API server or of
 * CAcert gets lost, this process still knows whether the attempt was sent.
 */
async function writeAttempt(
  { deps, inputs, signal }: Step,
  attempt: CAcertAttempt,
  since: Instant,
  why: Reason,
): Promise<Inputs['certificate']> {
  const { certificate } = inputs;
  deps.attempts.prepared(attempt.id, since.monotonic, certificate.metadata.uid);
  const attempted = await deps.statuses
    .write({
      certificate,
      change: { attempt, attemptTimes: [...attemptsInPeriod(inputs), attempt.startTime] },
      conditions: workingConditions(inputs, why),
      signal,
    })
    .catch((error: unknown) => {
      if (isConflict(error)) deps.attempts.forget(attempt.id);
      throw error;
    });
  const before = certificate.status?.attempt;
  if (before) deps.attempts.forget(before.id);
  return attempted;
}

/** CAcert takes only the public key from a request and does not report a wrong signature, so verify the signature here. */
async function requestFor(key: PrivateKey): Promise<string> {
  const csr = await createSigningRequest({ key, commonName: ANONYMOUS_NAME });
  if (!verifySigningRequest(csr).equals(key.toPublicKey()))
    throw new TerminalError('RequestDamaged', 'The signing request is not for the key it was made with.');
  return csr;
}

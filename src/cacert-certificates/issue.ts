import { createHash } from 'node:crypto';
import { keySize, wantedEmails } from '../api/cacert/effective.ts';
import { CAcertError } from '../cacert/index.ts';
import { ANONYMOUS_NAME } from '../api/cacert/certificate-spec.ts';
import { sendGate } from '../issuance/attempt/send-gate.ts';
import { inTurn, ticketOf } from '../issuance/decide/gate-turn.ts';
import type { ReconcileResult } from '../kube/controller/controller.ts';
import type { Opened } from '../journal/section.ts';
import { keyOf } from '../kube/objects.ts';
import { TerminalError } from '../lib/errors.ts';
import { failpoint } from '../lib/failpoint.ts';
import type { Reason } from '../lib/reason.ts';
import { generateRsaKey } from '../x509/generate-rsa-key.ts';
import type { PrivateKey } from '../x509/private-key.ts';
import { createSigningRequest, verifySigningRequest } from '../x509/signing-request.ts';
import { showLater } from '../issuance/status/show-later.ts';
import type { CAcertEntry, OpenAttempt } from './attempt.ts';
import { isFormer } from './checks.ts';
import { afterFailedCall } from './failure.ts';
import type { Inputs } from './inputs.ts';
import { waitsForAccount } from './preconditions.ts';
import { failedConditions, servedUntil, workingConditions } from './readiness.ts';
import { servedKey } from './served-key.ts';
import type { Step, Work } from './work.ts';

/** The next reconcile decides on the answer, with fresh inputs. */
const AT_ONCE: ReconcileResult = { requeueAfterMs: 0 };

/**
 * Has one certificate signed: key, attempt in the journal, send gate, answer. The key is stored before anything else. It is made before
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
  const { generateKey = generateRsaKey } = deps;
  const key =
    (isUsable ? pending.key : await servedKey(deps, inputs, signal)) ?? (await generateKey(bits, signal));
  const kept = await deps.pendingKeys.keep(certificate, pending, key, signal);
  failpoint('pending');
  return kept;
}

async function buy(work: Work, why: Reason): Promise<ReconcileResult> {
  const { deps, inputs, account, signal } = work;
  const { certificate, pending } = inputs;
  const { spec, metadata } = certificate;
  const { uid = '' } = metadata;
  if (pending.state !== 'present' || !pending.key)
    throw new TerminalError('NoKey', 'There is no key to certify.');
  const csr = await requestFor(pending.key);
  const opened = await open(work, pending.key, why);
  if (opened.is === 'parked') return parked(work);
  failpoint('attempt');
  const { id, entry, since } = opened;
  const { quietAt } = deps.attempts.knowledgeOf(uid, id, since.monotonic, deps.timing);
  const attempt: OpenAttempt = { id, entry, quietAt, progress: { is: 'open' } };
  const gate = sendGate({
    clock: deps.clock,
    since,
    windowMs: deps.timing.sendWindow,
    // What was decided before the journal was found changed is not sent (`refusedRepeats`).
    leads: () => deps.leads() && work.view?.isCurrent === true,
    isKept: () => deps.attempts.isKept(uid, id),
  });
  const shown = showLater(deps, certificate, () => workingConditions(inputs, why), signal);
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
          deps.attempts.sent(uid, id, since.monotonic);
        },
      },
    );
    failpoint('reply');
    if (isFormer(signed.certificate, pending.key, certificate.status))
      throw new CAcertError('IssuanceUncertain', { call: 'ccsr.php', maybeExecuted: true });
    deps.attempts.bought(uid, id, since.monotonic, signed.certificate);
    await shown();
  } catch (error) {
    const present = { ...inputs, certificate: await shown() };
    return afterFailedCall({ ...work, inputs: present }, attempt, error);
  }
  account.account.gate.succeeded(keyOf(certificate), inputs.turn.epoch);
  return AT_ONCE;
}

/**
 * Writes the attempt into the journal before anything is sent. It is remembered first: if an answer of the API server or of
 * CAcert gets lost, this process still knows whether the attempt was sent.
 */
async function open(
  { deps, inputs, view }: Work,
  key: PrivateKey,
  why: Reason,
): Promise<Opened<CAcertEntry>> {
  const { certificate, specHash, accountKey, attempt } = inputs;
  const { uid = '' } = certificate.metadata;
  if (!view) throw new TerminalError('NoJournal', 'The journal of attempts is not ready.');
  const publicKeyHash = createHash('sha256').update(key.toPublicKey()).digest('hex');
  return view.open({
    owner: uid,
    group: accountKey,
    ...(attempt ? { replaces: attempt.id } : {}),
    make: (id) => {
      deps.attempts.prepared(uid, id, deps.clock.monotonic());
      const startTime = new Date(deps.clock.now()).toISOString();
      return { startTime, specHash, publicKeyHash, reason: why.reason };
    },
  });
}

/** The journal has no room. It wakes the certificate when it may have some. */
async function parked({ deps, inputs, signal }: Work): Promise<ReconcileResult> {
  const { certificate } = inputs;
  await deps.statuses.writeNews({ certificate, conditions: failedConditions(inputs, JOURNAL_FULL), signal });
  return { requeueAt: servedUntil(inputs) };
}

const JOURNAL_FULL: Reason = {
  reason: 'JournalFull',
  message:
    'Too many attempts of this account are without an answer. The operator continues by itself as soon as some have one.',
};

/** CAcert takes only the public key from a request and does not report a wrong signature, so verify the signature here. */
async function requestFor(key: PrivateKey): Promise<string> {
  const csr = await createSigningRequest({ key, commonName: ANONYMOUS_NAME });
  if (!verifySigningRequest(csr).equals(key.toPublicKey()))
    throw new TerminalError('RequestDamaged', 'The signing request is not for the key it was made with.');
  return csr;
}

import type { TinyCertCertificate } from '../../api/kinds.ts';
import { secretRef } from '../../issuance/certificate-kind.ts';
import { withTurn, ticketOf } from '../../issuance/decide/gate-turn.ts';
import { isOwnSecret } from '../../issuance/secret/metadata.ts';
import { readSecret } from '../../issuance/secret/read-secret.ts';
import { isOpen } from '../../issuance/tinycert/attempt.ts';
import { type ReadyIssuer, issuerKey } from '../../issuance/tinycert/issuer-directory.ts';
import { tinycertKind } from '../../issuance/tinycert/kind.ts';
import { certificateAtCa } from '../../issuance/tinycert/lookup.ts';
import { released } from '../../issuance/tinycert/released.ts';
import { isSealed } from '../../issuance/tinycert/seal.ts';
import type { ReconcileContext, ReconcileResult } from '../../kube/controller/controller.ts';
import { keyOf, secrets } from '../../kube/objects.ts';
import type { Deps } from '../context/deps.ts';
import { gather } from '../context/gather.ts';
import type { Inputs } from '../context/inputs.ts';
import { type Revocation, revocationsOnDelete } from '../decide/revocations-due.ts';
import { recover } from '../recovery/recover.ts';
import { STATUS_OF, changeStatus, claimedByOthers, inOneTurn } from '../revocation/change-status.ts';
import { type Asked, afterFailedRevocation, reportPending } from '../revocation/pending.ts';
import { caAccessOf, release } from './ca-access.ts';
import { vanish } from './finalizer.ts';

/**
 * Lets go of a deleted resource that has our finalizer: concludes an open attempt, holds or revokes at the CA what was
 * promised, and only then takes the finalizer off (rule 8). Every step is safe to die after and to repeat. As long as the
 * issuer is there it waits, however long; see `caAccessOf` for when it is not.
 */
export async function finalize(
  deps: Deps,
  certificate: TinyCertCertificate,
  context: ReconcileContext,
): Promise<ReconcileResult> {
  const { signal, log } = context;
  const uid = certificate.metadata.uid ?? '';
  const { spec, status } = certificate;
  const hasOpenAttempt = isOpen(status) && (spec.revocation?.onDelete ?? 'None') !== 'None';
  if (revocationsOnDelete(spec, status).length === 0 && !hasOpenAttempt) return leave([]);

  const means = caAccessOf(deps, certificate);
  if (means.do === 'wait') {
    means.gate?.park(ticketOf(deps, { certificate, now: deps.clock.now() }));
    if (means.why) await reportPending(deps, certificate, means.why, signal);
    return {};
  }
  if (means.do === 'release') return release(deps, certificate, means.why, context);
  const asked = means;
  const { issuer } = asked;
  const waits = deps.revocationRetries.waits(uid, deps.clock.monotonic());
  if (waits > 0) return { requeueAfterMs: waits };
  const inputs = await inputsFor(deps, certificate, issuer, signal);

  return withTurn(asked.isLast ? undefined : issuer.account.gate, certificate, part);

  async function part(): Promise<ReconcileResult> {
    try {
      const found = hasOpenAttempt ? await concludeAttempt(deps, inputs, issuer, context) : [];
      if (typeof found === 'number') {
        const why = {
          reason: 'Recovering',
          message: 'An attempt has no result; what it bought is looked up first, to be revoked as well.',
        };
        await reportPending(deps, certificate, why, signal);
        return { requeueAfterMs: found };
      }
      const duties = await provenRevocations(
        deps,
        inputs,
        issuer,
        revocationsOnDelete(spec, status, found),
        context,
      );
      const left = await carryOut(deps, certificate, asked, duties, signal);
      return await leave(left);
    } catch (error) {
      const who = { uid, key: keyOf(certificate), issuerKey: inputs.issuerKey, issuer, isLast: asked.isLast };
      const { result, why } = afterFailedRevocation(deps, who, error, signal);
      if (why) await reportPending(deps, certificate, why, signal);
      return result;
    }
  }

  async function leave(left: readonly number[]): Promise<ReconcileResult> {
    if (left.length > 0) await giveUp(deps, certificate, left, signal);
    await vanish(deps, certificate, signal);
    deps.revocationRetries.forget(uid);
    if (status?.attempt) deps.attempts.forget(status.attempt.id);
    log.info('Everything that was promised for its certificates is done, and the resource goes');
    return {};
  }
}

/** As for any decision, but with the issuer that is at hand, which may be one that is gone. */
async function inputsFor(
  deps: Deps,
  certificate: TinyCertCertificate,
  issuer: ReadyIssuer,
  signal: AbortSignal,
): Promise<Inputs> {
  const inputs = await gather(deps, certificate, signal);
  return {
    ...inputs,
    issuer: { ready: true, issuer },
    sealed: isSealed(issuer.account, certificate),
  };
}

/** The ids that an open attempt bought, or for how many milliseconds it is too early to look. */
async function concludeAttempt(
  deps: Deps,
  inputs: Inputs,
  issuer: ReadyIssuer,
  context: ReconcileContext,
): Promise<number[] | number> {
  const { attempt } = inputs.certificate.status ?? {};
  const known = inputs.attempt;
  if (!attempt || !known) return [];
  if (known.bought !== undefined) return [known.bought];
  // An attempt that somebody else may have written leads to nothing.
  if (known.unsent || known.isFruitless || inputs.sealed === false) return [];
  if (attempt.certificateId !== undefined) return [attempt.certificateId];
  if (inputs.monotonic < known.quietAt) return known.quietAt - inputs.monotonic;
  const verdict = await recover(deps, inputs, issuer, attempt, context);
  context.log.info({ attempt: attempt.id, verdict }, 'Found out what came of an attempt');
  if ('adopt' in verdict) {
    deps.attempts.bought(attempt.id, inputs.monotonic, verdict.adopt);
    return [verdict.adopt];
  }
  // Once the resource is gone, nobody else knows of it (`recordAbandoned`).
  if (verdict.giving) await deps.releasedStore.add(inputs.issuerKey, verdict.giving, context.signal);
  deps.attempts.fruitless(attempt.id, inputs.monotonic);
  return [];
}

/**
 * Nothing is revoked on the word of a status without its seal, which anybody may have written: only what the resource's
 * own Secret holds the private key of.
 */
async function provenRevocations(
  deps: Deps,
  { certificate, sealed }: Inputs,
  issuer: ReadyIssuer,
  duties: readonly Revocation[],
  { signal, log }: ReconcileContext,
): Promise<Revocation[]> {
  if (sealed !== false || duties.length === 0) return [...duties];
  const secret = await deps.kube.find(secrets, secretRef(certificate), { signal });
  const held =
    secret && isOwnSecret(tinycertKind, certificate, secret) ? readSecret(tinycertKind, secret) : undefined;
  const proven: Revocation[] = [];
  for (const duty of duties) if (held && (await isKeyOf(duty.certificateId))) proven.push(duty);
  const unproven = duties.filter((duty) => !proven.includes(duty)).map(({ certificateId }) => certificateId);
  if (unproven.length > 0) {
    const message = `The status was changed by somebody else or the API key was replaced, so that the ids in it are not believed. Look at TinyCert whether certificate ${unproven.join(', ')} was this resource's and is to be revoked.`;
    deps.warn(certificate, 'SealBroken', message);
    log.warn({ certificateIds: unproven }, 'Certificates of a status without its seal are not revoked');
  }
  return proven;

  async function isKeyOf(certificateId: number): Promise<boolean> {
    const options = { signal, deadlineMs: deps.timing.callDeadline };
    const atCa = await certificateAtCa(issuer.account.client, certificateId, options);
    return atCa?.publicKeyFingerprint === held?.leaf.publicKeyFingerprint;
  }
}

/** Does all of it; resolves with the ids of certificates that are not revoked and that the resource gives up. */
async function carryOut(
  deps: Deps,
  certificate: TinyCertCertificate,
  { issuer, isLast }: Pick<Asked, 'issuer' | 'isLast'>,
  duties: readonly Revocation[],
  signal: AbortSignal,
): Promise<number[]> {
  const ticket = isLast ? undefined : ticketOf(deps, { certificate, now: deps.clock.now() });
  const ids = duties.map(({ certificateId }) => certificateId);
  const claimed = await claimedByOthers(deps, certificate, ids, signal);
  if (claimed.size > 0) {
    const message = `Certificate ${[...claimed].join(', ')} is claimed by another resource and stays as it is.`;
    deps.warn(certificate, 'ClaimedByAnother', message);
  }
  const due = duties.filter(({ certificateId }) => !claimed.has(certificateId));
  if (due.length === 0) return [];
  return inOneTurn(issuer, ticket, signal, async () => {
    const left: number[] = [];
    for (const { certificateId, action } of due) {
      const status = await changeStatus(deps, issuer, certificateId, STATUS_OF[action], signal);
      if (status === 'hold') left.push(certificateId);
    }
    return left;
  });
}

/** Recorded before the resource vanishes, so that nobody takes over what was given up. */
async function giveUp(
  deps: Deps,
  { metadata, spec }: TinyCertCertificate,
  ids: readonly number[],
  signal: AbortSignal,
): Promise<void> {
  const giving = { released: released(metadata, ids, deps.clock.now(), 'Deleted') };
  await deps.releasedStore.add(issuerKey(spec.issuerRef, metadata.namespace), giving, signal);
}

import type { TinyCertCertificate } from '../../api/kinds.ts';
import { type CertificateRef, certificateRef } from '../../api/tinycert/identity.ts';
import { boughtBy } from '../../issuance/attempt/memory.ts';
import { secretRef } from '../../issuance/certificate-kind.ts';
import { ticketOf } from '../../issuance/decide/gate-turn.ts';
import { isOwnSecret } from '../../issuance/secret/metadata.ts';
import { readSecret } from '../../issuance/secret/read-secret.ts';
import { isOpen } from '../../issuance/tinycert/attempt.ts';
import { accountIn } from '../../issuance/tinycert/claims.ts';
import { leaving } from '../../issuance/tinycert/former-accounts.ts';
import { issuerKey, type ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import { tinycertKind } from '../../issuance/tinycert/kind.ts';
import { certificateAtCa } from '../../issuance/tinycert/lookup.ts';
import { released } from '../../issuance/tinycert/released.ts';
import { BROKEN_SEAL, isSealed } from '../../issuance/tinycert/seal.ts';
import type { ReconcileContext, ReconcileResult } from '../../kube/controller/controller.ts';
import { keyOf, secrets } from '../../kube/objects.ts';
import { accessTo } from '../context/account-access.ts';
import type { Deps } from '../context/deps.ts';
import { gather } from '../context/gather.ts';
import { callOptions, DECIDE_AGAIN_MS, type Work } from '../context/work.ts';
import { type Revocation, revocationsOnDelete } from '../decide/revocations-due.ts';
import { recover } from '../recovery/recover.ts';
import { afterFailedRevocation, RECOVERING, reportPending } from '../revocation/pending.ts';
import { changeAccount } from '../secret/change-account.ts';
import { caAccessOf, releaseUnrevoked } from './ca-access.ts';
import { removeFinalizer } from './finalizer.ts';
import { revokeOnce } from './revoke-once.ts';
import { finalizeFormerAccounts } from './former-accounts.ts';

/**
 * Finalizes a deleted resource that has our finalizer: recovers an open attempt, does the holds and revocations at the CA, and
 * only then removes the finalizer (`recordGivenUp`). The process may die after every step, and every step may be repeated. It
 * waits as long as the issuer exists; `caAccessOf` decides what happens if it does not.
 */
export async function finalize(
  deps: Deps,
  certificate: TinyCertCertificate,
  context: ReconcileContext,
): Promise<ReconcileResult> {
  const { signal, log } = context;
  const uid = certificate.metadata.uid ?? '';
  const { spec, status } = certificate;
  const there = await finalizeFormerAccounts(deps, certificate, context);
  if (there) return there;
  const hasOpenAttempt = isOpen(status) && (spec.revocation?.onDelete ?? 'None') !== 'None';
  if (revocationsOnDelete(spec, status).length === 0 && !hasOpenAttempt) return leave([]);

  // Before the gate is asked: a turn that comes too early would be lost, and the next one come at once.
  const quietAfterMs = hasOpenAttempt ? quietAfterOf(deps, certificate) : 0;
  if (quietAfterMs > 0) {
    await reportPending(deps, certificate, RECOVERING, signal);
    return { requeueAfterMs: quietAfterMs };
  }
  const access = caAccessOf(deps, certificate);
  if (access.do === 'wait') {
    access.gate?.park(ticketOf(deps, { certificate, now: deps.clock.now() }));
    if (access.why) await reportPending(deps, certificate, access.why, signal);
    return {};
  }
  if (access.do === 'release') {
    // Another issuer may have the account of the certificate.
    const account = accountIn(status);
    if (account === undefined || !accessTo(deps, certificate, account))
      return releaseUnrevoked(deps, certificate, access.why, context);
    await deps.statuses.write({ certificate, change: leaving(status, undefined) ?? {}, signal });
    return { requeueAfterMs: DECIDE_AGAIN_MS };
  }
  const { issuer, isLast } = access;
  const waits = deps.revocationRetries.waits(uid, deps.clock.monotonic());
  if (waits > 0) return { requeueAfterMs: waits };
  const work = await workFor(deps, certificate, issuer, context);
  return revokeAndLeave();

  async function revokeAndLeave(): Promise<ReconcileResult> {
    try {
      // What the issuer's account is asked for has to be its own. The rest is done where the resource had it.
      if (await changeAccount(work)) return { requeueAfterMs: DECIDE_AGAIN_MS };
      const bought = hasOpenAttempt ? await boughtByAttempt(work) : [];
      const revocations = await provenRevocations(work, revocationsOnDelete(spec, status, bought));
      return await leave(await revokeOnce(work, revocations, isLast));
    } catch (error) {
      const { issuerKey: key } = work.inputs;
      const asked = { uid, key: keyOf(certificate), issuerKey: key, issuer, isLast };
      const { result, why } = afterFailedRevocation(deps, asked, error, signal);
      if (why) await reportPending(deps, certificate, why, signal);
      return result;
    }
  }

  /** Lets the resource go. `onHold` are certificates that it gives up without a revocation. */
  async function leave(onHold: readonly CertificateRef[]): Promise<ReconcileResult> {
    if (onHold.length > 0) await recordReleased(deps, certificate, onHold, signal);
    await removeFinalizer(deps, certificate, signal);
    log.info('All holds and revocations of a deleted resource are done; its finalizer was removed');
    return {};
  }
}

/** As for any decision, but with the issuer at hand, which may be one that is gone. */
async function workFor(
  deps: Deps,
  certificate: TinyCertCertificate,
  issuer: ReadyIssuer,
  { signal, log }: ReconcileContext,
): Promise<Work> {
  const inputs = {
    ...(await gather(deps, certificate, signal)),
    issuer: { ready: true, issuer } as const,
    sealed: isSealed(issuer.account, certificate),
  };
  return { deps, inputs, issuer, signal, log };
}

/** For how many milliseconds the open attempt can still have an effect that nobody knows; 0 if its result can be found out. */
function quietAfterOf({ attempts, clock, timing }: Deps, { metadata, status }: TinyCertCertificate): number {
  const { attempt } = status ?? {};
  if (!attempt || attempt.certificateId !== undefined) return 0;
  const monotonic = clock.monotonic();
  const known = attempts.knowledgeOf(attempt.id, monotonic, timing, metadata.uid);
  return known.progress.is === 'open' ? Math.max(0, known.quietAt - monotonic) : 0;
}

/** Finds out what an open attempt bought that can have no more effect. Rejects as `recover` does. */
async function boughtByAttempt(work: Work): Promise<readonly CertificateRef[]> {
  const { deps, inputs, signal } = work;
  const { attempt } = inputs.certificate.status ?? {};
  const known = inputs.attempt;
  if (!attempt || !known) return [];
  const heard = boughtBy(known);
  if (heard !== undefined) return [heard];
  // An attempt that somebody else may have written has no consequences.
  if (known.progress.is !== 'open' || inputs.sealed === false) return [];
  const stated = certificateRef(attempt);
  if (stated) return [stated];
  const { verdict, released: records } = await recover(work, attempt);
  if ('adopt' in verdict) {
    deps.attempts.bought(attempt.id, verdict.adopt);
    return [verdict.adopt];
  }
  // Once the resource is gone, nothing else records the attempt (`recordAbandoned`).
  if (records) await deps.releasedStore.add(inputs.issuerKey, records, signal);
  deps.attempts.fruitless(attempt.id);
  return [];
}

/**
 * The revocations that may be done. If the seal of the status is broken, anybody may have
 * written it: only a certificate whose private key is in the resource's own Secret is then held or revoked.
 */
async function provenRevocations(work: Work, revocations: readonly Revocation[]): Promise<Revocation[]> {
  const { deps, inputs, issuer, signal, log } = work;
  const { certificate, sealed } = inputs;
  if (sealed !== false || revocations.length === 0) return [...revocations];
  const secret = await deps.kube.find(secrets, secretRef(certificate), { signal });
  const content =
    secret && isOwnSecret(tinycertKind, certificate, secret) ? readSecret(tinycertKind, secret) : undefined;
  const proven: Revocation[] = [];
  for (const revocation of content ? revocations : []) {
    const atCa = await certificateAtCa(issuer.account, revocation.certificate, callOptions(work));
    if (atCa?.publicKeyFingerprint === content?.leaf.publicKeyFingerprint) proven.push(revocation);
  }
  const unproven = revocations
    .filter((revocation) => !proven.includes(revocation))
    .map(({ certificate: { certificateId } }) => certificateId);
  if (unproven.length > 0) {
    const message = `${BROKEN_SEAL}, so the ids in it are not trusted. Check at TinyCert whether these certificates belonged to this resource and should be held or revoked: ${unproven.join(', ')}.`;
    deps.warn(certificate, 'SealBroken', message);
    log.warn({ certificateIds: unproven }, 'Certificates of a status with a broken seal are not revoked');
  }
  return proven;
}

/** Records what is given up before the resource goes, so that nobody adopts it. */
async function recordReleased(
  deps: Deps,
  { metadata, spec }: TinyCertCertificate,
  certificates: readonly CertificateRef[],
  signal: AbortSignal,
): Promise<void> {
  const records = { released: released(metadata, certificates, deps.clock.now(), 'Deleted') };
  await deps.releasedStore.add(issuerKey(spec.issuerRef, metadata.namespace), records, signal);
}

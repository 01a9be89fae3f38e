import type { TinyCertCertificate } from '../../api/kinds.ts';
import { type CertificateRef, isSameCertificate } from '../../api/tinycert/identity.ts';
import { secretRef } from '../../issuance/certificate-kind.ts';
import { ticketOf } from '../../issuance/decide/gate-turn.ts';
import { isOwnSecret } from '../../issuance/secret/metadata.ts';
import { readSecret } from '../../issuance/secret/read-secret.ts';
import {
  attemptOwner,
  boughtIn,
  groupOf,
  type OpenAttempt,
  placeHash,
} from '../../issuance/tinycert/attempt.ts';
import { accountIn } from '../../issuance/tinycert/claims.ts';
import { leaving } from '../../issuance/tinycert/former-accounts.ts';
import { issuerKey, type ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import { tinycertKind } from '../../issuance/tinycert/kind.ts';
import { certificateAtCa } from '../../issuance/tinycert/lookup.ts';
import { released, type TinyCertView } from '../../issuance/tinycert/records.ts';
import { BROKEN_SEAL, isSealed } from '../../issuance/tinycert/seal.ts';
import type { ReconcileContext, ReconcileResult } from '../../kube/controller/controller.ts';
import { keyOf, secrets } from '../../kube/objects.ts';
import { accessTo } from '../context/account-access.ts';
import { attemptAt, statedAccount } from '../context/attempts.ts';
import type { Deps } from '../context/deps.ts';
import { gather } from '../context/gather.ts';
import { callOptions, DECIDE_AGAIN_MS, type Work } from '../context/work.ts';
import { type Revocation, revocationsOnDelete } from '../decide/revocations-due.ts';
import { recover } from '../recovery/recover.ts';
import { afterFailedRevocation, isLostAccess, RECOVERING, reportPending } from '../revocation/pending.ts';
import { changeAccount } from '../secret/change-account.ts';
import { caAccessOf, releaseUnrevoked } from './ca-access.ts';
import { removeFinalizer } from './finalizer.ts';
import { revokeOnce } from './revoke-once.ts';
import { finalizeFormerAccounts } from './former-accounts.ts';

/**
 * Finalizes a deleted resource that has our finalizer: recovers an open attempt, does the holds and revocations at the CA, and
 * only then removes the finalizer. The process may die after every step, and every step may be repeated. It
 * waits as long as the issuer exists; `caAccessOf` decides what happens if it does not.
 */
export async function finalize(
  deps: Deps,
  certificate: TinyCertCertificate,
  view: TinyCertView | undefined,
  context: ReconcileContext,
): Promise<ReconcileResult> {
  // The journal wakes the resource when it is ready.
  return view ? finalizeWith(deps, certificate, view, context) : {};
}

async function finalizeWith(
  deps: Deps,
  certificate: TinyCertCertificate,
  view: TinyCertView,
  context: ReconcileContext,
): Promise<ReconcileResult> {
  const { signal, log } = context;
  const uid = certificate.metadata.uid ?? '';
  const { spec, status } = certificate;
  const issuerState = deps.directory.get(issuerKey(spec.issuerRef, certificate.metadata.namespace));
  const present = statedAccount(issuerState, certificate, view);
  const there = await finalizeFormerAccounts(deps, certificate, { view, present, context });
  if (there) return there;
  const isRevoked = (spec.revocation?.onDelete ?? 'None') !== 'None';
  const open =
    isRevoked && present !== undefined
      ? attemptAt(deps, view, certificate, present, isSealed(deps.installation, certificate)).attempt
      : undefined;
  if (revocationsOnDelete(spec, status).length === 0 && !open) return leave([]);

  // Before the gate is asked: a turn that comes too early would be lost, and the next one come at once.
  const quietAfterMs = open ? quietAfterOf(deps, open) : 0;
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
      return releaseUnrevoked(deps, certificate, { why: access.why, attempt: open?.attempt }, context);
    await deps.statuses.write({ certificate, change: leaving(status, undefined) ?? {}, signal });
    return { requeueAfterMs: DECIDE_AGAIN_MS };
  }
  const { issuer, isLast } = access;
  const waits = deps.revocationRetries.waits(uid, deps.clock.monotonic());
  if (waits > 0) return { requeueAfterMs: waits };
  const work = await workFor(deps, certificate, { issuer, view }, context);
  return revokeAndLeave();

  async function revokeAndLeave(): Promise<ReconcileResult> {
    try {
      // What the issuer's account is asked for has to be its own. The rest is done where the resource had it.
      const changed = await changeAccount(work);
      if (changed) return changed;
      const bought = isRevoked ? await boughtByAttempt(work) : [];
      const revocations = await provenRevocations(work, revocationsOnDelete(spec, status, bought), bought);
      return await leave(await revokeOnce(work, revocations, isLast));
    } catch (error) {
      if (isLostAccess({ isLast }, error)) {
        const why = { reason: 'CredentialsRefused', message: sessionLost(spec) };
        return releaseUnrevoked(deps, certificate, { why, attempt: open?.attempt }, context);
      }
      const { issuerKey: key } = work.inputs;
      const asked = { uid, key: keyOf(certificate), issuerKey: key, issuer, isLast };
      const { result, why } = afterFailedRevocation(deps, asked, error, signal);
      if (why) await reportPending(deps, certificate, why, signal);
      return result;
    }
  }

  /** Lets the resource go. `onHold` are certificates that it gives up without a revocation. */
  async function leave(onHold: readonly CertificateRef[]): Promise<ReconcileResult> {
    if (onHold.length > 0) await recordReleased(certificate, view, onHold);
    await removeFinalizer(deps, certificate, signal);
    log.info('All holds and revocations of a deleted resource are done; its finalizer was removed');
    return {};
  }
}

function sessionLost({ issuerRef: { kind, name } }: TinyCertCertificate['spec']): string {
  return `${kind} ${name} or its credentials are gone, and TinyCert no longer accepts those that it had.`;
}

/** As for any decision, but with the issuer at hand, which may be one that is gone. */
async function workFor(
  deps: Deps,
  certificate: TinyCertCertificate,
  { issuer, view }: { issuer: ReadyIssuer; view: TinyCertView },
  { signal, log }: ReconcileContext,
): Promise<Work> {
  const sealed = isSealed(issuer.account, certificate);
  const inputs = {
    ...(await gather(deps, certificate, view, signal)),
    issuer: { ready: true, issuer } as const,
    sealed,
    ...attemptAt(deps, view, certificate, issuer.account.digest, sealed),
  };
  return { deps, inputs, issuer, view, signal, log };
}

/** For how many milliseconds the open attempt can still have an effect that nobody knows; 0 if its result can be found out. */
function quietAfterOf({ clock }: Deps, open: OpenAttempt): number {
  if (boughtIn(open) || open.progress.is !== 'open') return 0;
  return Math.max(0, open.quietAt - clock.monotonic());
}

/**
 * Finds out what an open attempt bought that can have no more effect. It stays in the journal until the resource is gone, so that
 * a repeat finds it too. Rejects as `recover` does.
 */
async function boughtByAttempt(work: Work): Promise<readonly CertificateRef[]> {
  const { deps, inputs, view } = work;
  const { attempt: open } = inputs;
  if (!open) return [];
  const known = boughtIn(open);
  if (known !== undefined) return [known];
  if (open.progress.is !== 'open') return [];
  const owner = attemptOwner(inputs.certificate.metadata.uid ?? '', open.attempt.account);
  const { verdict, records } = await recover(work, open);
  if (records.length > 0) await view.record(owner, records);
  if ('adopt' in verdict) {
    deps.attempts.bought(owner, open.id, deps.clock.monotonic(), verdict.adopt);
    return [verdict.adopt];
  }
  deps.attempts.fruitless(owner, open.id, deps.clock.monotonic());
  return [];
}

/**
 * The revocations that may be done. If the seal of the status is broken, anybody may have
 * written it: only a certificate whose private key is in the resource's own Secret is then held or revoked. What its attempt
 * `bought` is known from the journal, also of a status that never had a seal.
 */
async function provenRevocations(
  work: Work,
  all: readonly Revocation[],
  bought: readonly CertificateRef[],
): Promise<Revocation[]> {
  const { deps, inputs, issuer, signal, log } = work;
  const { certificate, sealed } = inputs;
  const isBought = ({ certificate: ref }: Revocation): boolean =>
    bought.some((each) => isSameCertificate(each, ref));
  const revocations = all.filter((each) => !isBought(each));
  if (sealed !== false || revocations.length === 0) return [...all];
  const secret = await deps.kube.find(secrets, secretRef(certificate), { signal });
  const content =
    secret && isOwnSecret(tinycertKind, certificate, secret) ? readSecret(tinycertKind, secret) : undefined;
  const proven = all.filter(isBought);
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
  { metadata: { uid = '', namespace }, spec }: TinyCertCertificate,
  view: TinyCertView,
  certificates: readonly CertificateRef[],
): Promise<void> {
  const issuer = placeHash(issuerKey(spec.issuerRef, namespace));
  const records = certificates.flatMap((each) =>
    released(view, [each], { issuer, cause: 'Deleted', group: groupOf(each, namespace) }),
  );
  await view.record(uid, records);
}

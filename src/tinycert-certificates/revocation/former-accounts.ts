import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { FormerAccount } from '../../api/tinycert/certificate-status.ts';
import { type CertificateRef, certificateKey, certificateRef } from '../../api/tinycert/identity.ts';
import { boughtBy } from '../../issuance/attempt/memory.ts';
import { ticketOf } from '../../issuance/decide/gate-turn.ts';
import { conditionOf } from '../../issuance/status/conditions.ts';
import { isOpen } from '../../issuance/tinycert/attempt.ts';
import { claimsOf, withFormer } from '../../issuance/tinycert/claims.ts';
import { hasDuty } from '../../issuance/tinycert/former-accounts.ts';
import type { ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import { BROKEN_SEAL, isSealed, sealOf } from '../../issuance/tinycert/seal.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { keyOf } from '../../kube/objects.ts';
import type { Reason } from '../../lib/reason.ts';
import { type AccountAccess, accessTo } from '../context/account-access.ts';
import { type Task, type Work, withInputs } from '../context/work.ts';
import { afterReplacement } from '../decide/revoke-replaced.ts';
import { recover } from '../recovery/recover.ts';
import { changeAll } from './change-all.ts';
import { claimedByOthers, inOneTurn, STATUS_OF, warnOfClaimed } from './change-status.ts';
import { afterFailedRevocation } from './pending.ts';

/** The condition that states what cannot be done at an account that the resource has left. */
const FORMER_ACCOUNT_PENDING = 'FormerAccountPending';

/** What the work at one former account led to. */
interface Progress {
  /** Undefined once nothing is left there that the resource claims. */
  left: FormerAccount | undefined;
  /** When to go on. */
  result: ReconcileResult;
  /** Why something could not be done. */
  why?: Reason | undefined;
}

/**
 * Concludes and does what is open, pending or due at the accounts that the resource has left, through an issuer that still
 * has the account, or its last session. What cannot be done is reported by a condition and an event, and stays in status. It
 * comes after the plan for the certificate, which does not wait for it.
 */
export async function workAtFormerAccounts(task: Task): Promise<ReconcileResult> {
  const { deps, inputs, signal } = task;
  const { certificate, crdsFit } = inputs;
  const { formerAccounts = [] } = certificate.status ?? {};
  const isReported = conditionOf(certificate.status?.conditions, FORMER_ACCOUNT_PENDING) !== undefined;
  if (!crdsFit || certificate.spec.suspend || (formerAccounts.length === 0 && !isReported)) return {};
  const { clock } = deps;
  const present = withInputs(task, { now: clock.now(), monotonic: clock.monotonic() });
  const all: Progress[] = [];
  for (const left of formerAccounts) all.push(await workAt(present, left));
  const next = all.flatMap(({ left }) => left ?? []);
  const isChanged = next.length < all.length || next.some((left, i) => left !== formerAccounts[i]);
  const why = all.find((each) => each.why)?.why;
  const conditions = why ? [{ type: FORMER_ACCOUNT_PENDING, status: 'True' as const, ...why }] : [];
  const removed = why ? [] : [FORMER_ACCOUNT_PENDING];
  const change = isChanged ? { formerAccounts: next.length === 0 ? null : next } : undefined;
  if (change) await deps.statuses.write({ certificate, change, conditions, removed, signal });
  else await deps.statuses.writeNews({ certificate, conditions, removed, signal });
  if (why && !isTold(certificate, why)) deps.warn(certificate, why.reason, why.message);
  return soonest(all.map(({ result }) => result));
}

async function workAt(task: Task, left: FormerAccount): Promise<Progress> {
  const { deps, inputs } = task;
  const { certificate } = inputs;
  const { metadata, spec, status } = certificate;
  const { onReplace = 'None' } = spec.revocation ?? {};
  if (!hasDuty(left, { onReplace, isReplaced: status?.certificateId !== undefined }))
    return { left, result: {} };
  const access = accessTo(deps, certificate, left.account);
  if (!access) return { left, result: {}, why: outOfReach(left) };
  if (!isSealed(access.issuer.account, { metadata, status: left }))
    return { left, result: {}, why: unproven(left) };
  const uid = metadata.uid ?? '';
  const waits = deps.revocationRetries.waits(uid, deps.clock.monotonic());
  if (waits > 0) return { left, result: { requeueAfterMs: waits } };
  return workThrough(workWith(task, access, left), access, left, certificateRef(status));
}

/** The work of the resource at a former account: as if its status named nothing else. */
export function workWith(task: Task, { issuer }: AccountAccess, left: FormerAccount): Work {
  const { certificate } = task.inputs;
  const {
    account: _,
    authorityId: __,
    certificateId: ___,
    attempt: ____,
    ...status
  } = certificate.status ?? {};
  const there = { ...certificate, status: { ...status, ...left } };
  return { ...withInputs(task, { certificate: there, sealed: true, issuerKey: issuer.key }), issuer };
}

/** Concludes an open attempt, promises what `onReplace` asks for, and does what is due. */
async function workThrough(
  work: Work,
  access: AccountAccess,
  left: FormerAccount,
  present: CertificateRef | undefined,
): Promise<Progress> {
  const { deps, inputs, signal } = work;
  const { certificate } = inputs;
  const uid = certificate.metadata.uid ?? '';
  let next = left;
  try {
    const concluded = await conclude(work, next);
    if ('quietAfterMs' in concluded) return { left, result: { requeueAfterMs: concluded.quietAfterMs } };
    next = concluded.left;
    next = present ? replaced(work, next, present) : next;
    next = await revokeDueAt(work, access, next, (done) => {
      next = done;
    });
    if (next !== left) deps.revocationRetries.forget(uid);
    return { left: sealed(work.issuer, certificate, left, next), result: nextDue(next, inputs.now) };
  } catch (error) {
    const asked = { uid, key: keyOf(certificate), issuerKey: access.issuer.key, ...access };
    const { result, why } = afterFailedRevocation(deps, asked, error, signal);
    return { left: sealed(work.issuer, certificate, left, next), result, why };
  }
}

/** What an open attempt at a former account bought becomes a former certificate there. Rejects as `recover` does. */
export async function conclude(
  work: Work,
  left: FormerAccount,
): Promise<{ left: FormerAccount } | { quietAfterMs: number }> {
  const { deps, inputs, issuer, signal } = work;
  const { attempt, ...rest } = left;
  if (!attempt) return { left };
  if (!isOpen(left)) return { left: rest };
  const { uid } = inputs.certificate.metadata;
  const known = deps.attempts.knowledgeOf(attempt.id, inputs.monotonic, deps.timing, uid);
  let bought = boughtBy(known) ?? certificateRef(attempt);
  if (!bought && known.progress.is === 'open') {
    if (inputs.monotonic < known.quietAt) return { quietAfterMs: known.quietAt - inputs.monotonic };
    const { verdict, released } = await recover(work, attempt);
    if ('adopt' in verdict) bought = verdict.adopt;
    else if (released) await deps.releasedStore.add(issuer.key, released, signal);
  }
  deps.attempts.forget(attempt.id);
  return { left: bought ? { ...rest, formerCertificates: withFormer(left, bought).kept } : rest };
}

/** Once another certificate is served, the one of a former account is a former certificate, and `onReplace` applies to it. */
function replaced({ inputs }: Work, left: FormerAccount, present: CertificateRef): FormerAccount {
  const { revocation } = inputs.certificate.spec;
  const served = certificateRef(left);
  if (!served) return left;
  const { authorityId: _, certificateId: __, serialNumber: ___, notAfter: ____, ...rest } = left;
  const { pendingRevocations } = afterReplacement(
    revocation ? { revocation } : {},
    left,
    present,
    inputs.now,
  );
  return {
    ...rest,
    formerCertificates: withFormer(left, served).kept,
    ...(pendingRevocations ? { pendingRevocations } : {}),
  };
}

/** Does what is due at a former account, and tells `onDone` what is left after each. Rejects as `changeStatus` does. */
async function revokeDueAt(
  work: Work,
  { isLast }: AccountAccess,
  left: FormerAccount,
  onDone: (left: FormerAccount) => void,
): Promise<FormerAccount> {
  const { deps, inputs, issuer, signal } = work;
  const { certificate, now } = inputs;
  const due = (left.pendingRevocations ?? []).filter(({ notBefore }) => Date.parse(notBefore) <= now);
  if (due.length === 0) return left;
  const claimed = await claimedByOthers(deps, certificate, due, signal);
  warnOfClaimed(deps, certificate, claimed);
  const skipped = new Set(claimed.map(certificateKey));
  let next = claimed.reduce(without, left);
  onDone(next);
  const wanted = due
    .filter((each) => !skipped.has(certificateKey(each)))
    .map((each) => ({ certificate: each, status: STATUS_OF[each.action] }));
  const ticket = isLast ? undefined : ticketOf(deps, inputs);
  if (wanted.length > 0)
    await inOneTurn(issuer, ticket, () =>
      changeAll(work, wanted, (done) => {
        next = without(next, done.certificate);
        onDone(next);
      }),
    );
  return next;
}

function without(left: FormerAccount, done: CertificateRef): FormerAccount {
  const { pendingRevocations = [], ...rest } = left;
  const others = pendingRevocations.filter((each) => certificateKey(each) !== certificateKey(done));
  return others.length === 0 ? rest : { ...rest, pendingRevocations: others };
}

/** What is left, sealed anew if it changed; undefined if it claims nothing any more. */
export function sealed(
  { account }: ReadyIssuer,
  { metadata: { uid = '' } }: TinyCertCertificate,
  before: FormerAccount,
  after: FormerAccount,
): FormerAccount | undefined {
  if (after === before) return before;
  if (claimsOf(after).length === 0 && !isOpen(after)) return undefined;
  return { ...after, seal: sealOf(account, uid, after) };
}

function nextDue({ pendingRevocations = [] }: FormerAccount, now: number): ReconcileResult {
  const later = pendingRevocations.map(({ notBefore }) => Date.parse(notBefore)).filter((time) => time > now);
  return later.length === 0 ? {} : { requeueAt: Math.min(...later) };
}

function outOfReach(left: FormerAccount): Reason {
  return {
    reason: 'FormerAccountUnavailable',
    message: `No issuer has the account any more that this resource used before, so this is not done there: ${openAt(left)}. Create an issuer with that account in this namespace, or do it at TinyCert.`,
  };
}

function unproven(left: FormerAccount): Reason {
  return {
    reason: 'SealBroken',
    message: `${BROKEN_SEAL}, so this is not done at the account that this resource used before: ${openAt(left)}. Check at TinyCert whether it should be.`,
  };
}

/** What is open at a former account, in words. */
function openAt(left: FormerAccount): string {
  const { attempt, pendingRevocations = [] } = left;
  const holds = pendingRevocations.map(({ action, certificateId }) =>
    action === 'Hold' ? `certificate ${certificateId} put on hold` : `certificate ${certificateId} revoked`,
  );
  const served = certificateRef(left);
  return [
    ...(attempt && isOpen(left) ? [`an attempt for ${attempt.commonName} concluded`] : []),
    ...holds,
    ...(served && holds.length === 0 ? [`what onReplace asks for certificate ${served.certificateId}`] : []),
  ].join('; ');
}

function isTold({ status }: TinyCertCertificate, { reason, message }: Reason): boolean {
  const told = conditionOf(status?.conditions, FORMER_ACCOUNT_PENDING);
  return told?.reason === reason && told.message === message;
}

function soonest(results: readonly ReconcileResult[]): ReconcileResult {
  const earliest = (field: 'requeueAfterMs' | 'requeueAt'): number =>
    Math.min(...results.map((result) => result[field] ?? Infinity));
  const [requeueAfterMs, requeueAt] = [earliest('requeueAfterMs'), earliest('requeueAt')];
  return {
    ...(requeueAfterMs === Infinity ? {} : { requeueAfterMs }),
    ...(requeueAt === Infinity ? {} : { requeueAt }),
  };
}

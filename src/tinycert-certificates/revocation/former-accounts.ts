import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { FormerAccount } from '../../api/tinycert/certificate-status.ts';
import {
  type AccountDigest,
  type CertificateRef,
  certificateKey,
  certificateRef,
} from '../../api/tinycert/identity.ts';
import { ticketOf } from '../../issuance/decide/gate-turn.ts';
import { attemptOwner, boughtIn } from '../../issuance/tinycert/attempt.ts';
import { accountIn, claimsOf, withFormer } from '../../issuance/tinycert/claims.ts';
import { asOwnPart, hasDuty, MAX_ACCOUNTS, ownPart } from '../../issuance/tinycert/former-accounts.ts';
import type { TinyCertView } from '../../issuance/tinycert/records.ts';
import type { Recording } from '../../journal/group.ts';
import type { ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import { BROKEN_SEAL, isSealed, sealOf } from '../../issuance/tinycert/seal.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { keyOf } from '../../kube/objects.ts';
import type { Reason } from '../../lib/reason.ts';
import { type AccountAccess, accessTo } from '../context/account-access.ts';
import { accountsWithAttempt, attemptAt, endAttempt, statedAccount } from '../context/attempts.ts';
import type { Inputs } from '../context/inputs.ts';
import { type Task, type Work, withInputs } from '../context/work.ts';
import { afterReplacement } from '../decide/revoke-replaced.ts';
import { giveUpAttempt, makeWay, quietAfterMs } from '../recovery/give-up.ts';
import { recover } from '../recovery/recover.ts';
import { changeAll } from './change-all.ts';
import { claimedByOthers, isAtEnd, STATUS_OF, warnOfClaimed } from './change-status.ts';
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
  /** Ends the attempt there. To be called once status says what it bought. */
  end?: (() => void) | undefined;
}

/**
 * Concludes and does what is open, pending or due at the accounts that the resource has left, through an issuer that still
 * has the account, or its last session. What cannot be done is reported by a condition and an event, and stays in status. It
 * comes after the plan for the certificate, which does not wait for it.
 */
export async function workAtFormerAccounts(task: Task): Promise<ReconcileResult> {
  const { deps, inputs, view, signal } = task;
  const { certificate, crdsFit } = inputs;
  const { status } = certificate;
  const noted = status?.formerAccounts ?? [];
  const present = presentAccount(inputs, view);
  const attempted = onlyAttempted(view, certificate, present);
  const formerAccounts = [...noted, ...attempted.filter(({ account }) => account !== accountIn(status))];
  // Until the new account can be asked whether it is the one before, what is left is still the status's own.
  const own = formerAccounts.length < noted.length + attempted.length ? ownPart(status) : undefined;
  if (!crdsFit || certificate.spec.suspend) return {};
  // The journal wakes the resource when it is ready.
  if (!view) return {};
  const { clock } = deps;
  const timely = withInputs(task, { now: clock.now(), monotonic: clock.monotonic() });
  const all: Progress[] = [];
  const served = certificateRef(status);
  for (const left of formerAccounts) {
    const isPresent = left.account === present;
    all.push(await workAt({ ...timely, view }, left, { isPresent, served }));
  }
  const next = all
    .flatMap(({ left }) => (left && claimsOf(left).length > 0 ? left : []))
    .slice(-MAX_ACCOUNTS);
  const isChanged = next.length !== noted.length || next.some((left, i) => left !== noted[i]);
  const concluded = own && (await workAt({ ...timely, view }, own, { isPresent: false, served: undefined }));
  if (concluded) all.push(concluded);
  const why = all.find((each) => each.why)?.why;
  const conditions = why ? [{ type: FORMER_ACCOUNT_PENDING, status: 'True' as const, ...why }] : [];
  const removed = why ? [] : [FORMER_ACCOUNT_PENDING];
  const change = {
    ...(isChanged ? { formerAccounts: next.length === 0 ? null : next } : {}),
    ...(concluded && concluded.left !== own ? asOwnPart(concluded.left) : {}),
  };
  const reported = await deps.statuses.writeNews({ certificate, conditions, removed, signal });
  if (Object.keys(change).length > 0) {
    await deps.statuses.write({ certificate: reported, change, signal });
    deps.revocationRetries.recorded(certificate.metadata.uid ?? '');
  }
  for (const { end } of all) end?.();
  if (why && reported !== certificate) deps.warn(certificate, why.reason, why.message);
  return soonest(all.map(({ result }) => result));
}

/** The account that the resource uses now; undefined while that is not known. */
function presentAccount(
  { issuer, issuerExists, certificate }: Inputs,
  view: TinyCertView | undefined,
): AccountDigest | undefined {
  const account = issuer?.ready ? issuer.issuer.account : issuer?.account;
  if (account) return account.digest;
  // It is being checked, or has no credentials: nobody knows which account it has.
  if (issuerExists) return undefined;
  return statedAccount(issuer, certificate, view);
}

/** Accounts at which the resource has an open attempt and nothing else. `present`: the account that it uses now, if that is known. */
export function onlyAttempted(
  view: TinyCertView | undefined,
  { metadata: { uid = '' }, status }: TinyCertCertificate,
  present: AccountDigest | undefined,
): FormerAccount[] {
  if (present === undefined) return [];
  const noted = new Set([present, ...(status?.formerAccounts ?? []).map(({ account }) => account)]);
  return accountsWithAttempt(view, uid)
    .filter((account) => !noted.has(account))
    .map((account) => ({ account }));
}

/**
 * `isPresent`: the resource uses the account by now, so an attempt there is that of the resource and not of what is left.
 * `served`: the certificate that has replaced the one there.
 */
async function workAt(
  task: Ready,
  left: FormerAccount,
  { isPresent, served }: { isPresent: boolean; served: CertificateRef | undefined },
): Promise<Progress> {
  const { deps, inputs, view } = task;
  const { certificate } = inputs;
  const { metadata, spec } = certificate;
  const { onReplace = 'None' } = spec.revocation ?? {};
  const found = isPresent
    ? { attempt: undefined, unreadable: undefined }
    : attemptAt(deps, view, { metadata, status: left }, left.account, false);
  const hasAttempt = found.attempt !== undefined || found.unreadable !== undefined;
  const isReplaced = served !== undefined;
  if (!hasDuty(left, { onReplace, isReplaced }) && !hasAttempt) return { left, result: {} };
  const access = accessTo(deps, certificate, left.account);
  if (!access) {
    if (found.attempt) await makeWay({ deps, inputs, view }, found.attempt);
    return { left, result: {}, why: outOfReach(left, hasAttempt) };
  }
  const isProved = claimsOf(left).length === 0 || isSealed(access.issuer.account, { metadata, status: left });
  if (!isProved) {
    // A person may never come. An open attempt keeps its request, and hides what others bought from the inventory.
    const owner = attemptOwner(metadata.uid ?? '', left.account);
    const quiet = found.attempt ? quietAfterMs(deps, view, owner) : 0;
    if (found.attempt && quiet === 0) giveUpAttempt(deps, view, owner, 'Undecided');
    return { left, result: quiet > 0 ? { requeueAfterMs: quiet } : {}, why: unproven(left, hasAttempt) };
  }
  if (found.unreadable !== undefined) return { left, result: {}, why: unreadable(left, found.unreadable) };
  const uid = metadata.uid ?? '';
  const waits = deps.revocationRetries.waits(uid, deps.clock.monotonic());
  if (waits > 0) return { left, result: { requeueAfterMs: waits } };
  const work = workWith(task, access, left);
  return workThrough(isPresent ? withInputs(work, { attempt: undefined }) : work, access, left, served);
}

/** A task that the journal is ready for. */
type Ready = Task & { view: TinyCertView };

/** The work of the resource at a former account: as if its status named nothing else. */
export function workWith(task: Ready, { issuer }: AccountAccess, left: FormerAccount): Work {
  const { deps, inputs, view } = task;
  const { certificate } = inputs;
  const {
    account: _,
    authorityId: __,
    certificateId: ___,
    attemptId: ____,
    ...status
  } = certificate.status ?? {};
  const there = { ...certificate, status: { ...status, ...left } };
  const { attempt } = attemptAt(deps, view, there, left.account, true);
  const changed = { certificate: there, sealed: true, issuerKey: issuer.key, attempt };
  return { ...withInputs(task, changed), issuer };
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
  let end: (() => void) | undefined;
  try {
    const concluded = await conclude(work, next);
    if ('quietAfterMs' in concluded) return { left, result: { requeueAfterMs: concluded.quietAfterMs } };
    next = concluded.left;
    end = concluded.end;
    next = present ? replaced(work, next, present) : next;
    next = await revokeDueAt(work, access, next, (done) => {
      next = done;
    });
    if (next !== left) deps.revocationRetries.succeeded(uid);
    return { left: sealed(work.issuer, certificate, left, next), end, result: nextDue(next, inputs.now) };
  } catch (error) {
    const asked = { uid, key: keyOf(certificate), issuerKey: access.issuer.key, ...access };
    const { result, why } = afterFailedRevocation(deps, asked, error, signal);
    return { left: sealed(work.issuer, certificate, left, next), end, result, why };
  }
}

/** What an open attempt at a former account bought becomes a former certificate there. Rejects as `recover` does. */
export async function conclude(
  work: Work,
  left: FormerAccount,
): Promise<{ left: FormerAccount; end?: () => void } | { quietAfterMs: number }> {
  const { deps, inputs, view } = work;
  const { attempt: open } = inputs;
  if (!open) return { left };
  let bought = boughtIn(open);
  let records: readonly Recording[] = [];
  if (!bought && open.progress.is === 'open') {
    if (inputs.monotonic < open.quietAt) return { quietAfterMs: open.quietAt - inputs.monotonic };
    const recovery = await recover(work, open);
    ({ records } = recovery);
    if ('adopt' in recovery.verdict) bought = recovery.verdict.adopt;
  }
  const owner = attemptOwner(inputs.certificate.metadata.uid ?? '', open.attempt.account);
  return {
    left: bought ? { ...left, formerCertificates: withFormer(left, bought).kept } : left,
    end: () => endAttempt(deps, view, owner, open.id, records),
  };
}

/** Once another certificate is served, the one of a former account is a former certificate, and `onReplace` applies to it. */
function replaced({ inputs }: Work, left: FormerAccount, present: CertificateRef): FormerAccount {
  const { revocation } = inputs.certificate.spec;
  const served = certificateRef(left);
  if (!served) return left;
  const {
    authorityId: _,
    certificateId: __,
    serialNumber: ___,
    notAfter: ____,
    revision: _____,
    ...rest
  } = left;
  const { pendingRevocations } = afterReplacement(revocation ? { revocation } : {}, left, present, {
    now: inputs.now,
  });
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
  const { uid = '' } = certificate.metadata;
  await changeAll({ deps, issuer, signal, uid }, wanted, ticket, (done, outcome) => {
    next = without(next, done.certificate);
    // Nobody adopts what is revoked, and a deletion need not revoke it again.
    if (isAtEnd(outcome)) next = withoutFormer(next, done.certificate);
    onDone(next);
  });
  return next;
}

function without(left: FormerAccount, done: CertificateRef): FormerAccount {
  const { pendingRevocations = [], ...rest } = left;
  const others = pendingRevocations.filter((each) => certificateKey(each) !== certificateKey(done));
  return others.length === 0 ? rest : { ...rest, pendingRevocations: others };
}

function withoutFormer(left: FormerAccount, ended: CertificateRef): FormerAccount {
  const { formerCertificates = [], ...rest } = left;
  const others = formerCertificates.filter((each) => certificateKey(each) !== certificateKey(ended));
  return others.length === 0 ? rest : { ...rest, formerCertificates: others };
}

/** What is left, sealed anew if it changed; undefined if it claims nothing any more. */
export function sealed(
  { account }: ReadyIssuer,
  { metadata: { uid = '' } }: TinyCertCertificate,
  before: FormerAccount,
  after: FormerAccount,
): FormerAccount | undefined {
  if (after === before) return before;
  if (claimsOf(after).length === 0) return undefined;
  return { ...after, seal: sealOf(account, uid, after) };
}

function nextDue({ pendingRevocations = [] }: FormerAccount, now: number): ReconcileResult {
  const later = pendingRevocations.map(({ notBefore }) => Date.parse(notBefore)).filter((time) => time > now);
  return later.length === 0 ? {} : { requeueAt: Math.min(...later) };
}

function outOfReach(left: FormerAccount, hasAttempt: boolean): Reason {
  return {
    reason: 'FormerAccountUnavailable',
    message: `No issuer that is ready has the account that this resource used before, so this is not done there: ${openAt(left, hasAttempt)}. Create an issuer with that account in this namespace, or make the one ready that has it, or do it at TinyCert.`,
  };
}

function unproven(left: FormerAccount, hasAttempt: boolean): Reason {
  return {
    reason: 'SealBroken',
    message: `${BROKEN_SEAL}, so this is not done at the account that this resource used before: ${openAt(left, hasAttempt)}. Check at TinyCert whether it should be.`,
  };
}

function unreadable(left: FormerAccount, key: string): Reason {
  return {
    reason: 'AttemptUnreadable',
    message: `The operator's journal has an attempt at the account that this resource used before which this version cannot read, so this is not done there: ${openAt(left, true)}. Run the version that wrote it; or find out at TinyCert what it bought, then delete the key ${key} from the journal's Secret.`,
  };
}

/** What is open at a former account, in words. */
function openAt(left: FormerAccount, hasAttempt: boolean): string {
  const { pendingRevocations = [] } = left;
  const holds = pendingRevocations.map(({ action, certificateId }) =>
    action === 'Hold' ? `certificate ${certificateId} put on hold` : `certificate ${certificateId} revoked`,
  );
  const served = certificateRef(left);
  return [
    ...(hasAttempt ? ['an attempt that has no result yet is concluded'] : []),
    ...holds,
    ...(served && holds.length === 0 ? [`what onReplace asks for certificate ${served.certificateId}`] : []),
  ].join('; ');
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

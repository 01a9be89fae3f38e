import type { Account } from '../account/tinycert-account.ts';
import { certificates, type TinyCertCertificate } from '../api/kinds.ts';
import { parseCertificate } from '../api/parse.ts';
import { type AccountDigest, certificateKey } from '../api/tinycert/identity.ts';
import { inPlaces } from '../issuance/decide/gate-turn.ts';
import { type ReconcileCertificate, withEnd } from '../issuance/decide/with-end.ts';
import { BY_SECRET } from '../issuance/secret/name-claims.ts';
import { withValidSpec } from '../issuance/status/with-valid-spec.ts';
import { uidOfOwner } from '../issuance/tinycert/attempt.ts';
import { claimsOf } from '../issuance/tinycert/claims.ts';
import { issuerKey } from '../issuance/tinycert/issuer-directory.ts';
import { TermOver } from '../journal/errors.ts';
import type { ReconcileResult } from '../kube/controller/controller.ts';
import { Lifetimes } from '../kube/controller/lifetimes.ts';
import { LIST_PRIORITY, type WorkQueue } from '../kube/controller/queue.ts';
import { keyOf } from '../kube/objects.ts';
import { failpoint } from '../lib/failpoint.ts';
import { act } from './act.ts';
import { uidsWithAttemptAt } from './context/attempts.ts';
import { BY_CERTIFICATE, BY_FORMER_ACCOUNT, BY_ISSUER, BY_UID, type Deps } from './context/deps.ts';
import { gather } from './context/gather.ts';
import type { Inputs } from './context/inputs.ts';
import { DECIDE_AGAIN_MS, type Task, withInputs, workOf } from './context/work.ts';
import { decide } from './decide/plan.ts';
import { nextRevocationAt } from './decide/revocations-due.ts';
import { finalize } from './deletion/finalize.ts';
import { hasFinalizer, keepFinalizer } from './deletion/finalizer.ts';
import { readDeleted } from './deletion/readable.ts';
import type { Unfinalized } from './deletion/unfinalized.ts';
import { parkedUnread } from './issue/at-gate.ts';
import { afterFailedRead } from './issue/failure.ts';
import { workAtFormerAccounts } from './revocation/former-accounts.ts';
import { revokeDue } from './revocation/revoke-due.ts';
import { changeAccount } from './secret/change-account.ts';

/**
 * The controller of TinyCertCertificates. It reads certificates, the metadata of their Secrets and the issuer directory. It
 * writes the status, the finalizer and the Secrets of certificates, and the journal.
 */
export function reconciler(deps: Deps): ReconcileCertificate {
  const exists = (key: string): boolean => deps.certificates.get(key) !== undefined;
  return inPlaces(deps.gates, exists, async (key, context) => {
    const { signal, log } = context;
    deps.atRest.forget(key);
    const certificate = newest(deps, key);
    const isDeleted = certificate?.metadata.deletionTimestamp !== undefined;
    if (!certificate || (isDeleted && !hasFinalizer(certificate))) return undefined;
    // In the same turn as the resource, so that no term begins between the two (`takeoverLists`).
    const view = deps.journal.viewFor(certificate.metadata.uid ?? '');
    const parsed = isDeleted ? readDeleted(deps, certificate) : parseCertificate(certificate);
    const result = await withValidSpec(deps, certificate, parsed, context, async (valid) => {
      if (isDeleted) return finalize(deps, valid, view, context);
      const kept = await keepFinalizer(deps, valid, signal);
      const parked = parkedUnread(deps, kept, view);
      if (parked) return parked;
      const inputs = await gather(deps, kept, view, signal);
      return reconcile({ deps, inputs, view, signal, log });
    }).catch((error: unknown) => {
      // The journal wakes the certificate when it is ready again.
      if (error instanceof TermOver) return {};
      throw error;
    });
    return withEnd(newest(deps, key) ?? certificate, result, deps.clock.now());
  });
}

/** The newest version of a certificate that this process knows: its cache, or its own later write. */
function newest(deps: Deps, key: string): TinyCertCertificate | undefined {
  return deps.writtenCertificates.newest(key, deps.certificates.get(key));
}

/** Makes the revocations that are due, then meets the need of the certificate. One wake-up by the gate covers both. */
async function reconcile(task: Task): Promise<ReconcileResult> {
  const { deps, view, signal } = task;
  try {
    const changed = await changeAccount(task);
    if (changed) return changed;
  } catch (error) {
    if (!task.inputs.issuer?.ready || !view) throw error;
    return afterFailedRead(workOf(task), error);
  }
  const { inputs: present, result } = await revokeDue(task);
  // The world may have changed while the CA was asked.
  const inputs = present === task.inputs ? present : await gather(deps, present.certificate, view, signal);
  if (accountOf(inputs) !== accountOf(task.inputs)) return { requeueAfterMs: DECIDE_AGAIN_MS };
  const plan = decide(inputs);
  deps.atRest.note(
    keyOf(inputs.certificate),
    plan.do === 'nothing' && plan.wakeBy === undefined && inputs.hasJournal,
    inputs.issuer,
  );
  failpoint('decide');
  const acted = await act({ ...task, inputs }, plan);
  // The result of a plan may make a revocation due.
  const key = keyOf(inputs.certificate);
  const after = newest(deps, key) ?? inputs.certificate;
  const left = await workAtFormerAccounts(withInputs(task, { certificate: after }));
  const requeueAt = nextRevocationAt({ certificate: after, now: inputs.now });
  const requeueAfterMs = deps.certificateSecrets.looksAgainIn(after, inputs.secret);
  return [acted, left, { requeueAt, requeueAfterMs }].reduce(sooner, result);
}

function accountOf({ issuer }: Pick<Inputs, 'issuer'>): Account | undefined {
  return issuer?.ready ? issuer.issuer.account : undefined;
}

/** Wires events to keys of the queue. Returns the function that ends this. */
export function wire(deps: Deps, queue: WorkQueue, unfinalized: Pick<Unfinalized, 'note'>): () => void {
  deps.certificates.addIndex(BY_ISSUER, ({ spec, metadata }) => [
    issuerKey(spec.issuerRef, metadata.namespace),
  ]);
  deps.certificates.addIndex(BY_UID, ({ metadata: { uid } }) => (uid === undefined ? [] : [uid]));
  deps.certificates.addIndex(BY_CERTIFICATE, ({ status }) => claimsOf(status).map(certificateKey));
  deps.certificates.addIndex(BY_FORMER_ACCOUNT, ({ status }) =>
    (status?.formerAccounts ?? []).map(({ account }) => account),
  );
  /** The accounts of the issuers that are ready, by the key of the issuer. */
  const usable = new Map<string, AccountDigest>();
  const ends = [
    deps.nameClaims.follow(certificates, deps.certificates),
    deps.nameClaims.onFreed((secret) => {
      for (const key of deps.certificates.keysByIndex(BY_SECRET, secret)) queue.add(key, { reason: 'freed' });
    }),
    deps.certificates.subscribe(({ type, key, object, previous }) => {
      if (type === 'delete') {
        unfinalized.note(deps.writtenCertificates.newest(key, object) ?? object);
        return;
      }
      if (deps.writtenCertificates.observe(key, object) === 'echo') return;
      queue.add(key, { reason: 'changed', priority: previous ? 0 : LIST_PRIORITY });
    }),
    deps.secrets.subscribe(({ type, key, object }) => {
      if (type === 'delete') deps.writtenSecrets.forget(key);
      else if (deps.writtenSecrets.observe(key, object) === 'echo') return;
      for (const owner of deps.certificates.keysByIndex(BY_SECRET, key))
        queue.add(owner, { reason: 'secret' });
    }),
    deps.observations.onObserved((key) => queue.add(key, { reason: 'inventory', priority: LIST_PRIORITY })),
    deps.directory.onChange((issuer) => {
      // The certificate that expires first goes first.
      const waiting = deps.certificates
        .byIndex(BY_ISSUER, issuer)
        .filter((certificate) => deps.atRest.isConcerned(keyOf(certificate), issuer))
        .map((certificate) => ({
          key: keyOf(certificate),
          end: certificate.status?.notAfter ?? certificate.metadata.creationTimestamp ?? '',
        }));
      waiting.sort((a, b) => (a.end < b.end ? -1 : 1));
      for (const { key } of waiting) queue.add(key, { reason: 'issuer', priority: LIST_PRIORITY });
      const state = deps.directory.get(issuer);
      const before = usable.get(issuer);
      const account = state?.ready ? state.issuer.account.digest : undefined;
      if (account === undefined) usable.delete(issuer);
      else usable.set(issuer, account);
      // Whoever waits at the gate of an account would wait for good once nothing uses that any more.
      const changed = [account, ...(before === account ? [] : [before])].filter((each) => each !== undefined);
      for (const key of new Set(changed.flatMap((each) => formerUsers(deps, each))))
        queue.add(key, { reason: 'issuer', priority: LIST_PRIORITY });
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}

/** The resources that have left an account, or left nothing but an open attempt there: they depend on an issuer that has it. */
function formerUsers(deps: Deps, account: AccountDigest): string[] {
  const attempting = uidsWithAttemptAt(deps.journal.view, account);
  return [
    ...deps.certificates.keysByIndex(BY_FORMER_ACCOUNT, account),
    ...attempting.flatMap((uid) => deps.certificates.keysByIndex(BY_UID, uid)),
  ];
}

/**
 * Queues what the journal wakes: a certificate by its uid or the owner of its attempt, an issuer or an owner of something that is
 * gone by its key.
 */
export function wakeByOwner(
  deps: Deps,
  queue: WorkQueue,
  unfinalized: Pick<Unfinalized, 'noteAttempt'>,
  owner: string,
): void {
  const keys = deps.certificates.keysByIndex(BY_UID, uidOfOwner(owner));
  for (const key of keys) queue.add(key, { reason: 'journal' });
  if (keys.length === 0) unfinalized.noteAttempt(owner);
}

/** Everything that is kept for a certificate, to be subscribed after `wire`. */
export function certificateLifetimes(
  deps: Deps,
  queue: WorkQueue,
  unfinalized: Pick<Unfinalized, 'noteAttempts'>,
): Lifetimes {
  return new Lifetimes({
    objects: deps.certificates,
    queue,
    owners: [
      ({ key }) => deps.writtenCertificates.forget(key),
      ({ key }) => deps.observations.forget(key),
      ({ uid }) => unfinalized.noteAttempts(uid),
      ({ uid }) => deps.revocationRetries.forget(uid),
      ({ uid }) => deps.lossSigns.forget(uid),
      ({ uid }) => deps.resealPace.forget(uid),
      ({ key }) => deps.gates.forget(key),
      ({ key }) => deps.atRest.forget(key),
      ({ uid }) => deps.repairLimiter.forget(uid),
      ({ uid }) => deps.reportLimiter.forget(uid),
    ],
  });
}

/** The earlier of the two times of each kind. */
function sooner(a: ReconcileResult, b: ReconcileResult): ReconcileResult {
  const after = Math.min(a.requeueAfterMs ?? Infinity, b.requeueAfterMs ?? Infinity);
  const when = Math.min(a.requeueAt ?? Infinity, b.requeueAt ?? Infinity);
  return {
    ...(after === Infinity ? {} : { requeueAfterMs: after }),
    ...(when === Infinity ? {} : { requeueAt: when }),
  };
}

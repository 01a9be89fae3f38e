import { type CAcertCertificate, cacertCertificates } from '../api/kinds.ts';
import { parseCAcertCertificate } from '../api/parse.ts';
import { cacertAccountKey } from '../issuance/cacert/directory.ts';
import { inPlaces } from '../issuance/decide/gate-turn.ts';
import { type ReconcileCertificate, withEnd } from '../issuance/decide/with-end.ts';
import { BY_SECRET } from '../issuance/secret/name-claims.ts';
import { withValidSpec } from '../issuance/status/with-valid-spec.ts';
import { TermOver } from '../journal/errors.ts';
import type { ReconcileResult } from '../kube/controller/controller.ts';
import { Lifetimes } from '../kube/controller/lifetimes.ts';
import { LIST_PRIORITY, type WorkQueue } from '../kube/controller/queue.ts';
import { refKey } from '../kube/objects.ts';
import { failpoint } from '../lib/failpoint.ts';
import { act } from './act.ts';
import { decide } from './decide.ts';
import { BY_ACCOUNT, BY_PENDING, BY_UID, type Deps } from './deps.ts';
import { gather } from './gather.ts';
import { deletedUncertain, revokeByHand } from './messages.ts';
import { pendingSecretRef } from './pending-keys.ts';

/**
 * The controller of CAcertCertificates. It reads certificates, the metadata of their Secrets and the directory of accounts. It
 * writes only the status of the certificates, their Secrets and the Secrets of pending keys.
 */
export function reconciler(deps: Deps): ReconcileCertificate {
  const exists = (key: string): boolean => deps.certificates.get(key) !== undefined;
  return inPlaces(deps.gates, exists, async (key, context) => {
    deps.atRest.forget(key);
    const certificate = deps.written.newest(key, deps.certificates.get(key));
    if (!certificate || certificate.metadata.deletionTimestamp !== undefined) return undefined;
    const { uid = '' } = certificate.metadata;
    // In the same turn as the resource, so that no term begins between the two (`takeoverLists`).
    const view = deps.journal.viewFor(uid);
    const parsed = parseCAcertCertificate(certificate);
    const result = await withValidSpec(deps, certificate, parsed, context, async (read) => {
      const inputs = await gather(deps, read, view, context.signal);
      const plan = decide(inputs);
      // One that waits for the journal is not at rest.
      const isAtRest = plan.do === 'nothing' && plan.wakeBy === undefined && inputs.hasJournal;
      deps.atRest.note(key, isAtRest, inputs.account);
      failpoint('decide');
      const result = await act({ deps, inputs, view, signal: context.signal, log: context.log }, plan);
      const present = deps.written.newest(key, deps.certificates.get(key)) ?? read;
      return lookingAgain(result, deps.certificateSecrets.looksAgainIn(present, inputs.secret));
    })
      .catch((error: unknown) => {
        // The journal wakes the certificate when it is ready again.
        if (error instanceof TermOver) return {};
        throw error;
      })
      .finally(() => {
        // What was learned after the resource was deleted is nobody's.
        if (deps.certificates.keysByIndex(BY_UID, uid).length === 0) deps.attempts.forget(uid);
      });
    const after = deps.written.newest(key, deps.certificates.get(key)) ?? certificate;
    return withEnd(after, result, deps.clock.now());
  });
}

/** The result, and no later than a look at a Secret that no watch shows. */
function lookingAgain(result: ReconcileResult, looksAgainMs = Infinity): ReconcileResult {
  const requeueAfterMs = Math.min(result.requeueAfterMs ?? Infinity, looksAgainMs);
  return requeueAfterMs === Infinity ? result : { ...result, requeueAfterMs };
}

/** Maps events to the keys to reconcile. Returns the function that ends the subscriptions. */
export function wire(deps: Deps, queue: WorkQueue): () => void {
  deps.certificates.addIndex(BY_ACCOUNT, ({ spec, metadata }) => [
    cacertAccountKey(metadata.namespace, spec.accountRef.name),
  ]);
  deps.certificates.addIndex(BY_UID, ({ metadata: { uid } }) => (uid === undefined ? [] : [uid]));
  deps.certificates.addIndex(BY_PENDING, (certificate) => [refKey(pendingSecretRef(certificate))]);
  const wake = (index: string, value: string, reason: string): void => {
    for (const key of deps.certificates.keysByIndex(index, value)) queue.add(key, { reason });
  };
  const ends = [
    deps.nameClaims.follow(cacertCertificates, deps.certificates),
    deps.nameClaims.onFreed((secret) => wake(BY_SECRET, secret, 'freed')),
    deps.certificates.subscribe(({ type, key, object, previous }) => {
      if (type === 'delete') {
        warnOfDeletion(deps, deps.written.newest(key, object) ?? object);
        dropEntry(deps, object);
        return;
      }
      if (deps.written.observe(key, object) === 'echo') return;
      queue.add(key, { reason: 'changed', priority: previous ? 0 : LIST_PRIORITY });
    }),
    deps.secrets.subscribe(({ type, key, object }) => {
      if (type === 'delete') deps.writtenSecrets.forget(key);
      else if (deps.writtenSecrets.observe(key, object) === 'echo') return;
      wake(BY_SECRET, key, 'secret');
      wake(BY_PENDING, key, 'pending');
    }),
    deps.directory.onChange((account) => {
      for (const key of deps.certificates.keysByIndex(BY_ACCOUNT, account))
        if (deps.atRest.isConcerned(key, account)) queue.add(key, { reason: 'account' });
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}

/** Queues a certificate that the journal knows by its uid. One that is gone leaves its entry behind. */
export function wakeByUid(deps: Deps, queue: WorkQueue, uid: string): void {
  const keys = deps.certificates.keysByIndex(BY_UID, uid);
  for (const key of keys) queue.add(key, { reason: 'journal' });
  if (keys.length === 0) removeEntry(deps, uid);
}

/** CAcert lists nothing, so nobody can find out what the open attempt of a deleted resource bought; its key is gone as well. */
function dropEntry(deps: Deps, certificate: CAcertCertificate): void {
  if (removeEntry(deps, certificate.metadata.uid ?? ''))
    deps.warn(certificate, 'IssuanceUncertain', deletedUncertain);
}

function removeEntry({ journal, attempts }: Deps, uid: string): boolean {
  attempts.forget(uid);
  const entry = journal.view?.entry(uid);
  if (entry) journal.view?.removeLater({ owner: uid, id: entry.id });
  return entry !== undefined;
}

/** Everything that is kept for a certificate, to be subscribed after `wire`. */
export function certificateLifetimes(deps: Deps, queue: WorkQueue): Lifetimes {
  return new Lifetimes({
    objects: deps.certificates,
    queue,
    owners: [
      ({ key }) => deps.written.forget(key),
      ({ uid }) => deps.attempts.forget(uid),
      ({ uid }) => deps.repairLimiter.forget(uid),
      ({ uid }) => deps.reportLimiter.forget(uid),
      ({ key }) => deps.gates.forget(key),
      ({ key }) => deps.atRest.forget(key),
    ],
  });
}

/** Nothing revokes the certificate of a deleted resource, so a person has to know about it. */
function warnOfDeletion({ clock, leads, warn }: Deps, certificate: CAcertCertificate): void {
  const { status } = certificate;
  // Every replica sees the deletion; only the leader warns.
  if (!leads() || status?.serialNumber === undefined || Date.parse(status.notAfter ?? '') <= clock.now())
    return;
  warn(certificate, 'DeletedNotRevoked', revokeByHand(status));
}

import { parseCertificate } from '../api/parse.ts';
import { certificates } from '../api/kinds.ts';
import { claimsOf } from '../issuance/tinycert/claims.ts';
import { withValidSpec } from '../issuance/status/with-valid-spec.ts';
import { BY_SECRET } from '../issuance/secret/name-claims.ts';
import { issuerKey } from '../issuance/tinycert/issuer-directory.ts';
import type { Reconcile, ReconcileContext, ReconcileResult } from '../kube/controller/controller.ts';
import { keyOf } from '../kube/objects.ts';
import { LIST_PRIORITY, type WorkQueue } from '../kube/controller/queue.ts';
import { failpoint } from '../lib/failpoint.ts';
import { act } from './act.ts';
import { decide } from './decide/plan.ts';
import { BY_CERTIFICATE, BY_ISSUER, type Deps } from './context/deps.ts';
import { nextRevocationAt } from './decide/revocations-due.ts';
import { finalize } from './deletion/finalize.ts';
import { hasFinalizer, keepFinalizer } from './deletion/finalizer.ts';
import { gather } from './context/gather.ts';
import { revokeDue } from './revocation/revoke-due.ts';
import type { Inputs } from './context/inputs.ts';
import { withTurn } from '../issuance/decide/gate-turn.ts';
import type { Unfinalized } from './deletion/unfinalized.ts';

/**
 * The controller of TinyCertCertificates. It reads certificates, their Secrets' metadata and the issuer directory, and
 * writes the certificates' status, finalizer and Secrets, nothing else.
 */
export function reconciler(deps: Deps): Reconcile {
  return async (key, context) => {
    const certificate = deps.writtenCertificates.newest(key, deps.certificates.get(key));
    const isDeleted = certificate?.metadata.deletionTimestamp !== undefined;
    if (!certificate || (isDeleted && !hasFinalizer(certificate))) return {};
    const parsed = parseCertificate(certificate);
    return withValidSpec(deps, certificate, parsed, context.signal, async (read) => {
      if (isDeleted) return finalize(deps, read, context);
      const kept = await keepFinalizer(deps, read, context.signal);
      const gathered = await gather(deps, kept, context.signal);
      const { issuer } = gathered;
      const gate = issuer?.ready ? issuer.issuer.account.gate : undefined;
      return withTurn(gate, kept, () => work(deps, gathered, context));
    });
  };
}

/** Keeps what was promised, then does what the certificate needs. A call of the gate is for all of it. */
async function work(deps: Deps, gathered: Inputs, context: ReconcileContext): Promise<ReconcileResult> {
  const { inputs, result } = await revokeDue(deps, gathered, context);
  const plan = decide(inputs);
  failpoint('decide');
  const acted = await act(deps, inputs, plan, context);
  // What was done may have promised something.
  const key = keyOf(inputs.certificate);
  const after = deps.writtenCertificates.newest(key, deps.certificates.get(key)) ?? inputs.certificate;
  const requeueAt = nextRevocationAt({ certificate: after, now: inputs.now });
  return [acted, { requeueAt }].reduce(sooner, result);
}

/** Which events lead to which keys. Returns the function that ends this. */
export function wire(deps: Deps, queue: WorkQueue, vanished: Pick<Unfinalized, 'note'>): () => void {
  deps.certificates.addIndex(BY_ISSUER, ({ spec, metadata }) => [
    issuerKey(spec.issuerRef, metadata.namespace),
  ]);
  deps.certificates.addIndex(BY_CERTIFICATE, ({ status }) => claimsOf(status).map(String));
  const ends = [
    deps.nameClaims.follow(certificates, deps.certificates),
    deps.nameClaims.onFreed((secret) => {
      for (const key of deps.certificates.keysByIndex(BY_SECRET, secret)) queue.add(key, { reason: 'freed' });
    }),
    deps.certificates.subscribe(({ type, key, object, previous }) => {
      if (type === 'delete') {
        vanished.note(deps.writtenCertificates.newest(key, object) ?? object);
        deps.writtenCertificates.forget(key);
        deps.revocationRetries.forget(object.metadata.uid ?? '');
        queue.forget(key);
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
      // Whose certificate ends first goes first.
      const waiting = deps.certificates.byIndex(BY_ISSUER, issuer).map((certificate) => ({
        key: keyOf(certificate),
        end: certificate.status?.notAfter ?? certificate.metadata.creationTimestamp ?? '',
      }));
      waiting.sort((a, b) => (a.end < b.end ? -1 : 1));
      for (const { key } of waiting) queue.add(key, { reason: 'issuer', priority: LIST_PRIORITY });
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}

/** When to look again, of two times of each kind the earlier. */
function sooner(a: ReconcileResult, b: ReconcileResult): ReconcileResult {
  const after = Math.min(a.requeueAfterMs ?? Infinity, b.requeueAfterMs ?? Infinity);
  const when = Math.min(a.requeueAt ?? Infinity, b.requeueAt ?? Infinity);
  return {
    ...(after === Infinity ? {} : { requeueAfterMs: after }),
    ...(when === Infinity ? {} : { requeueAt: when }),
  };
}

import type { TinyCertCertificate } from '../../api/kinds.ts';
import { uidOfOwner } from '../../issuance/tinycert/attempt.ts';
import { claimsOf } from '../../issuance/tinycert/claims.ts';
import { issuerKey } from '../../issuance/tinycert/issuer-directory.ts';
import type { TinyCertView } from '../../issuance/tinycert/records.ts';
import { isSealed } from '../../issuance/tinycert/seal.ts';
import { TermOver } from '../../journal/errors.ts';
import type { Reconcile, ReconcileResult } from '../../kube/controller/controller.ts';
import type { WorkQueue } from '../../kube/controller/queue.ts';
import { BY_UID, type Deps } from '../context/deps.ts';
import { giveUpAttempt, quietAfterMs } from '../recovery/give-up.ts';
import { givenUpBy } from './given-up.ts';

/** The deletion of a namespace is many events. They are collected this long. */
const COLLECT_MS = 500;
/** For each issuer: the journal remembers no more. */
const MAX_PENDING = 1000;

/**
 * Records what a resource deleted without our finalizer had: its certificates, so that no other resource adopts them and no
 * inventory reports them as orphans; and its open attempts, once they can have no more effect, so that what they may have
 * bought is found. Every replica collects the certificates and the leader writes, so that little is lost with a leader. The attempts stand in the journal, however long ago
 * the resource went.
 */
export class Unfinalized {
  readonly #deps: Deps;
  readonly #queue: WorkQueue;
  readonly #pending = new Map<string, TinyCertCertificate[]>();

  constructor(deps: Deps, queue: WorkQueue) {
    this.#deps = deps;
    this.#queue = queue;
  }

  /** Subscribes to the directory. Returns the function that unsubscribes. */
  wire(): () => void {
    const { directory } = this.#deps;
    return directory.onChange((key) => {
      if (this.#pending.has(key)) this.#queue.add(key, { afterMs: COLLECT_MS, reason: 'issuer' });
    });
  }

  /** Notes a resource that is gone, in the newest known version. */
  note(certificate: TinyCertCertificate): void {
    const { status, spec, metadata } = certificate;
    if (claimsOf(status).length === 0) return;
    const key = issuerKey(spec.issuerRef, metadata.namespace);
    const pending = this.#pending.get(key) ?? [];
    pending.push(certificate);
    this.#pending.set(key, pending.slice(-MAX_PENDING));
    this.#queue.add(key, { afterMs: COLLECT_MS, reason: 'deleted' });
  }

  /** A resource is gone: what this process knows of its attempts ends with them, and they are given up once they are quiet. */
  noteAttempts(uid: string): void {
    const { attempts, journal } = this.#deps;
    for (const owner of attempts.ownersOf(uid)) if (!journal.view?.entry(owner)) attempts.forget(owner);
    for (const [owner] of journal.view?.entriesOf(uid) ?? []) this.noteAttempt(owner);
  }

  /** The resource of this owner of an open attempt is gone. */
  noteAttempt(owner: string): void {
    this.#queue.add(owner, { reason: 'deleted' });
  }

  /** Records what is pending for an issuer that is gone. */
  review(issuerKey: string): void {
    if (this.#pending.has(issuerKey) && !this.#deps.issuerExists(issuerKey))
      this.#queue.add(issuerKey, { reason: 'issuer' });
  }

  /** The resources that are gone and not recorded yet. */
  *pending(): Generator<TinyCertCertificate> {
    for (const gone of this.#pending.values()) yield* gone;
  }

  /** Records what is pending for one issuer, or the attempt of one owner. */
  readonly reconcile: Reconcile = async (key, { signal, log }) => {
    signal.throwIfAborted();
    // The journal wakes it when it is ready.
    const view = this.#deps.journal.viewFor(key);
    if (!view) return {};
    try {
      if (!this.#isIssuer(key)) return this.#giveUp(view, key);
      const recorded = await this.#record(view, key);
      if (recorded) log.info(recorded, 'Recorded what deleted resources gave up');
      return {};
    } catch (error) {
      if (error instanceof TermOver) return {};
      throw error;
    }
  };

  #isIssuer(key: string): boolean {
    return key.includes(':');
  }

  #giveUp(view: TinyCertView, owner: string): ReconcileResult {
    const { certificates } = this.#deps;
    if (certificates.keysByIndex(BY_UID, uidOfOwner(owner)).length > 0) return {};
    const waitMs = quietAfterMs(this.#deps, view, owner);
    if (waitMs > 0) return { requeueAfterMs: waitMs };
    giveUpAttempt(this.#deps, view, owner);
    return {};
  }

  async #record(
    view: TinyCertView,
    key: string,
  ): Promise<{ certificateIds: number[]; resources: number } | undefined> {
    const { directory, installation, issuerExists } = this.#deps;
    // More may go while these are being written.
    const pending = [...(this.#pending.get(key) ?? [])];
    if (pending.length === 0) return undefined;
    const state = directory.get(key);
    const own = state?.ready ? state.issuer.account : state?.account;
    const sealers = [installation, ...(own ? [own] : [])];
    const isTrue = (resource: TinyCertCertificate): boolean =>
      sealers.some((sealer) => isSealed(sealer, resource));
    const believed = pending.filter((gone) => partsOf(gone).some(isTrue));
    // If the installation's key was lost, only credentials that the CA has accepted can tell. The directory signals when they are.
    const judged = state?.ready || !issuerExists(key) ? pending : believed;
    if (judged.length === 0) return undefined;
    const options = { issuerKey: key, sealers };
    const given = judged.flatMap((gone) =>
      partsOf(gone).map((part) => givenUpBy(this.#deps, view, part, options)),
    );
    const records = given.flatMap((each) => each.records);
    if (records.length > 0) await view.record(key, records);
    const left = (this.#pending.get(key) ?? []).filter((gone) => !judged.includes(gone));
    if (left.length === 0) this.#pending.delete(key);
    else this.#pending.set(key, left);
    const certificateIds = given.flatMap((each) =>
      each.certificates.map(({ certificateId }) => certificateId),
    );
    return { certificateIds, resources: judged.length };
  }
}

/** The resource at its present account, and as if it had only what it left at each former one: each part has a seal of its own. */
function partsOf(certificate: TinyCertCertificate): TinyCertCertificate[] {
  const { formerAccounts = [] } = certificate.status ?? {};
  return [certificate, ...formerAccounts.map((left) => ({ ...certificate, status: left }))];
}

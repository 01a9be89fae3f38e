import type { TinyCertCertificate } from '../../api/kinds.ts';
import { certificateKey, type CertificateRef, certificateRef } from '../../api/tinycert/identity.ts';
import type { Timing } from '../../issuance/attempt/timing.ts';
import { isOpen } from '../../issuance/tinycert/attempt.ts';
import { claimsOf } from '../../issuance/tinycert/claims.ts';
import { issuerKey } from '../../issuance/tinycert/issuer-directory.ts';
import { type Abandoned, type Released, abandoned, released } from '../../issuance/tinycert/released.ts';
import { isSealed } from '../../issuance/tinycert/seal.ts';
import type { Reconcile } from '../../kube/controller/controller.ts';
import type { WorkQueue } from '../../kube/controller/queue.ts';
import { accessTo } from '../context/account-access.ts';
import { BY_CERTIFICATE, type Deps } from '../context/deps.ts';

/** The deletion of a namespace is many events. They are collected this long, for one write. */
const COLLECT_MS = 500;
/** For each issuer, which can remember no more. */
const MAX_PENDING = 1000;

interface Gone {
  certificate: TinyCertCertificate;
  /** When its deletion was seen: milliseconds since the epoch. */
  at: number;
}

/**
 * Records, on the issuer, what a resource deleted without our finalizer had (`recordGivenUp`): its certificates, so that no
 * other resource adopts them and no inventory reports them as orphans; its open attempt, so that what it may have bought is
 * found. Every replica collects and the leader writes, so that little is lost with a leader.
 */
export class Unfinalized {
  readonly #deps: Deps;
  readonly #queue: WorkQueue;
  readonly #pending = new Map<string, Gone[]>();

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
    if (claimsOf(status).length === 0 && status?.attempt === undefined && !status?.formerAccounts) return;
    const key = issuerKey(spec.issuerRef, metadata.namespace);
    const pending = this.#pending.get(key) ?? [];
    pending.push({ certificate, at: this.#deps.clock.now() });
    this.#pending.set(key, pending.slice(-MAX_PENDING));
    this.#queue.add(key, { afterMs: COLLECT_MS, reason: 'deleted' });
  }

  /** Forgets what was to be recorded on an issuer that is gone: nothing else would. */
  review(issuerKey: string): void {
    if (!this.#deps.issuerExists(issuerKey)) this.#pending.delete(issuerKey);
  }

  /** The resources that are gone and not recorded yet. */
  *pending(): Generator<TinyCertCertificate> {
    for (const gone of this.#pending.values()) for (const { certificate } of gone) yield certificate;
  }

  /** Records what is pending for one issuer. */
  readonly reconcile: Reconcile = async (key, { signal, log }) => {
    const { certificates, directory, issuerExists, releasedStore, timing } = this.#deps;
    // More may go while these are being written.
    const pending = [...(this.#pending.get(key) ?? [])];
    if (pending.length === 0) return {};
    if (!issuerExists(key)) {
      this.#pending.delete(key);
      return {};
    }
    const state = directory.get(key);
    // Only the account can verify a seal. The directory signals when there is one.
    const sealer = state?.ready ? state.issuer.account : state?.account;
    if (!sealer) return {};
    const believed = pending.filter(({ certificate }) => isSealed(sealer, certificate));
    // Credentials that the CA has not accepted may fail to verify a seal that is valid.
    const judged = state?.ready ? pending : believed;
    if (judged.length === 0) return {};
    const all = believed.flatMap((gone) => [gone, ...atFormerAccounts(this.#deps, gone)]);
    // A resource that was created again may have adopted its certificate. A status without a seal does not speak for it.
    const isTaken = (each: CertificateRef): boolean =>
      certificates
        .byIndex(BY_CERTIFICATE, certificateKey(each))
        .some((resource) => isSealed(sealer, resource));
    const given = {
      released: all.flatMap(releasedOf).filter((each) => !isTaken(each)),
      abandoned: all.flatMap((gone) => abandonedOf(gone, timing)),
    };
    await releasedStore.add(key, given, signal);
    log.info(
      { certificateIds: given.released.map(({ certificateId }) => certificateId), resources: judged.length },
      'Recorded on the issuer what deleted resources gave up',
    );
    const left = (this.#pending.get(key) ?? []).filter((gone) => !judged.includes(gone));
    if (left.length === 0) this.#pending.delete(key);
    else this.#pending.set(key, left);
    return {};
  };
}

/** The same resource as if it had only what it left at a former account, for each whose seal can be verified and holds. */
function atFormerAccounts(deps: Deps, { certificate, at }: Gone): Gone[] {
  const { metadata, status } = certificate;
  return (status?.formerAccounts ?? []).flatMap((left) => {
    const access = accessTo(deps, certificate, left.account);
    const isBelieved = access && isSealed(access.issuer.account, { metadata, status: left });
    return isBelieved ? [{ certificate: { ...certificate, status: left }, at }] : [];
  });
}

/** The certificates that a resource had. The present one comes last, so it is remembered longest. */
function releasedOf({ certificate: { metadata, status }, at }: Gone): Released[] {
  const { attempt, formerCertificates = [] } = status ?? {};
  const had = new Map(
    [...formerCertificates, certificateRef(attempt), certificateRef(status)].flatMap((each) =>
      each ? [[certificateKey(each), each]] : [],
    ),
  );
  return released(metadata, [...had.values()], at, 'Deleted');
}

/** Its attempt, if it is unknown what that bought. */
function abandonedOf({ certificate: { metadata, status } }: Gone, timing: Timing): Abandoned[] {
  const attempt = status?.attempt;
  if (!attempt || !isOpen(status) || attempt.certificateId !== undefined) return [];
  return [abandoned(metadata, attempt, timing)];
}

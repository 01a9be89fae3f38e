import { effectiveNames } from '../api/effective.ts';
import type { Attempt } from '../api/certificate-status.ts';
import { certificates, type TinyCertCertificate } from '../api/kinds.ts';
import { isCandidate, isFor, isFromWindow } from '../issuance/claims.ts';
import { isOpen } from '../issuance/attempt.ts';
import { issuerKey, type ReadyIssuer } from '../issuance/issuer-directory.ts';
import { isSameRequest, type Request, requestOf } from '../issuance/request.ts';
import { quietAfter } from '../issuance/timing.ts';
import type { ReconcileContext } from '../kube/controller.ts';
import { ApiError } from '../kube/errors.ts';
import { failpoint } from '../lib/failpoint.ts';
import { type CertificateSummary, TinyCertError } from '../tinycert/index.ts';
import { type Certificate, readCertificate } from '../x509/certificate.ts';
import { sameNames } from '../x509/names.ts';
import type { Deps } from './deps.ts';
import type { Inputs } from './inputs.ts';

/** What came of an attempt without a result. */
export type Verdict =
  /** It bought this certificate, which nobody else can have. */
  | { adopt: number }
  /** It bought nothing, or nothing that can be told to be ours: make another attempt. */
  | { again: 'New' | 'Reissue' };

/**
 * Finds out what an attempt bought (rules 6 and 7), once nothing of it can happen any more. The order matters: the CA's
 * list is taken before the cluster's, so that whoever claims a listed certificate is in the cluster's.
 */
export async function recover(
  deps: Deps,
  inputs: Inputs,
  issuer: ReadyIssuer,
  attempt: Attempt,
  { signal, log }: ReconcileContext,
): Promise<Verdict> {
  const look = new Look(deps, inputs, issuer, attempt, signal);
  const again = attempt.operation;
  // A forged attempt could reach back to certificates of others, so that an unsealed one is only replaced.
  if (inputs.sealed === false) return { again };
  const inSecret = await look.inOwnSecret();
  if (inSecret !== undefined) return { adopt: inSecret };
  const isPreviousObsolete = attempt.operation === 'Reissue' && (await look.isPreviousObsolete());
  failpoint('previous');
  const candidates = await look.candidates();
  failpoint('list');
  await look.assertUnchanged();
  failpoint('live');
  if (attempt.operation === 'Reissue') {
    const successor = await look.successor(candidates);
    if (successor !== undefined) return { adopt: successor };
    return { again: isPreviousObsolete ? 'New' : 'Reissue' };
  }
  const matching = await look.matching(candidates);
  if (matching.length === 0) return { again };
  const [only] = await look.unclaimed(matching);
  failpoint('cluster');
  if (only !== undefined && matching.length === 1 && (await look.isSole())) return { adopt: only };
  log.warn(
    { candidates: matching, attempt: attempt.id },
    'Certificates that this attempt may have bought cannot be told from others and are left alone',
  );
  return { again };
}

/** The looks of one recovery, each at the CA or live at the API server. */
class Look {
  readonly #deps: Deps;
  readonly #inputs: Inputs;
  readonly #issuer: ReadyIssuer;
  readonly #attempt: Attempt;
  readonly #options: { signal: AbortSignal; deadlineMs: number };
  #resources: TinyCertCertificate[] | undefined;

  constructor(deps: Deps, inputs: Inputs, issuer: ReadyIssuer, attempt: Attempt, signal: AbortSignal) {
    this.#deps = deps;
    this.#inputs = inputs;
    this.#issuer = issuer;
    this.#attempt = attempt;
    this.#options = { signal, deadlineMs: deps.timing.callDeadline };
  }

  /** The id of the certificate in the own Secret, if the attempt got that far. Its annotation is checked at the CA. */
  async inOwnSecret(): Promise<number | undefined> {
    const { secret, certificate, names } = this.#inputs;
    if (secret.state !== 'changed' || !secret.held) return undefined;
    const { claimedId, leaf } = secret.held;
    if (claimedId === undefined || claimedId <= (certificate.status?.certificateId ?? this.#attempt.afterId))
      return undefined;
    if (!sameNames(leaf.names, names)) return undefined;
    const atCa = await orGone(this.#certificate(claimedId));
    return atCa?.raw.equals(leaf.raw) ? claimedId : undefined;
  }

  /** Whether the certificate that was to be reissued has been replaced, or is gone. */
  async isPreviousObsolete(): Promise<boolean> {
    const { previousId } = this.#attempt;
    if (previousId === undefined) return true;
    const details = await orGone(
      this.#issuer.account.client.getCertificateDetails(previousId, this.#options),
    );
    return details === undefined || details.status === 'obsolete';
  }

  /** Lines of the CA's list that can be what the attempt bought, newest first. */
  async candidates(): Promise<CertificateSummary[]> {
    const { account, authority } = this.#issuer;
    const found: CertificateSummary[] = [];
    account.noteId(authority.id, 0);
    await account.client.streamCertificates(
      authority.id,
      undefined,
      (entry) => {
        account.noteId(authority.id, entry.id);
        if (isCandidate(this.#attempt, this.#inputs.names, entry)) found.push(entry);
      },
      this.#options,
    );
    return found.sort((a, b) => b.id - a.id);
  }

  /** The newest certificate with the same public key as the one that was to be reissued. */
  async successor(candidates: readonly CertificateSummary[]): Promise<number | undefined> {
    const { previousId } = this.#attempt;
    if (previousId === undefined || candidates.length === 0) return undefined;
    const previous = await orGone(this.#certificate(previousId));
    if (!previous) return undefined;
    for (const { id } of candidates) {
      const candidate = await this.#certificate(id);
      if (candidate.publicKeyFingerprint === previous.publicKeyFingerprint) return id;
    }
    return undefined;
  }

  /** Ids of candidates that were asked for with exactly this, within the time of the attempt. */
  async matching(candidates: readonly CertificateSummary[]): Promise<number[]> {
    const request = await this.#request(this.#inputs.certificate);
    const found: number[] = [];
    for (const { id } of candidates) {
      const details = await this.#issuer.account.client.getCertificateDetails(id, this.#options);
      if (!isFor(request, details)) continue;
      const { notBefore } = await this.#certificate(id);
      if (isFromWindow(this.#attempt, notBefore, quietAfter(this.#deps.timing))) found.push(id);
    }
    return found;
  }

  /** Drops the work if the resource is not as it was decided on: somebody else went on with it. */
  async assertUnchanged(): Promise<void> {
    const { name, namespace = '', resourceVersion } = this.#inputs.certificate.metadata;
    const { signal } = this.#options;
    const live = await this.#deps.kube.get(certificates, { namespace, name }, { signal });
    if (live.metadata.resourceVersion === resourceVersion) return;
    throw new ApiError({
      status: 409,
      reason: 'Conflict',
      message: 'The certificate changed during a recovery.',
      verb: 'get',
      resource: certificates.plural,
    });
  }

  /** Of these ids those that no other resource has. */
  async unclaimed(ids: readonly number[]): Promise<number[]> {
    const others = await this.#others();
    const claimed = new Set(
      others.flatMap(({ status }) => [status?.certificateId, status?.attempt?.certificateId]),
    );
    return ids.filter((id) => !claimed.has(id));
  }

  /** Whether no other resource of the cluster could have bought the same. One whose issuer is unknown could. */
  async isSole(): Promise<boolean> {
    const own = await this.#request(this.#inputs.certificate);
    for (const other of await this.#others()) {
      // Its spec may say something else by now than what its open attempt asked for.
      const { attempt } = other.status ?? {};
      if (isOpen(other.status) && attempt?.specHash === this.#inputs.specHash) return false;
      const issuer = this.#deps.directory.get(issuerKey(other.spec.issuerRef, other.metadata.namespace));
      const request = issuer?.ready
        ? await this.#request(other, issuer.issuer)
        : { ...own, names: effectiveNames(other.spec) };
      if (isSameRequest(own, request)) return false;
    }
    return true;
  }

  async #others(): Promise<TinyCertCertificate[]> {
    this.#resources ??= await this.#deps.listCertificates(this.#options.signal);
    const { uid } = this.#inputs.certificate.metadata;
    return this.#resources.filter(({ metadata }) => metadata.uid !== uid);
  }

  async #request(certificate: TinyCertCertificate, issuer = this.#issuer): Promise<Request> {
    return requestOf(certificate, issuer, await issuer.material());
  }

  async #certificate(id: number): Promise<Certificate> {
    return readCertificate(await this.#issuer.account.client.getCertificate(id, 'cert', this.#options));
  }
}

/** Undefined for what the CA no longer has. */
async function orGone<T>(looked: Promise<T>): Promise<T | undefined> {
  try {
    return await looked;
  } catch (error) {
    if (error instanceof TinyCertError && error.kind === 'not-found') return undefined;
    throw error;
  }
}

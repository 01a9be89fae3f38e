import { type TinyCertCertificate, certificates } from '../../api/kinds.ts';
import type { Attempt } from '../../api/tinycert/certificate-status.ts';
import { secretRef } from '../../issuance/certificate-kind.ts';
import { floorOf } from '../../issuance/tinycert/attempt.ts';
import { readSecret } from '../../issuance/secret/read-secret.ts';
import { hasName, isAlike, isFromWindow } from '../../issuance/tinycert/claims.ts';
import type { ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import { tinycertKind } from '../../issuance/tinycert/kind.ts';
import { certificateAtCa, isAtCa, orGone } from '../../issuance/tinycert/lookup.ts';
import type { ReleasedEntries } from '../../issuance/tinycert/released.ts';
import { askedFor, requestHash } from '../../issuance/tinycert/request.ts';
import { ApiError } from '../../kube/errors.ts';
import { secrets } from '../../kube/objects.ts';
import { type CertificateDetails, type CertificateSummary, TinyCertError } from '../../tinycert/index.ts';
import type { Certificate } from '../../x509/certificate.ts';
import type { Deps } from '../context/deps.ts';
import { callOptions, type Work } from '../context/work.ts';
import type { Inputs } from '../context/inputs.ts';

/**
 * The evidence of one recovery, read at the CA or live at the API server. It goes by the attempt alone, not by the spec. Its
 * methods reject with a `TinyCertError` or an `ApiError`.
 */
export class RecoveryEvidence {
  readonly #deps: Deps;
  readonly #inputs: Inputs;
  readonly #issuer: ReadyIssuer;
  readonly #attempt: Attempt;
  readonly #options: ReturnType<typeof callOptions>;
  readonly #details = new Map<number, CertificateDetails | undefined>();
  /** The ids in the CA's list, once `list` has read it. */
  readonly listed = new Set<number>();
  /** Those with the common name of the attempt, revoked ones included. */
  readonly named: number[] = [];
  readonly #keys = new Map<number, string | undefined>();

  constructor(work: Work, attempt: Attempt) {
    this.#deps = work.deps;
    this.#inputs = work.inputs;
    this.#issuer = work.issuer;
    this.#attempt = attempt;
    this.#options = callOptions(work);
  }

  /**
   * The id of the certificate in the resource's own Secret, if the attempt got that far (`ownSecretFirst`) and asked for it
   * (`ownSecretFits`). The CA has to prove what the Secret's annotation claims.
   */
  async inOwnSecret(): Promise<number | undefined> {
    const { secret, certificate } = this.#inputs;
    if (secret.state !== 'changed' || !secret.content) return undefined;
    const { claimedId, leaf } = secret.content;
    const { certificateId = this.#attempt.afterId, formerCertificateIds = [] } = certificate.status ?? {};
    if (claimedId === undefined || claimedId <= certificateId || formerCertificateIds.includes(claimedId))
      return undefined;
    if (!(await isAtCa(this.#issuer.account.client, claimedId, leaf, this.#options))) return undefined;
    const fits =
      this.#attempt.operation === 'Reissue'
        ? (await this.#previousKey()) === leaf.publicKeyFingerprint
        : await this.isAskedFor(claimedId);
    return fits ? claimedId : undefined;
  }

  /** The certificate that was to be reissued: whether it is replaced or gone, and the hash of its request. */
  async previous(): Promise<{ isObsolete: boolean; requestHash: string | undefined }> {
    const { previousId, authorityId } = this.#attempt;
    const details = previousId === undefined ? undefined : await this.#detailsOf(previousId);
    return {
      isObsolete: details === undefined || details.status === 'obsolete',
      requestHash: details && hashOf(authorityId, details),
    };
  }

  /** The lines of the CA's list with the common name of the attempt, newest first: candidates and others. */
  async list(): Promise<{ candidates: CertificateSummary[]; others: CertificateSummary[] }> {
    const { account } = this.#issuer;
    const { authorityId } = this.#attempt;
    const found: CertificateSummary[] = [];
    account.noteId(authorityId, 0);
    await orGone(
      account.client.streamCertificates(
        authorityId,
        undefined,
        (entry) => {
          account.noteId(authorityId, entry.id);
          this.listed.add(entry.id);
          if (hasName(this.#attempt, entry)) this.named.push(entry.id);
          if (isAlike(this.#attempt, entry)) found.push(entry);
        },
        this.#options,
      ),
    );
    found.sort((a, b) => b.id - a.id);
    const floor = floorOf(this.#attempt);
    const { certificateId, formerCertificateIds = [] } = this.#inputs.certificate.status ?? {};
    const isCandidate = ({ id }: CertificateSummary): boolean =>
      id > floor && id !== certificateId && !formerCertificateIds.includes(id);
    return { candidates: found.filter(isCandidate), others: found.filter((entry) => !isCandidate(entry)) };
  }

  /** The newest candidate with the public key of the certificate that was to be reissued (`reissueByKey`). */
  async successor(candidates: readonly CertificateSummary[]): Promise<number | undefined> {
    if (candidates.length === 0) return undefined;
    const key = await this.#previousKey();
    if (key === undefined) return undefined;
    for (const { id } of candidates) {
      const candidate = await this.#certificate(id);
      if (candidate?.publicKeyFingerprint === key) return id;
    }
    return undefined;
  }

  /** The ids of candidates with exactly the attempt's request, issued in its window; newest first. */
  async matching(candidates: readonly CertificateSummary[]): Promise<number[]> {
    const { authorityId, requestHash: wanted } = this.#attempt;
    const found: number[] = [];
    for (const { id } of candidates) {
      const details = await this.#detailsOf(id);
      if (!details || hashOf(authorityId, details) !== wanted) continue;
      if (await this.#isFromWindow(id)) found.push(id);
    }
    return found;
  }

  /** Asks twice before it answers no, since that leads to another purchase and one answer may be wrong. */
  async #isFromWindow(id: number): Promise<boolean> {
    const first = await this.#certificate(id);
    if (first && isFromWindow(this.#attempt, first.notBefore)) return true;
    const second = await this.#certificate(id);
    if (first?.notBefore === second?.notBefore) return false;
    throw new TinyCertError('ProtocolError', {
      call: 'cert/get',
      detail: `Two answers for certificate ${id} differ.`,
    });
  }

  /** Whether a certificate has the attempt's request: names and the whole subject. */
  async isAskedFor(id: number): Promise<boolean> {
    return (await this.#hashOf(id)) === this.#attempt.requestHash;
  }

  /** Whether a certificate, listed or not, may have the attempt's request. One that the CA does not describe may. */
  async mayBeOf(id: number): Promise<boolean> {
    const hash = await this.#hashOf(id);
    return hash === undefined || hash === this.#attempt.requestHash;
  }

  /** Whether any of `others` has the public key of a certificate. */
  async hasKeyOf(id: number, others: readonly number[]): Promise<boolean> {
    const key = await this.#keyOf(id);
    if (key === undefined) return false;
    for (const other of others) if ((await this.#keyOf(other)) === key) return true;
    return false;
  }

  /** The details of a certificate, if they have been read. */
  seen(id: number): CertificateDetails | undefined {
    return this.#details.get(id);
  }

  /** Rejects with a conflict if the resource or its Secret changed since the decision: another process goes on (`liveGet`). */
  async assertUnchanged(): Promise<void> {
    const { certificate, secret } = this.#inputs;
    const { name, namespace = '', resourceVersion } = certificate.metadata;
    const { signal } = this.#options;
    const { kube } = this.#deps;
    const [live, metadata] = await Promise.all([
      kube.get(certificates, { namespace, name }, { signal }),
      kube.findMetadata(secrets, secretRef(certificate), { signal }),
    ]);
    const seen = 'metadata' in secret ? secret.metadata.resourceVersion : undefined;
    if (live.metadata.resourceVersion === resourceVersion && metadata?.metadata.resourceVersion === seen)
      return;
    throw new ApiError({
      status: 409,
      reason: 'Conflict',
      message: 'The certificate or its Secret changed during a recovery.',
      verb: 'get',
      resource: certificates.plural,
    });
  }

  /** All other resources in scope, live. */
  async cluster(): Promise<TinyCertCertificate[]> {
    const { uid } = this.#inputs.certificate.metadata;
    const resources = await this.#deps.listCertificates(this.#options.signal);
    return resources.filter(({ metadata }) => metadata.uid !== uid);
  }

  /** What the issuers of the attempt's authority remember. */
  released(): Promise<ReleasedEntries> {
    return this.#deps.releasedStore.read(this.#attempt.authorityId, this.#options.signal);
  }

  /** The public key that a reissue keeps: from the CA, or from the resource's own Secret if the CA hands out no obsolete certificates. */
  async #previousKey(): Promise<string | undefined> {
    const { previousId } = this.#attempt;
    if (previousId === undefined) return undefined;
    const previous = await this.#certificate(previousId);
    if (previous) return previous.publicKeyFingerprint;
    const { certificate } = this.#inputs;
    const { signal } = this.#options;
    const secret = await this.#deps.kube.find(secrets, secretRef(certificate), { signal });
    return secret && readSecret(tinycertKind, secret)?.leaf.publicKeyFingerprint;
  }

  async #hashOf(id: number): Promise<string | undefined> {
    const { requestHashes } = this.#issuer.account;
    const { authorityId } = this.#attempt;
    const key = `${authorityId} ${id}`;
    const known = requestHashes.get(key);
    if (known !== undefined) return known;
    const details = await this.#detailsOf(id);
    const hash = details && hashOf(authorityId, details);
    if (hash !== undefined) requestHashes.set(key, hash);
    return hash;
  }

  async #detailsOf(id: number): Promise<CertificateDetails | undefined> {
    if (!this.#details.has(id)) {
      const { client } = this.#issuer.account;
      this.#details.set(id, await orGone(client.getCertificateDetails(id, this.#options)));
    }
    return this.#details.get(id);
  }

  /** A certificate's key never changes, so it is read once. */
  async #keyOf(id: number): Promise<string | undefined> {
    if (!this.#keys.has(id)) this.#keys.set(id, (await this.#certificate(id))?.publicKeyFingerprint);
    return this.#keys.get(id);
  }

  #certificate(id: number): Promise<Certificate | undefined> {
    return certificateAtCa(this.#issuer.account.client, id, this.#options);
  }
}

function hashOf(authorityId: number, details: CertificateDetails): string | undefined {
  const asked = askedFor(authorityId, details);
  return asked && requestHash(asked);
}

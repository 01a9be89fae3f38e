import { type TinyCertCertificate, certificates } from '../../api/kinds.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import {
  type AuthorityRef,
  type CertificateRef,
  certificateKey,
  certificateOf,
  isSameAuthority,
  isSameCertificate,
} from '../../api/tinycert/identity.ts';
import { secretRef } from '../../issuance/certificate-kind.ts';
import { type Attempt, floorOf, previousOf } from '../../issuance/tinycert/attempt.ts';
import { readSecret } from '../../issuance/secret/read-secret.ts';
import { hasName, isAlike, isFromWindow } from '../../issuance/tinycert/claims.ts';
import type { ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import { tinycertKind } from '../../issuance/tinycert/kind.ts';
import { certificateAtCa, idAt, isAtCa, orGone } from '../../issuance/tinycert/lookup.ts';
import { recordsOf, type RecordsOf, type TinyCertView } from '../../issuance/tinycert/records.ts';
import { askedFor, requestHash } from '../../issuance/tinycert/request.ts';
import { ApiError } from '../../kube/errors.ts';
import { keyOf, secrets } from '../../kube/objects.ts';
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
  readonly #view: TinyCertView;
  readonly #attempt: Attempt;
  readonly #options: ReturnType<typeof callOptions>;
  readonly #details = new Map<string, CertificateDetails | undefined>();
  /** The ids of the attempt's authority in the CA's list, once `list` has read it. */
  readonly listed = new Set<number>();
  /** Those with the common name of the attempt, revoked ones included. */
  readonly named = new Set<number>();
  readonly #keys = new Map<string, string | undefined>();

  constructor(work: Work, attempt: Attempt) {
    this.#deps = work.deps;
    this.#inputs = work.inputs;
    this.#issuer = work.issuer;
    this.#view = work.view;
    this.#attempt = attempt;
    this.#options = callOptions(work);
  }

  /**
   * The certificate in the resource's own Secret, if the attempt got that far (`ownSecret`) and asked for it
   * (`ownSecretFits`). The CA has to prove what the Secret's annotations claim.
   */
  async inOwnSecret(): Promise<CertificateRef | undefined> {
    const { secret, certificate } = this.#inputs;
    if (secret.state !== 'changed' || !secret.content) return undefined;
    const { claimed, leaf } = secret.content;
    if (!claimed || !isSameAuthority(claimed, this.#attempt)) return undefined;
    if (claimed.certificateId <= this.#present(certificate.status) || this.#isHad(claimed)) return undefined;
    if (!(await isAtCa(this.#issuer.account, claimed, leaf, this.#options))) return undefined;
    const fits =
      this.#attempt.operation === 'Reissue'
        ? (await this.#previousKey()) === leaf.publicKeyFingerprint
        : await this.isAskedFor(claimed);
    return fits ? claimed : undefined;
  }

  /** The certificate that was to be reissued: whether it is replaced or gone, and the hash of its request. */
  async previous(): Promise<{ isObsolete: boolean; requestHash: string | undefined }> {
    const previous = previousOf(this.#attempt);
    const details = previous && (await this.#detailsOf(previous));
    return {
      isObsolete: details === undefined || details.status === 'obsolete',
      requestHash: details && hashOf(this.#attempt, details),
    };
  }

  /** Whether the certificate that was to be reissued is replaced or gone, by another answer of the CA. */
  async isStillObsolete(): Promise<boolean> {
    const previous = previousOf(this.#attempt);
    const details = previous && (await this.#askDetails(previous));
    return details === undefined || details.status === 'obsolete';
  }

  /** The lines of the CA's list with the common name of the attempt, newest first: candidates and others. */
  async list(): Promise<{ candidates: CertificateSummary[]; others: CertificateSummary[] }> {
    const found = new Map<number, CertificateSummary>();
    const recorded = floorOf(this.#attempt);
    const first = await this.#readList(found);
    // A list that does not reach the floor contradicts it, or lacks lines. Only a second one decides which.
    const isShort = first < recorded && (await this.#readList(found)) < recorded;
    // A floor that two lists contradict came from a wrong line; the window and the request still exclude what is older.
    const isWrong = isShort && this.#attempt.operation === 'New';
    const floor = isWrong ? 0 : recorded;
    // What continues the key of the certificate to reissue is its successor, even if it was given up (`successorStays`).
    const isReissue = this.#attempt.operation === 'Reissue';
    const isCandidate = ({ id }: CertificateSummary): boolean =>
      id > floor && (isReissue || !this.#isHad(certificateOf(this.#attempt, id)));
    const lines = [...found.values()].sort((a, b) => b.id - a.id);
    return { candidates: lines.filter(isCandidate), others: lines.filter((entry) => !isCandidate(entry)) };
  }

  /** Reads the CA's list, notes what is like the attempt in `found`, and resolves with the highest id on it. */
  async #readList(found: Map<number, CertificateSummary>): Promise<number> {
    const { account } = this.#issuer;
    const { authorityId } = this.#attempt;
    const ids = account.listIds(authorityId);
    let highest = 0;
    const note = (entry: CertificateSummary): void => {
      ids.see(entry.id);
      highest = Math.max(highest, entry.id);
      this.listed.add(entry.id);
      if (hasName(this.#attempt, entry)) this.named.add(entry.id);
      if (isAlike(this.#attempt, entry)) found.set(entry.id, entry);
    };
    const { client } = account;
    const count = await orGone(() => client.streamCertificates(authorityId, undefined, note, this.#options));
    if (count !== undefined) ids.end();
    return highest;
  }

  /** The newest candidate with the public key of the certificate that was to be reissued (`reissueByKey`). */
  async successor(candidates: readonly CertificateSummary[]): Promise<CertificateRef | undefined> {
    if (candidates.length === 0) return undefined;
    const key = await this.#previousKey();
    if (key === undefined) return undefined;
    for (const { id } of candidates) {
      const candidate = certificateOf(this.#attempt, id);
      if ((await this.#certificate(candidate))?.publicKeyFingerprint === key) return candidate;
    }
    return undefined;
  }

  /**
   * Those of the candidates with exactly the attempt's request, newest first: issued in its window, or `kept`, which the CA lists and
   * does not hand out.
   */
  async matching(
    candidates: readonly CertificateSummary[],
  ): Promise<{ issued: CertificateRef[]; kept: CertificateRef[] }> {
    const found: Record<'issued' | 'kept', CertificateRef[]> = { issued: [], kept: [] };
    for (const { id } of candidates) {
      const candidate = certificateOf(this.#attempt, id);
      const details = await this.#detailsOf(candidate);
      if (!details || hashOf(this.#attempt, details) !== this.#attempt.requestHash) continue;
      const isIssued = await this.#isFromWindow(candidate);
      if (isIssued !== false) found[isIssued ? 'issued' : 'kept'].push(candidate);
    }
    return found;
  }

  /**
   * Undefined if the CA does not hand it out. Asks twice before the answer is anything but yes, since that leads to another purchase and
   * one answer may be wrong.
   */
  async #isFromWindow(candidate: CertificateRef): Promise<boolean | undefined> {
    const first = await this.#certificate(candidate);
    if (first && isFromWindow(this.#attempt, first.notBefore)) return true;
    const second = await this.#certificate(candidate);
    if (first?.notBefore === second?.notBefore) return first && false;
    throw new TinyCertError('ProtocolError', {
      call: 'cert/get',
      detail: `Two answers for certificate ${candidate.certificateId} differ.`,
    });
  }

  /** Whether a certificate has the attempt's request: names and the whole subject. */
  async isAskedFor(certificate: CertificateRef): Promise<boolean> {
    return (await this.#hashOf(certificate)) === this.#attempt.requestHash;
  }

  /** Whether a certificate, listed or not, may have the attempt's request. One that the CA does not describe may. */
  async mayBeOf(certificate: CertificateRef): Promise<boolean> {
    const hash = await this.#hashOf(certificate);
    return hash === undefined || hash === this.#attempt.requestHash;
  }

  /** Whether any of the `others`, ids of the attempt's authority, has the public key of a certificate. */
  async hasKeyOf(certificate: CertificateRef, others: readonly number[]): Promise<boolean> {
    const key = await this.#keyOf(certificate);
    if (key === undefined) return false;
    for (const other of others)
      if ((await this.#keyOf(certificateOf(this.#attempt, other))) === key) return true;
    return false;
  }

  /** The details of a certificate, if they have been read. */
  seen(certificate: CertificateRef): CertificateDetails | undefined {
    return this.#details.get(certificateKey(certificate));
  }

  /** Rejects with a conflict if the resource or its Secret changed since the decision: another process goes on (`liveGet`). */
  async assertUnchanged(): Promise<void> {
    const { certificate, secret, elder } = this.#inputs;
    const { name, namespace = '', resourceVersion } = certificate.metadata;
    const { signal } = this.#options;
    const { kube } = this.#deps;
    const [live, metadata] = await Promise.all([
      kube.get(certificates, { namespace, name }, { signal }),
      kube.findMetadata(secrets, secretRef(certificate), { signal }),
    ]);
    const seen = 'metadata' in secret ? secret.metadata?.resourceVersion : undefined;
    // The Secret of another resource was not read.
    const isSameSecret = elder !== undefined || metadata?.metadata.resourceVersion === seen;
    if (live.metadata.resourceVersion === resourceVersion && isSameSecret) return;
    // What was seen live counts for the next decision (`liveFloor`).
    if (live.metadata.uid === certificate.metadata.uid)
      this.#deps.writtenCertificates.noteLive(keyOf(certificate), resourceVersion, live);
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

  /** What is on record about the attempt's authority. */
  records(): RecordsOf {
    return recordsOf(this.#view, this.#attempt);
  }

  /** The public key that a reissue keeps: from the CA, or from the resource's own Secret if the CA hands out no obsolete certificates. */
  async #previousKey(): Promise<string | undefined> {
    const previous = previousOf(this.#attempt);
    if (!previous) return undefined;
    const atCa = await this.#certificate(previous);
    if (atCa) return atCa.publicKeyFingerprint;
    const { certificate } = this.#inputs;
    const { signal } = this.#options;
    const secret = await this.#deps.kube.find(secrets, secretRef(certificate), { signal });
    return secret && readSecret(tinycertKind, secret)?.leaf.publicKeyFingerprint;
  }

  async #hashOf(certificate: CertificateRef): Promise<string | undefined> {
    const { requestHashes } = this.#issuer.account;
    const key = certificateKey(certificate);
    const known = requestHashes.get(key);
    if (known !== undefined) return known;
    const details = await this.#detailsOf(certificate);
    const hash = details && hashOf(certificate, details);
    if (hash !== undefined) requestHashes.set(key, hash);
    return hash;
  }

  async #detailsOf(certificate: CertificateRef): Promise<CertificateDetails | undefined> {
    const key = certificateKey(certificate);
    if (!this.#details.has(key)) this.#details.set(key, await this.#askDetails(certificate));
    return this.#details.get(key);
  }

  #askDetails(certificate: CertificateRef): Promise<CertificateDetails | undefined> {
    const { account } = this.#issuer;
    const id = idAt(account, certificate);
    return orGone(() => account.client.getCertificateDetails(id, this.#options));
  }

  /** A certificate's key never changes, so it is read once. */
  async #keyOf(certificate: CertificateRef): Promise<string | undefined> {
    const key = certificateKey(certificate);
    if (!this.#keys.has(key))
      this.#keys.set(key, (await this.#certificate(certificate))?.publicKeyFingerprint);
    return this.#keys.get(key);
  }

  #certificate(certificate: CertificateRef): Promise<Certificate | undefined> {
    return certificateAtCa(this.#issuer.account, certificate, this.#options);
  }

  /** The id above which the Secret holds something newer than status names. */
  #present(status: CertificateStatus | undefined): number {
    const served = isSameAuthority(status, this.#attempt) ? status?.certificateId : undefined;
    return served ?? this.#attempt.afterId;
  }

  /**
   * Whether the resource has given up a certificate, or had it before the attempt, by its status. What it got since may be what
   * the attempt bought.
   */
  #isHad(certificate: CertificateRef): boolean {
    const { status } = this.#inputs.certificate;
    return (status?.formerCertificates ?? []).some((each) => isSameCertificate(each, certificate));
  }
}

function hashOf({ authorityId }: AuthorityRef, details: CertificateDetails): string | undefined {
  const asked = askedFor(authorityId, details);
  return asked && requestHash(asked);
}

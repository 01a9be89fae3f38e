import { effectiveNames, specHash } from '../api/effective.ts';
import type { Attempt } from '../api/certificate-status.ts';
import { certificates, type TinyCertCertificate } from '../api/kinds.ts';
import { isOpen } from '../issuance/attempt.ts';
import { certificateAtCa, isAtCa, orGone } from '../issuance/at-ca.ts';
import { askedFor } from '../issuance/asked-for.ts';
import { claimsOf, floorOf, isAlike, isFromWindow } from '../issuance/claims.ts';
import { claimedCertificateId } from '../issuance/outputs.ts';
import { heldCertificate } from '../issuance/inspect.ts';
import { issuerKey, type ReadyIssuer } from '../issuance/issuer-directory.ts';
import type { Given } from '../issuance/records.ts';
import { requestHash, requestOf } from '../issuance/request.ts';
import { ApiError } from '../kube/errors.ts';
import { keyOf, type KubeObject, refKey, secrets } from '../kube/objects.ts';
import { type CertificateDetails, type CertificateSummary, TinyCertError } from '../tinycert/index.ts';
import type { Certificate } from '../x509/certificate.ts';
import { type Names, sameNames } from '../x509/names.ts';
import type { Deps } from './deps.ts';
import { secretRef } from './gather.ts';
import type { Inputs } from './inputs.ts';

/** More certificates of one common name and without an owner than this are not looked at one by one. */
const MAX_STRANGERS = 20;

/** The looks of one recovery, each at the CA or live at the API server. They go by the attempt alone, not by the spec. */
export class Look {
  readonly #deps: Deps;
  readonly #inputs: Inputs;
  readonly #issuer: ReadyIssuer;
  readonly #attempt: Attempt;
  readonly #options: { signal: AbortSignal; deadlineMs: number };
  readonly #details = new Map<number, CertificateDetails | undefined>();
  /** All ids in the CA's list. */
  readonly #listed = new Set<number>();

  constructor(deps: Deps, inputs: Inputs, issuer: ReadyIssuer, attempt: Attempt, signal: AbortSignal) {
    this.#deps = deps;
    this.#inputs = inputs;
    this.#issuer = issuer;
    this.#attempt = attempt;
    this.#options = { signal, deadlineMs: deps.timing.callDeadline };
  }

  /**
   * The id of the certificate in the own Secret, if the attempt got that far (`ownSecretFirst`) and asked for it
   * (`ownSecretFits`). What the Secret's annotation says is checked at the CA.
   */
  async inOwnSecret(): Promise<number | undefined> {
    const { secret, certificate } = this.#inputs;
    if (secret.state !== 'changed' || !secret.held) return undefined;
    const { claimedId, leaf } = secret.held;
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

  /** The certificate that was to be reissued: whether it has been replaced, or is gone, and what it was asked for with. */
  async previous(): Promise<{ isObsolete: boolean; requestHash: string | undefined }> {
    const { previousId, authorityId } = this.#attempt;
    const details = previousId === undefined ? undefined : await this.#detailsOf(previousId);
    return {
      isObsolete: details === undefined || details.status === 'obsolete',
      requestHash: details && hashOf(authorityId, details),
    };
  }

  /** Lines of the CA's list with the common name that was asked for, newest first: candidates and others. */
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
          this.#listed.add(entry.id);
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

  /** The newest certificate with the same public key as the one that was to be reissued (`reissueByKey`). */
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

  /** Ids of candidates that were asked for with exactly this, within the time of the attempt; newest first. */
  async matching(candidates: readonly CertificateSummary[]): Promise<number[]> {
    const found: number[] = [];
    for (const { id } of candidates) {
      if (!(await this.isAskedFor(id))) continue;
      if (await this.#isFromWindow(id)) found.push(id);
    }
    return found;
  }

  /** Asks twice before it says no, since another certificate is bought then: one answer may be wrong. */
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

  /** Whether a certificate was asked for with what the attempt asked for: names and whole subject. */
  async isAskedFor(id: number): Promise<boolean> {
    const { authorityId, requestHash: wanted } = this.#attempt;
    const details = await this.#detailsOf(id);
    return details !== undefined && hashOf(authorityId, details) === wanted;
  }

  /** Whether a certificate that is not listed can have been asked for with the same; what the CA does not tell can be. */
  async #mayBeOf(id: number): Promise<boolean> {
    const { authorityId, requestHash: wanted } = this.#attempt;
    const details = await this.#detailsOf(id);
    return details === undefined || hashOf(authorityId, details) === wanted;
  }

  /** The subject of a certificate that was looked at. */
  subjectOf(id: number): CertificateDetails['subject'] {
    return this.#details.get(id)?.subject ?? {};
  }

  /** Drops the work if resource or Secret is not as it was decided on: somebody else went on with it (`liveGet`). */
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

  /** All other resources within reach, live. */
  async cluster(): Promise<TinyCertCertificate[]> {
    const { uid } = this.#inputs.certificate.metadata;
    const resources = await this.#deps.listCertificates(this.#options.signal);
    return resources.filter(({ metadata }) => metadata.uid !== uid);
  }

  /** What the issuers of the attempt's authority remember. */
  given(): Promise<Given> {
    return this.#deps.records.given(this.#attempt.authorityId, this.#options.signal);
  }

  /**
   * Why it cannot be told that a certificate is this attempt's, for the log; undefined if nobody else can have it.
   * `strangers` are the other lines of its common name.
   */
  async doubt(
    id: number,
    others: readonly TinyCertCertificate[],
    given: Given,
    strangers: readonly CertificateSummary[],
  ): Promise<'claimed' | 'reissued by hand' | 'asked for by another' | 'made elsewhere' | undefined> {
    if (this.#isClaimed(id, others)) return 'claimed';
    if (await this.#isReissueSeen(id, others, given)) return 'reissued by hand';
    if (!(await this.#isSole(id, others, given))) return 'asked for by another';
    if (await this.#isForeignSeen(strangers, others, given)) return 'made elsewhere';
    return undefined;
  }

  /**
   * Whether another resource has a certificate (`skipClaimed`), or a Secret that outlived its resource says so: whoever
   * wrote that can only keep it from being taken over.
   */
  #isClaimed(id: number, others: readonly TinyCertCertificate[]): boolean {
    const own = refKey(secretRef(this.#inputs.certificate));
    const isElsewhere = (secret: KubeObject): boolean =>
      claimedCertificateId(secret) === id && keyOf(secret) !== own;
    return (
      others.some(({ status }) => claimsOf(status).includes(id)) ||
      [...this.#deps.secrets.values()].some(isElsewhere)
    );
  }

  /**
   * Whether somebody may have reissued by hand what another resource has or had (`skipReissued`): it is obsolete then, no
   * longer in the list, and what took its place asks for the same and carries a key that is not ours.
   */
  async #isReissueSeen(
    id: number,
    others: readonly TinyCertCertificate[],
    { released }: Given,
  ): Promise<boolean> {
    const { authorityId, commonName } = this.#attempt;
    // What is above all that is listed was bought after the list.
    const newest = [...this.#listed].reduce((highest, each) => Math.max(highest, each), 0);
    const had = others.flatMap((other) => {
      const { spec, status } = other;
      if (status?.authorityId !== authorityId) return [];
      const { attempt, certificateId, formerCertificateIds = [] } = status;
      const isAlike = [attempt?.commonName, effectiveNames(spec).commonName].includes(commonName);
      const present = certificateId !== undefined && isAlike && !this.#hasOtherNames(other, id);
      return present ? [certificateId, ...formerCertificateIds] : formerCertificateIds;
    });
    const all = new Set([...had, ...released.map(({ certificateId }) => certificateId)]);
    const gone = [...all].filter((each) => each <= newest && !this.#listed.has(each));
    if (gone.length > MAX_STRANGERS) return true;
    for (const each of gone) if (await this.#mayBeOf(each)) return true;
    return false;
  }

  /**
   * Whether nobody else can have bought a certificate (`sole`): no resource that asks for the same now, none whose open
   * attempt did (`soleCountsAttempts`), no attempt that was given up (`recordAbandoned`). Where it cannot be told, somebody
   * can.
   */
  async #isSole(id: number, others: readonly TinyCertCertificate[], given: Given): Promise<boolean> {
    const { namespace, name } = this.#inputs.certificate.metadata;
    const { requestHash: wanted } = this.#attempt;
    // What an earlier resource of this name bought goes nowhere else.
    const wasRival = given.abandoned.some(
      (other) =>
        (other.namespace !== namespace || other.name !== name) &&
        other.requestHash === wanted &&
        id > other.afterId,
    );
    if (wasRival) return false;
    for (const other of others)
      if (this.#isAttempting(other, id) || (await this.#isAsking(other, id))) return false;
    return true;
  }

  /**
   * Whether somebody outside of this installation has a certificate with these very names and subject (`foreignSeen`):
   * one that no resource claims and that nobody here gave up.
   */
  async #isForeignSeen(
    lines: readonly CertificateSummary[],
    others: readonly TinyCertCertificate[],
    { released }: Given,
  ): Promise<boolean> {
    const known = new Set([
      ...[...others, this.#inputs.certificate].flatMap(({ status }) => claimsOf(status)),
      ...released.map(({ certificateId }) => certificateId),
    ]);
    const unknown = lines.filter(({ id }) => !known.has(id));
    if (unknown.length > MAX_STRANGERS) return true;
    for (const { id } of unknown) if (await this.isAskedFor(id)) return true;
    return false;
  }

  /** A reissue keeps the names and subject of the certificate it starts from, whatever a spec says by now. */
  #isAttempting(other: TinyCertCertificate, id: number): boolean {
    const { attempt } = other.status ?? {};
    if (!attempt || !isOpen(other.status) || attempt.authorityId !== this.#attempt.authorityId) return false;
    if (attempt.operation === 'New') return attempt.requestHash === this.#attempt.requestHash;
    return attempt.commonName === this.#attempt.commonName && !this.#hasOtherNames(other, id);
  }

  async #isAsking(other: TinyCertCertificate, id: number): Promise<boolean> {
    if (effectiveNames(other.spec).commonName !== this.#attempt.commonName) return false;
    const issuer = this.#deps.directory.get(issuerKey(other.spec.issuerRef, other.metadata.namespace));
    // With other names it asks for another certificate, whoever its issuer is.
    if (!issuer?.ready) return this.#isNamed(id, effectiveNames(other.spec));
    if (issuer.issuer.authority.id !== this.#attempt.authorityId) return false;
    const request = requestOf(other, issuer.issuer, await issuer.issuer.material());
    return requestHash(request) === this.#attempt.requestHash;
  }

  /** Whether what a resource has, and so what a reissue of it gives, certainly has other names than a candidate. */
  #hasOtherNames({ spec, status }: TinyCertCertificate, id: number): boolean {
    // What it has is known only as long as its spec asks for it.
    return specHash(spec) === status?.specHash && !this.#isNamed(id, effectiveNames(spec));
  }

  /** Whether a candidate has these names, as far as can be told. */
  #isNamed(id: number, names: Names): boolean {
    const details = this.#details.get(id);
    const asked = details && askedFor(this.#attempt.authorityId, details);
    return asked === undefined || sameNames(asked.names, names);
  }

  /** The public key that a reissue keeps: from the CA, or from the own Secret if the CA gives out no obsolete ones. */
  async #previousKey(): Promise<string | undefined> {
    const { previousId } = this.#attempt;
    if (previousId === undefined) return undefined;
    const previous = await this.#certificate(previousId);
    if (previous) return previous.publicKeyFingerprint;
    const { certificate } = this.#inputs;
    const { signal } = this.#options;
    const secret = await this.#deps.kube.find(secrets, secretRef(certificate), { signal });
    return secret && heldCertificate(secret)?.leaf.publicKeyFingerprint;
  }

  async #detailsOf(id: number): Promise<CertificateDetails | undefined> {
    if (!this.#details.has(id)) {
      const { client } = this.#issuer.account;
      this.#details.set(id, await orGone(client.getCertificateDetails(id, this.#options)));
    }
    return this.#details.get(id);
  }

  #certificate(id: number): Promise<Certificate | undefined> {
    return certificateAtCa(this.#issuer.account.client, id, this.#options);
  }
}

function hashOf(authorityId: number, details: CertificateDetails): string | undefined {
  const asked = askedFor(authorityId, details);
  return asked && requestHash(asked);
}

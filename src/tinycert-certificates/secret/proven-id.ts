import type { Stored } from '../../issuance/secret/kept.ts';
import { certificates } from '../../api/kinds.ts';
import {
  type CertificateRef,
  certificateKey,
  certificateOf,
  certificateRef,
} from '../../api/tinycert/identity.ts';
import type { Subject } from '../../api/tinycert/subject.ts';
import type { ChangedSecret } from '../../issuance/secret/certificate-secrets.ts';
import { CrdsOutdated } from '../../issuance/status/outdated-crds.ts';
import { isClaimedByOther } from '../../issuance/tinycert/claims.ts';
import type { ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import { secretMetadata } from '../../issuance/tinycert/kind.ts';
import { isAtCa } from '../../issuance/tinycert/lookup.ts';
import { isMarked } from '../../issuance/tinycert/marker.ts';
import { type Request, requestHash } from '../../issuance/tinycert/request.ts';
import { keyOf, parseKey } from '../../kube/objects.ts';
import { canonicalJson } from '../../lib/hash.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { verifyChain } from '../../x509/chain.ts';
import { normalCommonName, sameNames } from '../../x509/names.ts';
import { BY_CERTIFICATE, type Deps } from '../context/deps.ts';
import type { Inputs } from '../context/inputs.ts';
import { callOptions, type Task, type Work } from '../context/work.ts';

type Content = NonNullable<ChangedSecret['content']>;

/** The most certificates of one common name and one end that are compared with the one in a Secret. */
const MOST_COMPARED = 5;

/** Whether the authority itself signed what a Secret holds; `ca.crt` may hold another one of that name. */
export async function isFromAuthority(content: Content, issuer: ReadyIssuer): Promise<boolean> {
  const { root } = await issuer.material();
  return content.root.raw.equals(root.raw) && verifyChain(content.leaf, content.intermediates, root).ok;
}

/** Whether a certificate has the names and the subject of a request. The resource in an ownership marker does not matter. */
export function isFor(request: Request, { names, subject }: Pick<Certificate, 'names' | 'subject'>): boolean {
  if (!sameNames(names, request.names)) return false;
  const { commonName: _, ...asked } = subject;
  const plain = ({ organizationalUnit, ...rest }: Subject): Subject =>
    isMarked(subject) && isMarked(request.subject)
      ? rest
      : { ...rest, ...(organizationalUnit ? { organizationalUnit } : {}) };
  const hashOf = (of: Subject): string => requestHash({ ...request, subject: plain(of) });
  return hashOf(asked) === hashOf(request.subject);
}

/**
 * The name of the certificate in a Secret, proved: the issuer's account has exactly this certificate under it, the Secret has
 * its key, and no other resource claims it. Annotations and status only tell which ones to ask for. Rejects with a `TinyCertError`.
 */
export async function provenCertificate(
  work: Work,
  content: Content,
  guesses: readonly (CertificateRef | undefined)[],
): Promise<CertificateRef | undefined> {
  const { deps, inputs, issuer } = work;
  if (!(await isFromAuthority(content, issuer))) return undefined;
  const { account } = issuer;
  const asked = new Map(
    guesses.flatMap((ref) => (ref?.account === account.digest ? [[certificateKey(ref), ref]] : [])),
  );
  for (const ref of asked.values()) {
    if (isKnownClaimed(deps, inputs, ref)) continue;
    if (await isAtCa(account, ref, content.leaf, callOptions(work))) return ref;
  }
  return undefined;
}

/**
 * What the certificate in a Secret may be among those above the id `above`, by the CA's list: the annotations help only until
 * somebody changes them. The newest few. Rejects with a `TinyCertError`.
 */
export async function likelyCertificates(
  work: Work,
  { leaf }: Content,
  above: number,
): Promise<CertificateRef[]> {
  const { account, authority } = work.issuer;
  const found: number[] = [];
  await account.client.streamCertificates(
    authority.authorityId,
    undefined,
    ({ id, commonName, expires }) => {
      const isAlike =
        expires * 1000 === leaf.notAfter && normalCommonName(commonName) === leaf.names.commonName;
      if (id > above && isAlike) found.push(id);
    },
    callOptions(work),
  );
  const newest = found.sort((a, b) => b - a).slice(0, MOST_COMPARED);
  return newest.map((id) => certificateOf(authority, id));
}

/**
 * Writes the files, labels, annotations and owners that a Secret with a proven certificate lacks. The files of an expired
 * certificate are not written again. Resolves with its metadata.
 */
export async function syncSecret(
  { deps, inputs: { certificate, names }, signal }: Pick<Task, 'deps' | 'inputs' | 'signal'>,
  seen: ChangedSecret,
  held: CertificateRef,
): Promise<Stored> {
  const wanted = secretMetadata(certificate, names, held);
  return deps.certificateSecrets.sync(
    certificate,
    seen,
    wanted,
    seen.hasOutputs || hasExpired(seen, deps.clock.now()) ? undefined : seen.content,
    signal,
  );
}

/** Whether the certificate in a Secret has expired. */
export function hasExpired({ content }: Pick<ChangedSecret, 'content'>, now: number): boolean {
  return content !== undefined && content.leaf.notAfter <= now;
}

/** What annotations and status name as the certificate in the Secret. Neither is believed. */
export function claimedIn({
  certificate,
  secret,
}: Pick<Inputs, 'certificate' | 'secret'>): (CertificateRef | undefined)[] {
  const content = secret.state === 'changed' ? secret.content : undefined;
  return [content?.claimed, certificateRef(certificate.status)];
}

/**
 * Checks, before a status with a broken seal is disregarded, that the API server still has it as it was read. Older CRDs
 * hide an attempt from every read under them without a new version; after newer CRDs are back, a write would replace it.
 * Throws `CrdsOutdated`: only CRDs make one version read in two ways.
 */
export async function assertRead({
  deps: { kube, crds },
  inputs: { certificate, sealed },
  signal,
}: {
  deps: Pick<Deps, 'kube' | 'crds'>;
  inputs: Pick<Inputs, 'certificate' | 'sealed'>;
  signal: AbortSignal;
}): Promise<void> {
  const { metadata, status } = certificate;
  if (sealed !== false || status?.seal === undefined) return;
  const live = await kube.get(certificates, parseKey(keyOf(certificate)), { signal });
  const isSame =
    live.metadata.uid === metadata.uid && live.metadata.resourceVersion === metadata.resourceVersion;
  if (!isSame || canonicalJson(live.status) === canonicalJson(status)) return;
  crds.doubt();
  throw new CrdsOutdated();
}

/** Whether another resource claims a certificate, as far as this process knows: its cache, and its own newer writes. */
function isKnownClaimed(deps: Deps, { certificate }: Inputs, claimed: CertificateRef): boolean {
  const cached = deps.certificates.byIndex(BY_CERTIFICATE, certificateKey(claimed));
  return isClaimedByOther(certificate, claimed, [...cached, ...deps.writtenCertificates.values()]);
}

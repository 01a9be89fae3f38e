import type { Stored } from '../../issuance/secret/kept.ts';
import { certificates } from '../../api/kinds.ts';
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
 * The id of the certificate in a Secret, proved: the CA has exactly this certificate under the id, the Secret has its key,
 * and no other resource claims it. Annotation and status only tell which ids to ask for. Rejects with a `TinyCertError`.
 */
export async function provenId(
  work: Work,
  content: Content,
  guesses: readonly (number | undefined)[],
): Promise<number | undefined> {
  const { deps, inputs, issuer } = work;
  if (!(await isFromAuthority(content, issuer))) return undefined;
  for (const id of new Set(guesses)) {
    if (id === undefined || isKnownClaimed(deps, inputs, id)) continue;
    if (await isAtCa(issuer.account.client, id, content.leaf, callOptions(work))) return id;
  }
  return undefined;
}

/**
 * Ids above `above` that the certificate in a Secret may have, by the CA's list: the annotation helps only until somebody
 * changes it. The newest few. Rejects with a `TinyCertError`.
 */
export async function likelyIds(work: Work, { leaf }: Content, above: number): Promise<number[]> {
  const { account, authority } = work.issuer;
  const found: number[] = [];
  await account.client.streamCertificates(
    authority.id,
    undefined,
    ({ id, commonName, expires }) => {
      const isAlike =
        expires * 1000 === leaf.notAfter && normalCommonName(commonName) === leaf.names.commonName;
      if (id > above && isAlike) found.push(id);
    },
    callOptions(work),
  );
  return found.sort((a, b) => b - a).slice(0, MOST_COMPARED);
}

/**
 * Writes the files, labels, annotations and owners that a Secret with a proven certificate lacks. The files of an expired
 * certificate are not written again. Resolves with its metadata.
 */
export async function syncSecret(
  { deps, inputs: { certificate, names }, signal }: Pick<Task, 'deps' | 'inputs' | 'signal'>,
  seen: ChangedSecret,
  certificateId: number,
): Promise<Stored> {
  const wanted = secretMetadata(certificate, names, certificateId);
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

/** The ids that annotation and status name for the certificate in the Secret. Neither is believed. */
export function claimedIdsOf({
  certificate,
  secret,
}: Pick<Inputs, 'certificate' | 'secret'>): (number | undefined)[] {
  const content = secret.state === 'changed' ? secret.content : undefined;
  return [content?.claimedId, certificate.status?.certificateId];
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
function isKnownClaimed(deps: Deps, { certificate }: Inputs, id: number): boolean {
  const cached = deps.certificates.byIndex(BY_CERTIFICATE, String(id));
  return isClaimedByOther(certificate, id, [...cached, ...deps.writtenCertificates.values()]);
}

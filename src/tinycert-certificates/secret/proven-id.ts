import { certificates } from '../../api/kinds.ts';
import type { Subject } from '../../api/tinycert/subject.ts';
import type { SecretView } from '../../issuance/secret/certificate-secrets.ts';
import { CrdsOutdated } from '../../issuance/status/outdated-crds.ts';
import { isClaimedByOther } from '../../issuance/tinycert/claims.ts';
import type { ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import { secretMetadata } from '../../issuance/tinycert/kind.ts';
import { isAtCa } from '../../issuance/tinycert/lookup.ts';
import { isMarked } from '../../issuance/tinycert/marker.ts';
import { type Request, requestHash } from '../../issuance/tinycert/request.ts';
import { type Secret, keyOf, parseKey } from '../../kube/objects.ts';
import { canonicalJson } from '../../lib/hash.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { verifyChain } from '../../x509/chain.ts';
import { normalCommonName, sameNames } from '../../x509/names.ts';
import { BY_CERTIFICATE, type Deps } from '../context/deps.ts';
import type { Inputs } from '../context/inputs.ts';

type Changed = Extract<SecretView, { state: 'changed' }>;
type Held = NonNullable<Changed['held']>;

/** How many certificates of one common name and one end are compared with the one in a Secret. */
const MOST_COMPARED = 5;

/** Whether what a Secret holds was signed by the authority itself, and not by one that `ca.crt` only calls so. */
export async function isFromAuthority(held: Held, issuer: ReadyIssuer): Promise<boolean> {
  const { root } = await issuer.material();
  return held.root.raw.equals(root.raw) && verifyChain(held.leaf, held.intermediates, root).ok;
}

/** Whether a certificate has the names and the subject of a request. Whose marker it carries does not matter here. */
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
 * The id of the certificate in a Secret, proved: the CA has this very certificate under it, the Secret has its key, and
 * no other resource claims it. Neither annotation nor status is believed; both only say which ids to ask for.
 */
export async function provenId(
  deps: Deps,
  inputs: Inputs,
  issuer: ReadyIssuer,
  held: Held,
  guesses: readonly (number | undefined)[],
  signal: AbortSignal,
): Promise<number | undefined> {
  if (!(await isFromAuthority(held, issuer))) return undefined;
  const options = { signal, deadlineMs: deps.timing.callDeadline };
  for (const id of new Set(guesses)) {
    if (id === undefined || isKnownClaimed(deps, inputs, id)) continue;
    if (await isAtCa(issuer.account.client, id, held.leaf, options)) return id;
  }
  return undefined;
}

/**
 * Ids above another one that the certificate in a Secret can have, from the CA's list: what its annotation says is of no
 * use once somebody has changed it. The newest few.
 */
export async function likelyIds(
  deps: Deps,
  { account, authority }: ReadyIssuer,
  { leaf }: Held,
  above: number,
  signal: AbortSignal,
): Promise<number[]> {
  const found: number[] = [];
  await account.client.streamCertificates(
    authority.id,
    undefined,
    ({ id, commonName, expires }) => {
      const isAlike =
        expires * 1000 === leaf.notAfter && normalCommonName(commonName) === leaf.names.commonName;
      if (id > above && isAlike) found.push(id);
    },
    { signal, deadlineMs: deps.timing.callDeadline },
  );
  return found.sort((a, b) => b - a).slice(0, MOST_COMPARED);
}

/** Writes labels and annotations, where the Secret lacks any of them. Answers with its metadata. */
export async function keepMetadata(
  deps: Deps,
  { certificate, names }: Inputs,
  seen: Pick<Secret, 'metadata'>,
  certificateId: number,
  signal: AbortSignal,
): Promise<Secret['metadata']> {
  return deps.certificateSecrets.keepMetadata(
    certificate,
    seen,
    secretMetadata(certificate, names, certificateId),
    signal,
  );
}

/** Whether another resource has a certificate, as far as is known here: the cache, and what it has not shown yet. */
function isKnownClaimed(deps: Deps, { certificate }: Inputs, id: number): boolean {
  const cached = deps.certificates.byIndex(BY_CERTIFICATE, String(id));
  return isClaimedByOther(certificate, id, [...cached, ...deps.writtenCertificates.values()]);
}

/**
 * Before the word of a status without its seal is dropped: that the API server still has it so. Older CRDs hide an attempt
 * from whoever reads under them, in a version that is the newest; once newer ones are back, a write would put another in its
 * place. Throws `CrdsOutdated` then: one version that reads in two ways is what the CRDs did.
 */
export async function assertRead(
  { kube, crds }: Pick<Deps, 'kube' | 'crds'>,
  { certificate, sealed }: Pick<Inputs, 'certificate' | 'sealed'>,
  signal: AbortSignal,
): Promise<void> {
  const { metadata, status } = certificate;
  if (sealed !== false || status?.seal === undefined) return;
  const live = await kube.get(certificates, parseKey(keyOf(certificate)), { signal });
  const isSame =
    live.metadata.uid === metadata.uid && live.metadata.resourceVersion === metadata.resourceVersion;
  if (!isSame || canonicalJson(live.status) === canonicalJson(status)) return;
  crds.doubt();
  throw new CrdsOutdated();
}

/** Ids that the certificate in the Secret may have, by what annotation and status say. */
export function claimedIdsOf({ certificate, secret }: Inputs): (number | undefined)[] {
  const held = secret.state === 'changed' ? secret.held : undefined;
  return [held?.claimedId, certificate.status?.certificateId];
}

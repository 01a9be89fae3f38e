import { secretHoldsCurrent } from '../../issuance/decide/readiness.ts';
import { requestOf } from '../../issuance/tinycert/request.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { sameNames } from '../../x509/names.ts';
import type { Work } from '../context/work.ts';
import { isFor, isFromAuthority, likelyIds, provenId } from './proven-id.ts';

/** The certificate that the Secret already holds instead of the one to be written. */
export interface NewerInSecret {
  certificateId: number;
  leaf: Certificate;
}

/**
 * The certificate in the resource's own Secret, if it is the one to be published or a later one for the same names and subject: the
 * certificate in a Secret never falls (`secretNeverFalls`), and nothing is fetched that is already there. It is called
 * twice: before the certificate is fetched, when only the annotation tells which id to check, and with `fetched`, when its
 * dates show whether the annotation can be right. Rejects with a `TinyCertError`.
 */
export async function newerInSecret(
  work: Work,
  certificateId: number,
  fetched?: Certificate,
): Promise<NewerInSecret | undefined> {
  const { inputs, issuer } = work;
  const { certificate, secret, names, sealed } = inputs;
  const content = secret.state === 'changed' ? secret.content : undefined;
  if (!content || !sameNames(content.leaf.names, names)) return undefined;
  // The certificate that status names is no later than the one being published.
  if (sealed !== false && secretHoldsCurrent(inputs)) return undefined;
  const request = requestOf(certificate, issuer, await issuer.material());
  const { leaf, claimedId } = content;
  if (!isFor(request, leaf)) return undefined;
  if (fetched?.raw.equals(leaf.raw))
    return (await isFromAuthority(content, issuer)) ? { certificateId, leaf } : undefined;
  // TinyCert dates a certificate with the moment of its issue, so an earlier date means a lower id.
  if (fetched && leaf.notBefore < fetched.notBefore) return undefined;
  const guesses = fetched
    ? await likelyIds(work, content, certificateId)
    : [claimedId].filter((id) => id !== undefined && id >= certificateId);
  const id = await provenId(work, content, guesses);
  return id === undefined ? undefined : { certificateId: id, leaf };
}

import { type CertificateRef, isSameAuthority } from '../../api/tinycert/identity.ts';
import { secretHoldsCurrent } from '../../issuance/decide/readiness.ts';
import { requestOf } from '../../issuance/tinycert/request.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { sameNames } from '../../x509/names.ts';
import type { Work } from '../context/work.ts';
import { isFor, isFromAuthority, likelyCertificates, provenCertificate } from './proven-id.ts';

/** The certificate that the Secret already holds instead of the one to be written. */
export interface NewerInSecret {
  certificate: CertificateRef;
  leaf: Certificate;
}

/**
 * The certificate in the resource's own Secret, if it is the one to be published or a later one for the same names and subject: the
 * certificate in a Secret never falls (`secretNeverFalls`), and nothing is fetched that is already there. It is called
 * twice: before the certificate is fetched, when only the annotations tell which one to check, and with `fetched`, when its
 * dates show whether the annotation can be right. Rejects with a `TinyCertError`.
 */
export async function newerInSecret(
  work: Work,
  wanted: CertificateRef,
  fetched?: Certificate,
): Promise<NewerInSecret | undefined> {
  const { inputs, issuer } = work;
  const { certificate, secret, names, sealed } = inputs;
  const content = secret.state === 'changed' ? secret.content : undefined;
  if (!content || !sameNames(content.leaf.names, names)) return undefined;
  // The certificate that status names is no later than the one being published.
  if (sealed !== false && secretHoldsCurrent(inputs)) return undefined;
  const request = requestOf(certificate, issuer, await issuer.material());
  const { leaf, claimed } = content;
  if (!isFor(request, leaf)) return undefined;
  if (fetched?.raw.equals(leaf.raw))
    return (await isFromAuthority(content, issuer)) ? { certificate: wanted, leaf } : undefined;
  // TinyCert dates a certificate with the moment of its issue, so an earlier date means a lower id.
  if (fetched && leaf.notBefore < fetched.notBefore) return undefined;
  const guesses = fetched
    ? await likelyCertificates(work, content, wanted.certificateId)
    : [claimed].filter(
        (ref) => isSameAuthority(ref, wanted) && (ref?.certificateId ?? 0) >= wanted.certificateId,
      );
  const proven = await provenCertificate(work, content, guesses);
  return proven && { certificate: proven, leaf };
}

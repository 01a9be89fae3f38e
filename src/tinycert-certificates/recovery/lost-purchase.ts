import { MAX_CLOCK_SKEW_MS } from '../../issuance/clock-skew.ts';
import { type CertificateRef, certificateKey, certificateOf } from '../../api/tinycert/identity.ts';
import { claimsOf, isClaimedByOther } from '../../issuance/tinycert/claims.ts';
import { idAt, orGone } from '../../issuance/tinycert/lookup.ts';
import { isMarked } from '../../issuance/tinycert/marker.ts';
import { recordsOf } from '../../issuance/tinycert/records.ts';
import { askedFor, type Request, requestHash } from '../../issuance/tinycert/request.ts';
import { normalCommonName } from '../../x509/names.ts';
import { BY_CERTIFICATE } from '../context/deps.ts';
import type { Inputs } from '../context/inputs.ts';
import { callOptions, type Work } from '../context/work.ts';

/** The most certificates of one common name that are looked at, newest first. */
const MOST_READ = 50;

/**
 * What the CA has sold for exactly this request already, in an attempt whose entry was lost with the journal (F12). Only the marker
 * proves that, since it names the resource and no spec can use it. What the inventory has shown is taken from there. Asks the CA only
 * in a term that began without the journal, or with one that was put back, and of a resource only until it has asked for a certificate
 * in that term. Rejects with a `TinyCertError`.
 */
export async function lostPurchase(work: Work, request: Request): Promise<CertificateRef | undefined> {
  const { deps, inputs, issuer, view } = work;
  if (!isMarked(request.subject)) return undefined;
  const { lossSign } = inputs;
  if (lossSign.is === 'own' && lossSign.requestHash === requestHash(request)) return lossSign.certificate;
  if (!mayBeLost(inputs, view.lacksEntriesBefore)) return undefined;
  const { account, authority } = issuer;
  const { certificate } = inputs;
  const known = new Set(
    [...claimsOf(certificate.status), ...recordsOf(view, authority).released].map(certificateKey),
  );
  const found: number[] = [];
  await account.client.streamCertificates(
    authority.authorityId,
    undefined,
    ({ id, commonName, status }) => {
      const isAlike = normalCommonName(commonName) === request.names.commonName;
      if (status === 'good' && isAlike && !known.has(certificateKey(certificateOf(authority, id))))
        found.push(id);
    },
    callOptions(work),
  );
  const wanted = requestHash(request);
  for (const id of found.sort((a, b) => b - a).slice(0, MOST_READ)) {
    const each = certificateOf(authority, id);
    const details = await orGone(() =>
      account.client.getCertificateDetails(idAt(account, each), callOptions(work)),
    );
    const asked = details?.status === 'good' ? askedFor(authority.authorityId, details) : undefined;
    if (!asked || requestHash(asked) !== wanted) continue;
    const claimants = deps.certificates.byIndex(BY_CERTIFICATE, certificateKey(each));
    if (!isClaimedByOther(certificate, each, claimants)) return each;
  }
  return undefined;
}

/** Whether a resource may have had an attempt that is lost: it was there before, and has asked for nothing since. */
function mayBeLost({ certificate, attempt: open }: Inputs, before: number | undefined): boolean {
  if (before === undefined) return false;
  const { metadata, status } = certificate;
  const times = [status?.attemptTime, open?.isPutBack ? undefined : open?.attempt.startTime];
  if (times.some((time) => Date.parse(time ?? '') >= before)) return false;
  return !(Date.parse(metadata.creationTimestamp ?? '') > before + MAX_CLOCK_SKEW_MS);
}

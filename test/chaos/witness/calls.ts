/** What operators asked of the CAs about certificates that exist. */
import { isTakenForOwn, isWithin } from './excuses.ts';
import { byRef, type Evidence, placeOf, refOf, rootOf, tagOf } from './ledger.ts';

/**
 * Reissues, changes of status and fetches of keys of certificates that were not the caller's. A resource may change the status of what it
 * has had, and of what an attempt of it bought.
 */
export function judgeCalls(evidence: Evidence): string[] {
  const { journal, certificates, history } = evidence;
  const known = byRef(certificates);
  const byNumber = new Map(
    certificates.map((certificate) => [`${certificate.ca} ${certificate.id}`, certificate]),
  );
  return journal.flatMap(({ ca, call, params, httpStatus, late, result }) => {
    // An id is unique at an endpoint.
    const certificate = byNumber.get(`${ca} ${params['cert_id']}`);
    if (!certificate) return [];
    const isKey = call === 'cert/get' && params['what'] !== 'cert' && params['what'] !== 'chain';
    if (call !== 'cert/reissue' && call !== 'cert/status' && !isKey) return [];
    const root = rootOf(known, certificate);
    const tag = tagOf(evidence, certificate);
    const name = `${ca} ${certificate.id}`;
    if (typeof root.origin !== 'number')
      return isTakenForOwn(evidence, root) ? [] : [`${call} of ${name}, which a person made`];
    const hasActed = result?.certId !== undefined || (httpStatus === 200 && !isKey) || late === true;
    if (isKey || !hasActed || !tag) return [];
    const { heard, reissued, windows } = history.claims(placeOf(tag));
    const isOwn =
      call === 'cert/reissue'
        ? reissued.has(refOf(certificate))
        : heard.has(refOf(certificate)) ||
          [...windows.values()].some((window) => isWithin(window, certificate));
    return isOwn ? [] : [`${call} of ${name}, which ${placeOf(tag)} never wanted`];
  });
}

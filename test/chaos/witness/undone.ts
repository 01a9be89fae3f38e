/** Whether the CAs have the holds and revocations that were due. */
import type { Issued } from '../ca.ts';
import type { Duty } from './duties.ts';
import { byRef, type Evidence, placeOf } from './ledger.ts';

/** Duties that are not done, as sentences. */
export function undone(evidence: Evidence): string[] {
  const known = byRef(evidence.certificates);
  const missed = evidence.history.duties.filter((duty) => {
    const certificate = known.get(duty.certificate);
    return certificate && !isDone(evidence, certificate, duty) && !isForged(evidence, duty);
  });
  return missed.map(({ place, certificate, action, why }) => {
    const { ca, id, status } = known.get(certificate) ?? {};
    return `${action} of ${ca} ${id} (${status}), which ${place} ${MEANING[why]}`;
  });
}

const MEANING = {
  promised: 'had promised and has no more among its promises',
  replaced: 'replaced',
  deleted: 'had or promised until it was deleted',
};

/** A person may have changed the status back since, so what the CA was asked counts too. */
function isDone({ journal }: Evidence, certificate: Issued, { action, by }: Duty): boolean {
  const wanted = action === 'Hold' ? ['hold', 'revoked'] : ['revoked'];
  if (wanted.includes(certificate.status) || certificate.replacedBy !== undefined) return true;
  if (certificate.notAfter * 1_000 <= by) return true;
  return journal.some(
    ({ ca, call, params, result }) =>
      ca === certificate.ca &&
      call === 'cert/status' &&
      result?.certId === certificate.id &&
      wanted.includes(params['status'] ?? ''),
  );
}

/** Whether somebody forged the status of the resource, or claims this certificate by a forged status. */
function isForged({ tags, forgotten, history }: Evidence, { asked, certificate }: Duty): boolean {
  if (asked.some((names) => isForgotten(tags.of(names.split(','))))) return true;
  return [...forgotten].some((tag) => history.claims(placeOf(tag)).heard.has(certificate) && !isOwn(tag));

  function isForgotten(tag: ReturnType<typeof tags.of>): boolean {
    return tag !== undefined && forgotten.has(tag);
  }

  function isOwn(tag: NonNullable<ReturnType<typeof tags.of>>): boolean {
    return asked.some((names) => {
      const own = tags.of(names.split(','));
      return own !== undefined && placeOf(own) === placeOf(tag);
    });
  }
}

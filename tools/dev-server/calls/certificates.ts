import { issue, issueForOther, reissue, seconds, setStatus } from './issuing.ts';
import { namesOfForm } from '../x509/names.ts';
import { illegal } from '../service-error.ts';
import { type Authority, statusAt } from '../state/store.ts';
import type { Subject } from '../types.ts';
import {
  type CallHandler,
  type Service,
  optionalPart,
  requiredChoice,
  requiredInteger,
  requiredPart,
  shownParts,
  takeTurn,
} from './call.ts';

/** The bits of `cert/list`'s `what`. Obsolete ones have none. */
const LIST_BIT = { expired: 1, good: 2, revoked: 4, hold: 8, obsolete: 0 };

export const listCertificates: CallHandler = ({ service, account, form, entry }) => {
  const authority = service.store.authority(requiredInteger(form, 'ca_id'), account);
  const what = requiredInteger(form, 'what');
  if (what > 15) throw illegal('what', 'it is a sum of 1, 2, 4 and 8');
  const now = seconds(service);
  entry.result = { caId: authority.id };
  return service.store
    .certificatesOf(authority.id)
    .map((certificate) => ({ certificate, status: statusAt(certificate, now) }))
    .filter(({ status }) => (LIST_BIT[status] & what) !== 0)
    .map(({ certificate: { id, subject, notAfter }, status }) => ({
      id,
      name: subject.CN,
      status,
      expires: notAfter,
    }));
};

export const certificateDetails: CallHandler = ({ service, account, form, entry }) => {
  const certificate = service.store.certificate(requiredInteger(form, 'cert_id'), account);
  const { names } = certificate;
  entry.result = { certId: certificate.id };
  return {
    id: certificate.id,
    status: statusAt(certificate, seconds(service)),
    ...shownParts(certificate.subject, ['C', 'ST', 'L', 'O', 'OU', 'CN'], service.settings.emptyFields),
    Alt: names.length > 0 ? names.map(({ type, value }) => ({ [type]: value })) : null,
  };
};

export const reissueCertificate: CallHandler = (call) => {
  const { service, account, form, entry } = call;
  const old = service.store.certificate(requiredInteger(form, 'cert_id'), account);
  takeTurn(call);
  const { id } = reissue(service, old, entry.seq, call.defect);
  entry.result = { certId: id, previousId: old.id };
  return { cert_id: id };
};

export const changeStatus: CallHandler = ({ service, account, form, entry }) => {
  const id = requiredInteger(form, 'cert_id');
  const status = requiredChoice(form, 'status', ['good', 'hold', 'revoked']);
  const certificate = service.store.certificate(id, account);
  setStatus(service, certificate, status);
  entry.result = { certId: id };
  return undefined;
};

export const newCertificate: CallHandler = async (call) => {
  const { service, account, form, entry } = call;
  const subject: Subject = {
    C: requiredPart(form, 'C'),
    ...optionalPart(form, 'ST'),
    ...optionalPart(form, 'L'),
    O: requiredPart(form, 'O'),
    ...optionalPart(form, 'OU'),
    CN: requiredPart(form, 'CN'),
  };
  const authority = service.store.authority(requiredInteger(form, 'ca_id'), account);
  const names = namesOfForm(form.get('SANs'));
  takeTurn(call);
  letOthersGoFirst(service, authority);
  const { id } = await issue(service, {
    authority,
    subject,
    names,
    origin: entry.seq,
    defect: call.defect,
  });
  entry.result = { certId: id, caId: authority.id };
  return { cert_id: id };
};

/** Lets another customer take an id before every n-th certificate, so no client may rely on ids without gaps. */
function letOthersGoFirst(service: Service, authority: Authority): void {
  const every = service.settings.otherCustomers;
  if (every === 0) return;
  service.turns += 1;
  if (service.turns % every !== 0) return;
  for (const other of service.store.authorities.values()) {
    if (other.accountId === authority.accountId) continue;
    issueForOther(service, other);
    return;
  }
}

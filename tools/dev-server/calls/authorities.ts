import { createAuthority } from './issuing.ts';
import { pem } from '../x509/x509.ts';
import {
  type CallHandler,
  optionalPart,
  requiredChoice,
  requiredInteger,
  requiredPart,
  shownParts,
  takeTurn,
} from './call.ts';

export const listAuthorities: CallHandler = ({ service, account }) =>
  service.store.authoritiesOf(account).map(({ id, subject }) => ({ id, name: subject.O }));

export const authorityDetails: CallHandler = ({ service, account, form, entry }) => {
  const authority = service.store.authority(requiredInteger(form, 'ca_id'), account);
  entry.result = { caId: authority.id };
  return {
    id: authority.id,
    ...shownParts(authority.subject, ['C', 'ST', 'L', 'O', 'OU', 'CN'], service.settings.emptyFields),
    E: authority.email,
    hash_alg: authority.hashMethod.toUpperCase(),
  };
};

export const getAuthority: CallHandler = ({ service, account, form, entry }) => {
  const id = requiredInteger(form, 'ca_id');
  requiredChoice(form, 'what', ['cert']);
  const authority = service.store.authority(id, account);
  entry.result = { caId: id };
  return { pem: pem('CERTIFICATE', authority.der) };
};

export const deleteAuthority: CallHandler = ({ service, account, form, entry }) => {
  const { id } = service.store.authority(requiredInteger(form, 'ca_id'), account);
  service.store.deleteAuthority(id);
  entry.result = { caId: id };
  return undefined;
};

export const newAuthority: CallHandler = async (call) => {
  const { service, account, form, entry } = call;
  const { L, ST } = { ...optionalPart(form, 'L'), ...optionalPart(form, 'ST') };
  const preset = {
    country: requiredPart(form, 'C'),
    organization: requiredPart(form, 'O'),
    ...(L === undefined ? {} : { locality: L }),
    ...(ST === undefined ? {} : { province: ST }),
    hashMethod: requiredChoice(form, 'hash_method', ['sha1', 'sha256']),
  };
  takeTurn(call);
  const { id } = await createAuthority(service, account, preset);
  entry.result = { caId: id };
  return { ca_id: id };
};

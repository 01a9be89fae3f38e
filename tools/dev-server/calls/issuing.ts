import { type KeyPair, type KeyPool, generateRsaKey } from '../x509/keys.ts';
import { ServiceError } from '../service-error.ts';
import type { Settings } from '../settings.ts';
import {
  type Account,
  type Authority,
  type Certificate,
  type Store,
  hasEnded,
  statusAt,
} from '../state/store.ts';
import type { AlternativeName, AuthorityPreset, FaultEffect, SettableStatus, Subject } from '../types.ts';
import {
  type AuthorityUrls,
  authorityExtensions,
  certificate as writeCertificate,
  distinguishedName,
  leafExtensions,
  ownExtensions,
} from '../x509/x509.ts';

/** The OU of every authority. */
export const AUTHORITY_UNIT = 'Secure Digital Certificate Signing';

const HOUR = 3600;

/** What creating authorities and certificates needs. */
export interface Works {
  store: Store;
  keys: KeyPool;
  settings: Settings;
  /** Unix milliseconds. */
  now: () => number;
  /** Base URL of CRLs and CA certificates, without a trailing slash. */
  urlBase: string;
}

/** What a certificate should be. */
export interface IssueRequest {
  authority: Authority;
  subject: Subject;
  names: AlternativeName[];
  origin: Certificate['origin'];
  /** The defect that a fault puts into it. */
  defect?: FaultEffect | undefined;
  /** Unix seconds; by default now and the usual lifetime. */
  notBefore?: number | undefined;
  notAfter?: number | undefined;
}

export function seconds(works: Works): number {
  return Math.floor(works.now() / 1000);
}

/** The URLs of the authority's CRL, certificate and OCSP answers. Each has its id, as the real URLs do. */
export function authorityUrls(works: Works, id: number): AuthorityUrls {
  return {
    crl: `${works.urlBase}/crl/ca-${id}.crl`,
    issuer: `${works.urlBase}/aia/ca-${id}.crt`,
    ocsp: `${works.urlBase}/ocsp/ca-${id}`,
  };
}

/** `ca/new`: a key and a self-signed certificate with serial 0. */
export async function createAuthority(
  works: Works,
  account: Account,
  preset: AuthorityPreset,
): Promise<Authority> {
  const key = await generateRsaKey();
  const { store } = works;
  const id = store.nextAuthorityId;
  store.nextAuthorityId += 1;
  const authority = selfSigned(works, key, {
    id,
    accountId: account.id,
    email: account.email,
    hashMethod: preset.hashMethod ?? 'sha256',
    notBefore: seconds(works),
    notAfter: seconds(works) + works.settings.caValidity,
    subject: {
      C: preset.country,
      ...(preset.province ? { ST: preset.province } : {}),
      ...(preset.locality ? { L: preset.locality } : {}),
      O: preset.organization,
      OU: AUTHORITY_UNIT,
      CN: `${preset.organization} CA`,
    },
  });
  store.authorities.set(id, authority);
  store.onChange();
  return authority;
}

function selfSigned(works: Works, key: KeyPair, plan: Omit<Authority, 'key' | 'der'>): Authority {
  const name = distinguishedName(plan.subject);
  const der = writeCertificate(
    {
      serial: 0,
      issuer: name,
      subject: name,
      notBefore: plan.notBefore,
      notAfter: plan.notAfter,
      spki: key.spki,
      extensions: authorityExtensions(key, plan.email, authorityUrls(works, plan.id)),
    },
    key,
    plan.hashMethod,
  );
  return { ...plan, key, der };
}

/** `cert/new`: a new key pair and a certificate, under the next id. */
export async function issue(works: Works, request: IssueRequest): Promise<Certificate> {
  const key = await works.keys.take();
  // The authority may have been deleted while the key was made.
  works.store.authority(request.authority.id);
  return record(works, request, key);
}

/**
 * `cert/reissue`: the same values and key under a new id. A good or held certificate becomes obsolete; another keeps its status
 * but cannot be reissued again.
 */
export function reissue(
  works: Works,
  old: Certificate,
  origin: Certificate['origin'],
  defect?: FaultEffect,
): Certificate {
  if (old.replacedBy !== undefined || old.status === 'obsolete') {
    throw new ServiceError('NotLatest', 'This certificate has been replaced by a newer one');
  }
  const authority = works.store.authority(old.caId);
  const next = record(works, { authority, subject: old.subject, names: old.names, origin, defect }, old.key);
  next.previousId = old.id;
  old.replacedBy = next.id;
  if (old.status !== 'revoked' && !hasEnded(old, seconds(works))) old.status = 'obsolete';
  works.store.onChange();
  return next;
}

/** `cert/status`: changes between good, hold and revoked in any direction; the present status is no change. */
export function setStatus(works: Works, certificate: Certificate, status: SettableStatus): void {
  if (statusAt(certificate, seconds(works)) === status) return;
  if (certificate.status === 'obsolete' || hasEnded(certificate, seconds(works))) {
    throw new ServiceError('StatusDisallowed', 'The status of an expired or obsolete certificate is final');
  }
  certificate.status = status;
  if (status === 'good') delete certificate.revokedAt;
  else certificate.revokedAt = seconds(works);
  works.store.onChange();
}

/** Another customer's certificate, which takes an id. It has its authority's key, since nobody will use it. */
export function issueForOther(works: Works, authority: Authority): Certificate {
  const id = works.store.nextCertificateId;
  const subject = { C: authority.subject.C, O: authority.subject.O, CN: `host-${id}.other.example` };
  const names: AlternativeName[] = [{ type: 'DNS', value: subject.CN }];
  return store(works, { authority, subject, names, origin: 'other-customer' }, authority.key);
}

/** The certificate in DER, written when first requested. */
export function derOf(works: Works, certificate: Certificate): Buffer {
  certificate.der ??= write(works, certificate, works.store.authority(certificate.caId), certificate.names);
  return certificate.der;
}

/** The certificate with a fault's defect, for this one answer. */
export function defective(
  works: Works,
  certificate: Certificate,
  effect: FaultEffect,
): { der: Buffer; root: Buffer } {
  const authority = works.store.authority(certificate.caId);
  const copy: Certificate = { ...certificate, ...defectiveDates(works, certificate, effect) };
  const names = effect.kind === 'wrong-names' ? wrongNames(effect) : certificate.names;
  const signer = effect.kind === 'foreign-chain' ? impostor(works, authority) : authority;
  return { der: write(works, copy, signer, names), root: signer.der };
}

function record(works: Works, request: IssueRequest, key: KeyPair): Certificate {
  const certificate = store(works, request, key);
  const { defect } = request;
  if (defect) {
    Object.assign(certificate, defectiveDates(works, certificate, defect));
    const { der, root } = defective(works, certificate, defect);
    certificate.der = der;
    if (defect.kind === 'foreign-chain') certificate.foreignRoot = root;
  } else {
    derOf(works, certificate);
  }
  return certificate;
}

function store(works: Works, request: IssueRequest, key: KeyPair): Certificate {
  const { store } = works;
  const notBefore = request.notBefore ?? seconds(works);
  const certificate: Certificate = {
    id: store.nextCertificateId,
    caId: request.authority.id,
    subject: request.subject,
    names: request.names,
    status: 'good',
    key,
    notBefore,
    notAfter: request.notAfter ?? notBefore + works.settings.validity,
    origin: request.origin,
  };
  store.nextCertificateId += 1;
  store.certificates.set(certificate.id, certificate);
  store.onChange();
  return certificate;
}

function write(
  works: Works,
  certificate: Certificate,
  signer: Authority,
  names: readonly AlternativeName[],
): Buffer {
  const same = sameForAll(works, signer);
  return writeCertificate(
    {
      serial: certificate.id,
      issuer: same.issuer,
      subject: distinguishedName(certificate.subject),
      notBefore: certificate.notBefore,
      notAfter: certificate.notAfter,
      spki: certificate.key.spki,
      extensions: [...same.extensions, ...ownExtensions(certificate.key, names)],
    },
    signer.key,
    signer.hashMethod,
  );
}

/** The part that is the same in every certificate of an authority, written once. */
const writtenOnce = new WeakMap<Authority, { issuer: Buffer; extensions: Buffer[] }>();

function sameForAll(works: Works, signer: Authority): { issuer: Buffer; extensions: Buffer[] } {
  const known = writtenOnce.get(signer);
  if (known) return known;
  const same = {
    issuer: distinguishedName(signer.subject),
    extensions: leafExtensions(signer.key, authorityUrls(works, signer.id)),
  };
  writtenOnce.set(signer, same);
  return same;
}

function defectiveDates(
  works: Works,
  certificate: Certificate,
  effect: FaultEffect,
): { notBefore?: number; notAfter?: number } {
  const lifetime = certificate.notAfter - certificate.notBefore;
  const now = seconds(works);
  if (effect.kind === 'expired') return { notBefore: now - HOUR - lifetime, notAfter: now - HOUR };
  if (effect.kind !== 'future') return {};
  return { notBefore: now + effect.seconds, notAfter: now + effect.seconds + lifetime };
}

function wrongNames(effect: FaultEffect & { kind: 'wrong-names' }): AlternativeName[] {
  return effect.names ?? [{ type: 'DNS', value: 'wrong.example.net' }];
}

/** An authority with the same name and the key of any other authority. */
function impostor(works: Works, authority: Authority): Authority {
  for (const other of works.store.authorities.values()) {
    if (other.id !== authority.id) return selfSigned(works, other.key, authority);
  }
  throw new Error('There is no second authority to sign with');
}

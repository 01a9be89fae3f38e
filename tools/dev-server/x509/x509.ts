/** Writes certificates: the common structure, and the service's two profiles. */
import { sign } from 'node:crypto';
import * as der from './der.ts';
import type { KeyPair } from './keys.ts';
import { generalName } from './names.ts';
import type { AlternativeName, HashMethod, Subject } from '../types.ts';

const ATTRIBUTE = {
  C: der.oid('2.5.4.6'),
  ST: der.oid('2.5.4.8'),
  L: der.oid('2.5.4.7'),
  O: der.oid('2.5.4.10'),
  OU: der.oid('2.5.4.11'),
  CN: der.oid('2.5.4.3'),
};

/** The hashes of signatures. */
type SignatureHash = HashMethod | 'sha512';

const RSA_ALGORITHM = {
  sha1: der.sequence(der.oid('1.2.840.113549.1.1.5'), der.NULL),
  sha256: der.sequence(der.oid('1.2.840.113549.1.1.11'), der.NULL),
  sha512: der.sequence(der.oid('1.2.840.113549.1.1.13'), der.NULL),
};
const ECDSA_SHA256 = der.sequence(der.oid('1.2.840.10045.4.3.2'));

const OID = {
  subjectKeyIdentifier: der.oid('2.5.29.14'),
  keyUsage: der.oid('2.5.29.15'),
  subjectAltName: der.oid('2.5.29.17'),
  issuerAltName: der.oid('2.5.29.18'),
  basicConstraints: der.oid('2.5.29.19'),
  crlDistributionPoints: der.oid('2.5.29.31'),
  authorityKeyIdentifier: der.oid('2.5.29.35'),
  extendedKeyUsage: der.oid('2.5.29.37'),
  authorityInfoAccess: der.oid('1.3.6.1.5.5.7.1.1'),
  netscapeCertType: der.oid('2.16.840.1.113730.1.1'),
};

/** The `Name`, its parts in the order the service writes them: C, ST, L, O, OU, CN. */
export function distinguishedName(subject: Partial<Subject>): Buffer {
  const parts: Buffer[] = [];
  for (const key of ['C', 'ST', 'L', 'O', 'OU', 'CN'] as const) {
    const value = subject[key];
    if (value === undefined) continue;
    const text = key === 'C' ? der.printableString(value) : der.utf8String(value);
    parts.push(der.set(der.sequence(ATTRIBUTE[key], text)));
  }
  return der.sequence(...parts);
}

/** The signed structure of certificates, CRLs and CSRs: the body, the algorithm, the signature. */
export function signed(body: Buffer, key: KeyPair, hash: SignatureHash): Buffer {
  return der.sequence(body, signatureAlgorithm(key, hash), der.bitString(sign(hash, body, key.privateKey)));
}

export function signatureAlgorithm(key: KeyPair, hash: SignatureHash): Buffer {
  return key.privateKey.asymmetricKeyType === 'rsa' ? RSA_ALGORITHM[hash] : ECDSA_SHA256;
}

/** One extension; `critical` is omitted if false, as DER requires. */
export function extension(id: Buffer, critical: boolean, value: Buffer): Buffer {
  return critical
    ? der.sequence(id, der.boolean(true), der.octetString(value))
    : der.sequence(id, der.octetString(value));
}

export interface CertificateParts {
  serial: number;
  issuer: Buffer;
  subject: Buffer;
  /** Unix seconds. */
  notBefore: number;
  notAfter: number;
  spki: Buffer;
  extensions: Buffer[];
}

/** A DER certificate, version 3. */
export function certificate(parts: CertificateParts, key: KeyPair, hash: SignatureHash): Buffer {
  const body = der.sequence(
    der.context(0, der.integer(2)),
    der.integer(parts.serial),
    signatureAlgorithm(key, hash),
    parts.issuer,
    der.sequence(der.time(parts.notBefore), der.time(parts.notAfter)),
    parts.subject,
    parts.spki,
    der.context(3, der.sequence(...parts.extensions)),
  );
  return signed(body, key, hash);
}

/** The URLs of an authority's CRL, certificate and OCSP answers. */
export interface AuthorityUrls {
  crl: string;
  issuer: string;
  ocsp: string;
}

/** Extensions of an authority: all usages of the service's own, and the account's e-mail as subject and issuer name. */
export function authorityExtensions(key: KeyPair, email: string, urls: AuthorityUrls): Buffer[] {
  const mail = der.sequence(generalName({ type: 'email', value: email }));
  return [
    extension(OID.basicConstraints, true, der.sequence(der.boolean(true))),
    // digitalSignature, keyEncipherment, keyAgreement, keyCertSign, cRLSign
    extension(OID.keyUsage, true, der.namedBits(0, 2, 4, 5, 6)),
    extension(OID.subjectKeyIdentifier, false, der.octetString(key.identifier)),
    extension(OID.subjectAltName, false, mail),
    extension(OID.issuerAltName, false, mail),
    distributionPoint(urls.crl),
  ];
}

/** The leaf's extensions that are the same for every certificate of an authority. */
export function leafExtensions(issuer: KeyPair, urls: AuthorityUrls): Buffer[] {
  return [
    extension(OID.basicConstraints, false, der.sequence()),
    // digitalSignature, nonRepudiation, keyEncipherment, dataEncipherment, keyAgreement
    extension(OID.keyUsage, false, der.namedBits(0, 1, 2, 3, 4)),
    extension(
      OID.extendedKeyUsage,
      false,
      // serverAuth, clientAuth, codeSigning, emailProtection, timeStamping
      der.sequence(...[1, 2, 3, 4, 8].map((purpose) => der.oid(`1.3.6.1.5.5.7.3.${purpose}`))),
    ),
    // client, server, S/MIME, object signing
    extension(OID.netscapeCertType, false, der.namedBits(0, 1, 2, 3)),
    authorityKeyIdentifier(issuer),
    extension(
      OID.authorityInfoAccess,
      false,
      der.sequence(access('1.3.6.1.5.5.7.48.1', urls.ocsp), access('1.3.6.1.5.5.7.48.2', urls.issuer)),
    ),
    distributionPoint(urls.crl),
  ];
}

/** The extensions that differ per leaf: the key identifier, and the names if there are any. */
export function ownExtensions(key: KeyPair, names: readonly AlternativeName[]): Buffer[] {
  const own = [extension(OID.subjectKeyIdentifier, false, der.octetString(key.identifier))];
  if (names.length > 0) own.push(extension(OID.subjectAltName, false, alternativeNames(names)));
  return own;
}

/** The names as the value of subjectAltName. */
export function alternativeNames(names: readonly AlternativeName[]): Buffer {
  return der.sequence(...names.map(generalName));
}

/** The extension that identifies the issuer's key. */
export function authorityKeyIdentifier(issuer: KeyPair): Buffer {
  return extension(
    OID.authorityKeyIdentifier,
    false,
    der.sequence(der.contextPrimitive(0, issuer.identifier)),
  );
}

/** The certificate signing request, with the names as its requested extension. */
export function signingRequest(
  subject: Subject,
  names: readonly AlternativeName[],
  key: KeyPair,
  hash: HashMethod,
): Buffer {
  const requested = extension(OID.subjectAltName, false, alternativeNames(names));
  const attribute = der.sequence(der.oid('1.2.840.113549.1.9.14'), der.set(der.sequence(requested)));
  const attributes = names.length > 0 ? der.context(0, attribute) : der.context(0);
  const body = der.sequence(der.integer(0), distinguishedName(subject), key.spki, attributes);
  return signed(body, key, hash);
}

/** PEM with lines of 64 characters. */
export function pem(label: string, content: Buffer): string {
  const lines = content.toString('base64').replaceAll(/.{64}(?!$)/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

/** The extension that points to a CRL. */
export function distributionPoint(url: string): Buffer {
  const name = der.context(0, der.context(0, generalName({ type: 'URI', value: url })));
  return extension(OID.crlDistributionPoints, false, der.sequence(der.sequence(name)));
}

/** One entry of authorityInfoAccess. */
export function access(method: string, url: string): Buffer {
  return der.sequence(der.oid(method), generalName({ type: 'URI', value: url }));
}

/** The dev server's own TLS identity: a throw-away CA, and a certificate for the loopback names under it. */
import * as der from '../x509/der.ts';
import { type KeyPair, generateEcKey } from '../x509/keys.ts';
import type { AlternativeName } from '../types.ts';
import {
  alternativeNames,
  authorityKeyIdentifier,
  certificate,
  distinguishedName,
  extension,
  pem,
} from '../x509/x509.ts';

const YEAR = 365 * 86_400;

const NAMES: AlternativeName[] = [
  { type: 'DNS', value: 'localhost' },
  { type: 'IP', value: '127.0.0.1' },
  { type: 'IP', value: '::1' },
];

const ISSUER = distinguishedName({ O: 'TinyCert dev server', CN: 'TinyCert dev server TLS CA' });

/** The CA that clients must trust. The state file keeps it, so trust survives a restart. */
export interface TlsAuthority {
  key: KeyPair;
  der: Buffer;
  /** Its subject in DER; by default that of `createTlsAuthority`. */
  name?: Buffer;
}

/** A new CA for ten years. `now` is in Unix seconds. */
export async function createTlsAuthority(now: number): Promise<TlsAuthority> {
  const key = await generateEcKey();
  const extensions = [
    extension(der.oid('2.5.29.19'), true, der.sequence(der.boolean(true), der.integer(0))),
    // keyCertSign, cRLSign
    extension(der.oid('2.5.29.15'), true, der.namedBits(5, 6)),
    subjectKeyIdentifier(key),
  ];
  const dates = { notBefore: now, notAfter: now + 10 * YEAR };
  const parts = { serial: 1, issuer: ISSUER, subject: ISSUER, ...dates, spki: key.spki, extensions };
  return { key, der: certificate(parts, key, 'sha256') };
}

/** Key and certificate of the server for a year, as `node:https` takes them. `host` is its address, also if it is not loopback. */
export async function serverIdentity(
  authority: TlsAuthority,
  now: number,
  host = '127.0.0.1',
): Promise<{ key: string; cert: string }> {
  const key = await generateEcKey();
  const names = NAMES.some(({ value }) => value === host)
    ? NAMES
    : [...NAMES, { type: 'IP' as const, value: host }];
  const extensions = [
    extension(der.oid('2.5.29.19'), false, der.sequence()),
    // digitalSignature
    extension(der.oid('2.5.29.15'), true, der.namedBits(0)),
    // serverAuth
    extension(der.oid('2.5.29.37'), false, der.sequence(der.oid('1.3.6.1.5.5.7.3.1'))),
    extension(der.oid('2.5.29.17'), false, alternativeNames(names)),
    subjectKeyIdentifier(key),
    authorityKeyIdentifier(authority.key),
  ];
  const subject = distinguishedName({ O: 'Dev server', CN: 'localhost' });
  const dates = { notBefore: now, notAfter: now + YEAR };
  // Each start needs a serial of its own, since the CA may be an old one.
  const parts = {
    serial: now,
    issuer: authority.name ?? ISSUER,
    subject,
    ...dates,
    spki: key.spki,
    extensions,
  };
  return { key: key.pem, cert: pem('CERTIFICATE', certificate(parts, authority.key, 'sha256')) };
}

function subjectKeyIdentifier(key: KeyPair): Buffer {
  return extension(der.oid('2.5.29.14'), false, der.octetString(key.identifier));
}

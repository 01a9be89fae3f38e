import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import {
  bitString,
  boolean,
  explicit,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
  set,
  time,
  utf8String,
} from './der.ts';

/** A certificate and its key, both PEM. */
export interface Credential {
  cert: string;
  key: string;
}

/** The purpose of a leaf certificate. */
export interface LeafRequest {
  commonName: string;
  /** O entries: a client's groups for the API server. */
  organizations?: readonly string[];
  usage: 'server' | 'client';
  /** Host names and IPv4 addresses; for servers. */
  names?: readonly string[];
}

/** A throw-away certificate authority for one control plane. */
export interface Authority {
  /** PEM. */
  caCert: string;
  issue(request: LeafRequest): Credential;
}

const OID = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

const DAY_MS = 24 * 60 * 60 * 1000;

/** An ECDSA P-256 authority. Its certificates are valid from an hour ago (for skewed clocks) to `days` ahead. */
export function createAuthority(now: Date, days = 30): Authority {
  const validity = {
    from: new Date(now.getTime() - DAY_MS / 24),
    to: new Date(now.getTime() + days * DAY_MS),
  };
  const { publicKey, privateKey } = newKey();
  const name = distinguishedName('tinycert-operator control plane', []);
  const keyId = keyIdentifier(publicKey);
  const caCert = certificate({
    subject: name,
    issuer: name,
    validity,
    publicKey,
    signer: privateKey,
    extensions: [
      extension(OID.basicConstraints, sequence(boolean(true)), true),
      // keyCertSign and cRLSign: bits 5 and 6.
      extension(OID.keyUsage, bitString(Buffer.from([0b0000_0110]), 1), true),
      extension(OID.subjectKeyIdentifier, octetString(keyId)),
    ],
  });
  return {
    caCert,
    issue(request) {
      const pair = newKey();
      const cert = certificate({
        subject: distinguishedName(request.commonName, request.organizations ?? []),
        issuer: name,
        validity,
        publicKey: pair.publicKey,
        signer: privateKey,
        extensions: leafExtensions(request, keyId),
      });
      return { cert, key: pem(pair.privateKey) };
    },
  };
}

/** The key pair that signs ServiceAccount tokens. RSA, since that is what clusters use. */
export function createSigningKey(): { publicKey: string; privateKey: string } {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}

function newKey(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function leafExtensions(request: LeafRequest, authorityKeyId: Buffer): Buffer[] {
  const usage = request.usage === 'server' ? OID.serverAuth : OID.clientAuth;
  const names = request.names ?? [];
  return [
    extension(OID.basicConstraints, sequence(), true),
    // digitalSignature: bit 0.
    extension(OID.keyUsage, bitString(Buffer.from([0b1000_0000]), 7), true),
    extension(OID.extendedKeyUsage, sequence(oid(usage))),
    extension(OID.authorityKeyIdentifier, sequence(implicit(0, authorityKeyId))),
    ...(names.length === 0 ? [] : [extension(OID.subjectAltName, sequence(...names.map(generalName)))]),
  ];
}

function generalName(name: string): Buffer {
  return isIP(name) === 4
    ? implicit(7, Buffer.from(name.split('.').map(Number)))
    : implicit(2, Buffer.from(name, 'ascii'));
}

function distinguishedName(commonName: string, organizations: readonly string[]): Buffer {
  const attribute = (type: string, value: string): Buffer => set(sequence(oid(type), utf8String(value)));
  return sequence(
    ...organizations.map((organization) => attribute(OID.organization, organization)),
    attribute(OID.commonName, commonName),
  );
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octetString(value));
}

/** RFC 5280 4.2.1.2 leaves the method open: any digest unique to the key is valid. */
function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
    .subarray(0, 20);
}

interface ToBeSigned {
  subject: Buffer;
  issuer: Buffer;
  validity: { from: Date; to: Date };
  publicKey: KeyObject;
  signer: KeyObject;
  extensions: readonly Buffer[];
}

function certificate(input: ToBeSigned): string {
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const body = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(randomBytes(16)),
    algorithm,
    input.issuer,
    sequence(time(input.validity.from), time(input.validity.to)),
    input.subject,
    input.publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...input.extensions)),
  );
  const der = sequence(body, algorithm, bitString(sign('sha256', body, input.signer)));
  const base64 = der.toString('base64').replaceAll(/.{64}(?=.)/gu, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
}

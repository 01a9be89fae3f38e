import { type KeyObject, generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { rsaSpki } from '../../test/support/x509/hostile-authorities.ts';
import { DerCursor, TAG, encode } from './der.ts';
import { hasUnnamedCurve, isAcceptedAuthorityKey } from './authority-key.ts';

const spkiOf = ({ publicKey }: { publicKey: KeyObject }): Buffer =>
  publicKey.export({ type: 'spki', format: 'der' });
const ec = (namedCurve: string, paramEncoding: 'named' | 'explicit' = 'named'): Buffer =>
  spkiOf(generateKeyPairSync('ec', { namedCurve, paramEncoding }));
/** An EC key with the algorithm of SM2 (1.2.156.10197.1.301), which OpenSSL reads in the same way. */
function asSm2(spki: Buffer): Buffer {
  const info = new DerCursor(spki).enter(TAG.sequence);
  const algorithm = info.enter(TAG.sequence);
  algorithm.next(TAG.oid);
  const oid = encode(TAG.oid, Buffer.from('2a811ccf5501822d', 'hex'));
  return encode(TAG.sequence, encode(TAG.sequence, oid, algorithm.any().whole), info.any().whole);
}

test.each([
  ['RSA', spkiOf(generateKeyPairSync('rsa', { modulusLength: 2048 }))],
  ['RSA of 8192 bits with an exponent of 32 bits', rsaSpki({ modulus: 8192, exponent: 32 })],
  ['EC on P-256', ec('P-256')],
  ['EC on P-384', ec('P-384')],
  ['EC on P-521', ec('P-521')],
])('a key of an authority is accepted: %s', (_, spki) => {
  expect(isAcceptedAuthorityKey(spki)).toBe(true);
});

test.each([
  ['RSA of more than 8192 bits', rsaSpki({ modulus: 8193, exponent: 17 })],
  ['RSA with an exponent of more than 32 bits', rsaSpki({ modulus: 2048, exponent: 33 })],
  ['DSA', spkiOf(generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }))],
  ['Ed25519', spkiOf(generateKeyPairSync('ed25519'))],
  ['EC on another curve', ec('sect571r1')],
  ['EC on a curve of its own', ec('P-256', 'explicit')],
  ['text that is not well-formed', Buffer.from('3003020105', 'hex')],
])('a key of an authority is refused: %s', (_, spki) => {
  expect(isAcceptedAuthorityKey(spki)).toBe(false);
});

test.each([
  ['EC on a named curve', ec('P-224'), false],
  ['EC on a curve of its own', ec('P-224', 'explicit'), true],
  ['SM2 on a curve of its own', asSm2(ec('P-224', 'explicit')), true],
  ['Ed25519, which has no parameters', spkiOf(generateKeyPairSync('ed25519')), false],
])('a key is seen to bring its own curve: %s', (_, spki, expected) => {
  expect(hasUnnamedCurve(spki)).toBe(expected);
});

import { describe, expect, test } from 'vitest';
import {
  accountDigest,
  certificateKey,
  certificateRef,
  isSameAuthority,
  isSameCertificate,
  parseCertificateRef,
} from './identity.ts';

const ENDPOINT = 'https://www.tinycert.org/api/v1/';
const EMAIL = 'Ops@example.com';
const account = accountDigest(ENDPOINT, EMAIL);
const other = accountDigest(ENDPOINT, 'dev@example.com');

describe('the digest of an account', () => {
  test('does not contain the e-mail address', () => {
    expect(account).toMatch(/^[0-9a-f]{32}$/);
  });

  test.each([
    ['https://WWW.TinyCert.org/api/v1/', EMAIL],
    ['https://www.tinycert.org:443/api/v1/', EMAIL],
    ['https://www.tinycert.org./api/v1/', EMAIL],
    ['https://www.tinycert.org/api/v1', EMAIL],
    ['https://www.tinycert.org/api/./v1/', EMAIL],
    [ENDPOINT, 'Ops@Example.COM'],
  ])('is the same for another spelling: %s %s', (endpoint, email) => {
    expect(accountDigest(endpoint, email)).toBe(account);
  });

  test.each([
    ['https://tinycert.org/api/v1/', EMAIL],
    ['https://www.tinycert.org:8443/api/v1/', EMAIL],
    ['http://www.tinycert.org/api/v1/', EMAIL],
    ['https://www.tinycert.org/api/v2/', EMAIL],
    ['https://www.tinycert.org/API/v1/', EMAIL],
    [ENDPOINT, 'ops@example.com'],
    [ENDPOINT, 'Ops@example.org'],
    ['https://www.tinycert.org/api/', 'v1/Ops@example.com'],
  ])('is another for another endpoint or e-mail address: %s %s', (endpoint, email) => {
    expect(accountDigest(endpoint, email)).not.toBe(account);
  });
});

describe('an id names', () => {
  const named = { account, authorityId: 1, certificateId: 7 };

  test('nothing without its account and authority', () => {
    expect(certificateRef({ ...named, account: undefined })).toBeUndefined();
    expect(certificateRef({ ...named, authorityId: undefined })).toBeUndefined();
    expect(certificateRef({ account, authorityId: 1 })).toBeUndefined();
    expect(certificateRef(undefined)).toBeUndefined();
    expect(isSameCertificate({ certificateId: 7 }, { certificateId: 7 })).toBe(false);
    expect(isSameAuthority({ authorityId: 1 }, { authorityId: 1 })).toBe(false);
    expect(isSameAuthority(undefined, undefined)).toBe(false);
  });

  test.each([
    ['of another account', { ...named, account: other }],
    ['of another authority', { ...named, authorityId: 2 }],
    ['with another id', { ...named, certificateId: 8 }],
  ])('not a certificate %s', (_, elsewhere) => {
    expect(isSameCertificate(named, elsewhere)).toBe(false);
    expect(certificateKey(named)).not.toBe(certificateKey(elsewhere));
    expect(isSameCertificate(named, { ...named })).toBe(true);
  });

  test('a certificate in texts that anyone may have written, if all three are well formed', () => {
    const texts = { account, authorityId: '1', certificateId: '7' };
    expect(parseCertificateRef(texts)).toEqual(named);
    for (const change of [
      { account: 'ops@example.com' },
      { account: undefined },
      { authorityId: '-1' },
      { certificateId: '7/8' },
      { certificateId: '12345678901234567' },
    ])
      expect(parseCertificateRef({ ...texts, ...change })).toBeUndefined();
  });
});

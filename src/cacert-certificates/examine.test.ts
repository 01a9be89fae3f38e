import { afterAll, describe, expect, test } from 'vitest';
import { CAcertVectors, inputs, pendingKey, secretWith } from '../../test/support/inputs/cacert-inputs.ts';
import { readCertificate } from '../x509/certificate.ts';
import { examine, examineBeside, faultBeside, hasFilesOf, sourceInSecret } from './examine.ts';
import type { Inputs } from './inputs.ts';

const ca = new CAcertVectors();
afterAll(() => ca.remove());

const signed = ca.sign();
const now = readCertificate(signed.cert).notBefore + 60_000;
const account = { ready: true, issuer: ca.account() } as const;
const pending = pendingKey({ key: signed.privateKey });
const base = { now, account, pending };

describe('a certificate for the pending key', () => {
  test('fits if every check passes', () => {
    expect(examine(inputs(base), signed.cert)).toMatchObject({ source: { root: ca.bundle.roots[0] } });
  });

  test.each<[string, Partial<Inputs>]>([
    ['without a pending key', { pending: { state: 'absent' } }],
    ['if the pending Secret is somebody else’s', { pending: { state: 'foreign' } }],
    ['while the account is unknown', { account: undefined }],
    ['while the account is not ready', { account: { ready: false, reason: 'x', message: 'x' } }],
  ])('is not examined %s', (_, change) => {
    expect(examine(inputs({ ...base, ...change }), signed.cert)).toBeUndefined();
  });

  test.each<[string, Parameters<typeof inputs>[0], string, string]>([
    ['the key is damaged', { pending: pendingKey() }, signed.cert, 'PendingKeyLost'],
    [
      'the spec asks for another key size',
      { spec: { privateKey: { size: 4096, rotationPolicy: 'Always' } } },
      signed.cert,
      'RequestChanged',
    ],
    [
      'the spec names another account',
      { spec: { accountRef: { name: 'you' } } },
      signed.cert,
      'RequestChanged',
    ],
    [
      'the spec asks for another name',
      { spec: { commonName: 'Jane Doe' } },
      signed.cert,
      'IncorrectCertificate',
    ],
    ['the text is no certificate', {}, 'pem', 'InvalidPem'],
    ['the certificate is for another key', {}, ca.sign().cert, 'InvalidKeyPair'],
  ])('has a fault if %s', (_, change, pem, reason) => {
    expect(examine(inputs({ ...base, ...change }), pem)).toMatchObject({ fault: { reason } });
  });
});

describe('the certificate beside the pending key', () => {
  const beside = (pem: string | undefined): Inputs =>
    inputs({ ...base, pending: pendingKey({ key: signed.privateKey, certificate: pem }) });

  test('is none if there is no certificate or no key', () => {
    expect(examineBeside(beside(undefined))).toBeUndefined();
    expect(examineBeside(inputs({ ...base, pending: { state: 'absent' } }))).toBeUndefined();
    expect(faultBeside(beside(undefined))).toBeUndefined();
  });

  test('has no fault if it fits, and its fault if it does not', () => {
    expect(examineBeside(beside(signed.cert))).toHaveProperty('source');
    expect(faultBeside(beside(signed.cert))).toBeUndefined();
    expect(faultBeside(beside('pem'))).toMatchObject({ reason: 'InvalidPem' });
  });
});

describe('the resource’s own Secret', () => {
  const root = ca.authority.cert;

  test.each([
    ['its own files', {}],
    ['other files', { hasOutputs: false }],
  ])('should hold its certificate with the chain of the bundle, whether it has %s', (_, change) => {
    const secret = secretWith(signed, root, change);
    const source = sourceInSecret(inputs({ now, account, secret }));
    expect(source).toMatchObject({ intermediates: [], root: ca.bundle.roots[0] });
    expect(source?.leaf).toBe(secret.content?.leaf);
    expect(source && hasFilesOf(secret, source)).toBe(secret.hasOutputs);
  });

  test('does not have the files of the bundle with another root or another intermediate', () => {
    const secret = secretWith(signed, root);
    const source = sourceInSecret(inputs({ now, account, secret }))!;
    const stranger = readCertificate(ca.sign({ serial: '12' }).cert);
    expect(hasFilesOf(secret, { ...source, root: stranger })).toBe(false);
    expect(hasFilesOf(secret, { ...source, intermediates: [stranger] })).toBe(false);
    expect(hasFilesOf({ ...secret, content: undefined }, source)).toBe(false);
  });

  test('is not checked while it is unchanged', () => {
    expect(sourceInSecret(inputs({ now, account }))).toBeUndefined();
  });

  test.each<[string, Parameters<typeof inputs>[0]]>([
    ['if it is gone', { secret: { state: 'absent' } }],
    ['while the account is not ready', { account: undefined }],
    [
      'if the spec asks for another key size',
      { spec: { privateKey: { size: 4096, rotationPolicy: 'Always' } } },
    ],
    ['if the spec asks for another name', { spec: { commonName: 'Jane Doe' } }],
  ])('holds nothing that the spec asks for %s', (_, change) => {
    const secret = secretWith(signed, root);
    expect(sourceInSecret(inputs({ now, account, secret, ...change }))).toBeUndefined();
  });
});

test('an error that is not the result of a check is thrown', () => {
  const whole = secretWith(signed, ca.authority.cert);
  const secret = { ...whole, content: { ...whole.content!, leaf: undefined as never } };
  expect(() => sourceInSecret(inputs({ now, account, secret }))).toThrow(TypeError);
});

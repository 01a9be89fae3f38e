import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authority, otherAccount, ref } from '../../../test/support/inputs/inputs.ts';
import { type Vector, Vectors } from '../../../test/support/x509/x509-vectors.ts';
import { TerminalError } from '../../lib/errors.ts';
import { TinyCertError } from '../../tinycert/index.ts';
import { type Certificate, readCertificate } from '../../x509/certificate.ts';
import { X509Error } from '../../x509/errors.ts';
import { certificateAtCa, idAt, isAtCa, orGone, type ReadableAccount } from './lookup.ts';

const vectors = new Vectors();
let own: Vector;
let ownCertificate: Certificate;
beforeAll(() => {
  own = vectors.make({ subject: '/CN=www.example.com', serial: '7' });
  ownCertificate = readCertificate(own.cert);
});
afterAll(() => vectors.remove());

const gone = new TinyCertError('NotFound', { call: 'cert/get' });
const busy = new TinyCertError('AccountError', { call: 'cert/get' });

/** An account whose CA gives these answers in order, and the last one again and again. */
function having(...answers: (string | Error)[]): ReadableAccount {
  const getCertificate = () => {
    const answer = (answers.length > 1 ? answers.shift() : answers[0]) ?? '';
    return typeof answer === 'string' ? Promise.resolve(answer) : Promise.reject(answer);
  };
  return { digest: authority.account, client: { getCertificate } as never };
}

describe('an answer', () => {
  test('that the CA has no such certificate is undefined', async () => {
    expect(gone.kind).toBe('not-found');
    expect(await orGone(() => Promise.reject(gone))).toBeUndefined();
    expect(await certificateAtCa(having(gone), ref(7), {})).toBeUndefined();
  });

  test('that the CA has no such certificate is not believed once', async () => {
    expect(await isAtCa(having(gone, own.cert), ref(7), ownCertificate, {})).toBe(true);
    await expect(certificateAtCa(having(gone, busy), ref(7), {})).rejects.toBe(busy);
  });

  test('of any other failure is rejected', async () => {
    expect(busy.kind).not.toBe('not-found');
    await expect(orGone(() => Promise.reject(busy))).rejects.toBe(busy);
    await expect(isAtCa(having(busy), ref(7), ownCertificate, {})).rejects.toBe(busy);
  });

  test('that is no certificate is rejected', async () => {
    await expect(certificateAtCa(having('<html>'), ref(7), {})).rejects.toThrow(X509Error);
  });
});

describe('a certificate is at the CA', () => {
  test('if serial number and public key are the same', async () => {
    expect(await isAtCa(having(own.cert), ref(7), ownCertificate, {})).toBe(true);
  });

  test('unless it has another key', async () => {
    const twin = vectors.make({ subject: '/CN=www.example.com', serial: '7' });
    expect(await isAtCa(having(twin.cert), ref(7), ownCertificate, {})).toBe(false);
  });

  test('unless it has another serial number', async () => {
    const { publicKeyFingerprint } = ownCertificate;
    expect(await isAtCa(having(own.cert), ref(7), { serialNumber: '08', publicKeyFingerprint }, {})).toBe(
      false,
    );
  });

  test('unless the CA has none', async () => {
    expect(await isAtCa(having(gone), ref(7), ownCertificate, {})).toBe(false);
  });
});

test('an account is never asked for a certificate of another one, whose id means something else there', async () => {
  const elsewhere = ref(7, { account: otherAccount });
  expect(idAt({ digest: otherAccount }, elsewhere)).toBe(7);
  expect(() => idAt({ digest: authority.account }, elsewhere)).toThrow(TerminalError);
  await expect(certificateAtCa(having(own.cert), elsewhere, {})).rejects.toThrow(TerminalError);
});

import { afterAll, describe, expect, test } from 'vitest';
import {
  attempt,
  brandNew,
  CAcertVectors,
  DAY,
  inputs,
  ISSUED,
  issued,
  pendingKey,
  secretWith,
  unserved,
} from '../../test/support/inputs/cacert-inputs.ts';
import { rfc3339 } from '../issuance/status/conditions.ts';
import { fingerprintOf, readCertificate } from '../x509/certificate.ts';
import type { Inputs } from './inputs.ts';
import { firstNeed } from './needs.ts';

const ca = new CAcertVectors();
const stranger = new CAcertVectors();
afterAll(() => {
  ca.remove();
  stranger.remove();
});

const signed = ca.sign();
const { notBefore, notAfter, serialNumber } = readCertificate(signed.cert);
const now = notBefore + 60_000;
const account = { ready: true, issuer: ca.account() } as const;
const notReady = { ready: false, reason: 'x', message: 'x' } as const;
const pending = pendingKey({ key: signed.privateKey });
const known = attempt({ quietAt: 2_000_000 });
const open = { now, account, ...brandNew, attempt: known, pending };
/** The status of a certificate with this serial number that was issued just now. */
const servedWith = (serial: string) => ({
  ...issued,
  serialNumber: serial,
  notBefore: rfc3339(notBefore),
  notAfter: rfc3339(notAfter),
});

test('nothing is needed while the certificate is sound and its renewal is not due', () => {
  expect(firstNeed(inputs())).toBeUndefined();
});

describe('an answer that is not stored', () => {
  const answered = {
    ...open,
    attempt: { ...known, progress: { is: 'bought' as const, bought: signed.cert } },
  };

  test('is published if it fits', () => {
    expect(firstNeed(inputs(answered))).toMatchObject({
      remedy: 'publish',
      isLate: false,
      reason: 'Issuing',
      source: { leaf: { serialNumber } },
    });
  });

  test('is refused with its fault if it does not fit', () => {
    const change = { attempt: { ...known, progress: { is: 'bought' as const, bought: 'pem' } } };
    expect(firstNeed(inputs({ ...answered, ...change }))).toMatchObject({
      remedy: 'refuse',
      certificate: 'pem',
      fault: { reason: 'InvalidPem' },
      reason: 'InvalidPem',
    });
  });

  test.each(['absent', 'foreign'] as const)(
    'is given up if its key is gone (%s), and not asked for anew',
    (state) => {
      expect(firstNeed(inputs({ ...answered, pending: { state } }))).toMatchObject({
        remedy: 'recordUncertain',
        quietAt: inputs(answered).monotonic,
      });
    },
  );

  test('is kept beside its key while the account is not ready, and then waits', () => {
    expect(firstNeed(inputs({ ...answered, account: notReady }))).toMatchObject({
      remedy: 'keep',
      certificate: signed.cert,
    });
    const kept = pendingKey({ key: signed.privateKey, certificate: signed.cert });
    expect(firstNeed(inputs({ ...answered, account: notReady, pending: kept }))).toMatchObject({
      remedy: 'issue',
      reason: 'DoesNotExist',
    });
  });

  test('comes before everything else', () => {
    const change = { secret: secretWith(signed, ca.authority.cert), status: issued };
    expect(firstNeed(inputs({ ...answered, ...change }))?.remedy).toBe('publish');
  });
});

describe('a Secret with a certificate that status does not name', () => {
  const secret = secretWith(signed, ca.authority.cert);

  test.each<[string, Parameters<typeof inputs>[0]]>([
    ['the whole status was lost', { status: {} }],
    ['status names an earlier certificate', { status: servedWith('0a') }],
  ])('is adopted if %s', (_, change) => {
    expect(firstNeed(inputs({ now, account, secret, ...change }))).toMatchObject({ remedy: 'adopt' });
  });

  test('is not adopted if it does not fit the spec', () => {
    const change = { spec: { commonName: 'Jane Doe' }, status: {} };
    expect(firstNeed(inputs({ now, account, secret, ...change }))).toMatchObject({
      remedy: 'issue',
      reason: 'DoesNotExist',
    });
  });
});

describe('a certificate beside the pending key', () => {
  const delivered = pendingKey({ key: signed.privateKey, certificate: signed.cert });

  test('is published as a late one if it fits', () => {
    const status = { unserved: unserved() };
    expect(firstNeed(inputs({ ...open, status, attempt: undefined, pending: delivered }))).toMatchObject({
      remedy: 'publish',
      isLate: true,
      source: { leaf: { serialNumber } },
    });
  });

  test('is not published again once it is served', () => {
    const status = servedWith(serialNumber);
    expect(firstNeed(inputs({ now, account, status, pending: delivered }))).toMatchObject({
      remedy: 'forget',
    });
  });

  test('is refused if the process that got it died before it recorded the fault', () => {
    const unfit = pendingKey({ key: signed.privateKey, certificate: 'pem' });
    expect(firstNeed(inputs({ ...open, pending: unfit, monotonic: known.quietAt }))).toMatchObject({
      remedy: 'refuse',
      certificate: 'pem',
      fault: { reason: 'InvalidPem' },
    });
  });
});

describe('an open attempt', () => {
  test.each<[string, Partial<Inputs>, object]>([
    [
      'is made again if this process did not send it',
      { attempt: attempt({ quietAt: 2_000_000, progress: { is: 'unsent' } }) },
      { remedy: 'issue', reason: 'Issuing' },
    ],
    [
      'is uncertain from the moment at which nothing more can happen to it',
      {},
      { remedy: 'recordUncertain', quietAt: 2_000_000, reason: 'IssuanceUncertain' },
    ],
  ])('%s', (_, change, need) => {
    expect(firstNeed(inputs({ ...open, ...change }))).toMatchObject(need);
  });

  test('that cannot be read may have bought something, and is uncertain as well', () => {
    const unreadable = { ...known, entry: undefined };
    expect(firstNeed(inputs({ ...open, attempt: unreadable }))).toMatchObject({ remedy: 'recordUncertain' });
  });
});

describe('a certificate', () => {
  test.each<[string, Parameters<typeof inputs>[0], string]>([
    ['does not exist yet', brandNew, 'DoesNotExist'],
    ['is for another spec', { spec: { codeSigning: true } }, 'RequestChanged'],
    ['is in its last third', { now: ISSUED + 61 * DAY }, 'Renewing'],
    ['has expired', { now: ISSUED + 91 * DAY }, 'Expired'],
    ['has no Secret', { secret: { state: 'absent' } }, 'SecretMissing'],
    [
      'has a Secret with unreadable content',
      {
        secret: {
          state: 'changed',
          metadata: { name: 'mail-tls' },
          content: undefined,
          hasOutputs: false,
          hasMetadata: true,
        },
      },
      'SecretMismatch',
    ],
  ])('is issued again if it %s', (_, change, reason) => {
    expect(firstNeed(inputs(change))).toMatchObject({ remedy: 'issue', reason });
  });

  const served = { now, account, status: servedWith(serialNumber) };
  const root = ca.authority.cert;

  test.each<[string, { hasOutputs?: boolean; hasMetadata?: boolean }, string]>([
    ['its status if only the version of its Secret changed', {}, 'updateStatus'],
    ['its Secret if that lacks metadata', { hasMetadata: false }, 'syncSecret'],
    ['its Secret if the spec wants other files of the same certificate', { hasOutputs: false }, 'syncSecret'],
  ])('of a served certificate, brings up to date %s', (_, change, remedy) => {
    const secret = secretWith(signed, root, change);
    expect(firstNeed(inputs({ ...served, secret }))).toMatchObject({ remedy });
  });

  test('is issued again if its Secret holds another with the same serial number and end', () => {
    const forged = stranger.sign();
    const leaf = readCertificate(forged.cert);
    const secret = secretWith(forged, stranger.authority.cert);
    const status = { ...servedWith(leaf.serialNumber), notAfter: rfc3339(leaf.notAfter) };
    const statusOf = (cert: string) => ({ ...status, fingerprint: fingerprintOf(readCertificate(cert)) });

    expect(firstNeed(inputs({ now, account, secret, status: statusOf(forged.cert) }))).toMatchObject({
      remedy: 'updateStatus',
    });
    expect(firstNeed(inputs({ now, account, secret, status: statusOf(signed.cert) }))).toMatchObject({
      remedy: 'issue',
      reason: 'SecretMismatch',
    });
  });

  test('gets the chain of the bundle back if its Secret has another one', () => {
    const secret = secretWith(signed, stranger.authority.cert);
    expect(firstNeed(inputs({ ...served, secret }))).toMatchObject({
      remedy: 'syncSecret',
      source: { root: ca.bundle.roots[0] },
    });
  });

  test('keeps a chain that the bundle no longer has', () => {
    const secret = secretWith(signed, root);
    const changed = { ready: true, issuer: stranger.account() } as const;
    expect(firstNeed(inputs({ ...served, secret, account: changed }))).toMatchObject({
      remedy: 'updateStatus',
    });
  });

  test.each<[string, Partial<Inputs>]>([
    ['the bundle of the account does not know', { account: { ready: true, issuer: stranger.account() } }],
    ['cannot be checked while the account is not ready', { account: notReady }],
  ])('is not written again in other files from content that %s', (_, change) => {
    const secret = secretWith(signed, root, { hasOutputs: false });
    expect(firstNeed(inputs({ ...served, secret, ...change }))).toMatchObject({
      remedy: 'issue',
      reason: 'SecretMismatch',
    });
  });

  test.each<[string, Parameters<typeof inputs>[0], string | undefined]>([
    ['is deleted once its certificate is served', {}, 'forget'],
    ['stays while its certificate may exist', { status: { ...issued, unserved: unserved() } }, undefined],
    ['stays while an attempt is open', { attempt: known }, 'recordUncertain'],
    ['stays while nobody knows whether one is', { hasJournal: false }, undefined],
  ])('with a pending key: the key %s', (_, change, remedy) => {
    expect(firstNeed(inputs({ pending, ...change }))?.remedy).toBe(remedy);
  });
});

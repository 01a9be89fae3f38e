import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { certificates } from '../../src/api/kinds.ts';
import { type Secret, secrets } from '../../src/kube/objects.ts';
import type { Fault } from '../../tools/dev-server/types.ts';
import { filesOf } from '../support/x509/openssl.ts';
import { journalOf } from '../support/world/journal.ts';
import { type Scenario, complaints, endure, ONCE_READY, unmet } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { aWorld } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => {
  // Delays without their random part, so ten minutes always have the same number of tries.
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

const ISSUER_READY = ['Ready=True Ready: Certificates are issued by authority 101 "Example Org".'];
/** The calls for one check of the account and the authority. */
const LOOK = { connect: 1, 'ca/list': 1, 'cert/list': 1, 'ca/details': 1, 'ca/get': 1 };

/** A Secret with the name of the certificate's. */
function inTheWay(content: Partial<Secret>): Scenario {
  return {
    setUp: async (world) => {
      await world.account();
      await world.create(secrets, 'web-tls', content);
    },
  };
}

const ours = {
  labels: { 'tinycert-operator.io/managed': 'true' },
  annotations: { 'tinycert-operator.io/certificate-name': 'web' },
};

describe('before anything is bought, a certificate is refused for', () => {
  test.each<[string, Partial<Secret>, string, string]>([
    [
      'a Secret that somebody else made',
      { stringData: { mine: 'x' } },
      'SecretNotOwned',
      'The Secret web-tls exists and was not made for this certificate: choose another secretName, or delete the Secret.',
    ],
    [
      'a Secret that belongs to another certificate',
      {
        metadata: {
          name: '',
          ...ours,
          annotations: { 'tinycert-operator.io/certificate-name': 'other' },
        },
      },
      'SecretNotOwned',
      'The Secret web-tls exists and was not made for this certificate: choose another secretName, or delete the Secret.',
    ],
    [
      'a Secret that is immutable',
      { metadata: { name: '', ...ours }, immutable: true, stringData: { mine: 'x' } },
      'SecretImmutable',
      'The Secret web-tls is immutable and cannot be renewed: choose another secretName, or delete the Secret.',
    ],
  ])('%s, which stays unchanged', async (_, content, reason, message) => {
    const { world, outcome } = await endure(stage, inTheWay(content));

    expect(outcome).toEqual({
      issuer: ISSUER_READY,
      certificate: unmet(reason, message),
      calls: LOOK,
      writes: {
        'PATCH tinycertissuers/status': ONCE_READY,
        'PATCH tinycertcertificates/status': 1,
        'POST events': 1,
      },
    });
    const secret = await world.get(secrets, 'web-tls');
    expect(secret.type).toBe('Opaque');
    expect(secret.data).toEqual(content.stringData && { mine: Buffer.from('x').toString('base64') });

    await world.delete(secrets, 'web-tls');
    await world.pass(60_000);

    await world.ready('web');
    expect(world.calls()).toEqual({ ...LOOK, 'cert/new': 1, 'cert/get': 2 });
  });

  test('a secretName that an older certificate has, until that one changes it', async () => {
    const { world, outcome } = await endure(stage, {
      setUp: async (world) => {
        await world.account();
        // Of two that were created in the same second, the first by name counts as older.
        await world.certificate('elder', { secretName: 'web-tls' });
      },
    });

    expect(outcome).toEqual({
      issuer: ISSUER_READY,
      certificate: unmet(
        'DuplicateSecretName',
        'The Secret web-tls belongs to the TinyCertCertificate elder, which had it first: choose another secretName.',
      ),
      calls: { ...LOOK, 'cert/new': 1, 'cert/get': 2 },
      writes: {
        'PATCH tinycertissuers/status': ONCE_READY,
        'PATCH tinycertcertificates/status': 2,
        'POST secrets': 1,
        'POST events': 1,
      },
    });

    await world.patch(certificates, 'elder', { spec: { secretName: 'elder-tls' } });
    await world.settled();
    // The waiting resource now has the Secret, with a certificate of its own.
    const { status } = await world.ready('web');
    expect(await world.says(certificates, 'web')).toEqual([
      'Ready=True Ready: The Secret holds a valid certificate for this spec.',
    ]);
    expect(status?.certificateId).not.toBe((await world.ready('elder')).status?.certificateId);
  });

  test.each<[string, object, string]>([
    [
      'a spec without names',
      { dnsNames: [] },
      'there is no common name, which TinyCert requires: set commonName',
    ],
    [
      'a spec with too many names',
      { dnsNames: Array.from({ length: 101 }, (_, i) => `h${i}.example.com`) },
      'spec.dnsNames: Too many: 101: must have at most 100 items',
    ],
  ])('%s, by the API server itself', async (_, spec, message) => {
    const world = await aWorld(stage);
    await expect(world.certificate('web', spec)).rejects.toMatchObject({
      status: 422,
      message: expect.stringContaining(message) as unknown,
    });
  });
});

test('a name that the CA refuses is requested once, and again after the spec has changed', async () => {
  const { world, outcome } = await endure(stage, {
    setUp: (world) => world.account(),
    faults: [
      {
        call: 'cert/new',
        match: { CN: 'web.example.com' },
        times: 'forever',
        kind: 'error',
        code: 'InputFailure',
        text: 'The parameter CN is illegal',
      },
    ],
  });
  expect(outcome).toEqual({
    issuer: ISSUER_READY,
    certificate: unmet(
      'InputFailure',
      'TinyCert refuses the value of a parameter. Check the names and the subject that were asked for. (parameter CN)',
    ),
    calls: { ...LOOK, 'cert/new': 1 },
    writes: {
      'PATCH tinycertissuers/status': ONCE_READY,
      'PATCH tinycertcertificates/status': 1,
      'POST events': 1,
    },
  });
  expect((await journalOf(world)).attempts).toEqual([]);

  await world.patch(certificates, 'web', { spec: { dnsNames: ['other.example.com'] } });
  await world.settled();

  await world.ready('web');
  expect(world.calls()).toEqual({ ...LOOK, 'cert/new': 2, 'cert/get': 2 });
});

describe('a bought certificate that fails the checks is kept, not published and not bought again:', () => {
  const rows: [string, Fault, string, string][] = [
    [
      'a key of another pair',
      { call: 'cert/get', times: 'forever', kind: 'wrong-key' },
      'InvalidKeyPair',
      'The private key that TinyCert sent does not fit the certificate.',
    ],
    [
      'a certificate with other names',
      { call: 'cert/get', times: 'forever', kind: 'wrong-names' },
      'IncorrectCertificate',
      'The certificate has other names than were asked for.',
    ],
    [
      'a certificate that has expired',
      { call: 'cert/get', times: 'forever', kind: 'expired' },
      'Expired',
      'The certificate has already expired.',
    ],
    [
      'a certificate that begins in an hour',
      { call: 'cert/get', times: 'forever', kind: 'future', seconds: 3600 },
      'NotYetValid',
      'The certificate is not valid yet; compare the clocks of this cluster and the CA.',
    ],
    [
      'a certificate of another authority',
      { call: 'cert/get', times: 'forever', kind: 'foreign-chain' },
      'IncorrectIssuer',
      'The certificate does not chain to the authority of the issuer.',
    ],
    [
      'no certificate at all',
      {
        call: 'cert/get',
        match: { what: 'chain' },
        times: 'forever',
        kind: 'not-json',
        body: '{"pem":"-----BEGIN NOTHING-----"}',
      },
      'InvalidPem',
      'It cannot be read: a PEM block has no end.',
    ],
  ];

  test.each(rows)('%s', async (_, fault, reason, message) => {
    const { world, operator, outcome } = await endure(stage, {
      setUp: (world) => world.account(),
      faults: [fault],
    });

    expect(outcome).toEqual({
      issuer: ISSUER_READY,
      certificate: unmet(
        reason,
        `What TinyCert sent does not pass the checks and is not published; the same certificate is fetched again. ${message} To have another one issued, change the spec, or delete the resource and create it again.`,
      ),
      // Fetched at once and after one, two and four minutes.
      calls: { ...LOOK, 'cert/new': 1, 'cert/get': 8 },
      writes: {
        'PATCH tinycertissuers/status': ONCE_READY,
        'PATCH tinycertcertificates/status': 4,
        'POST events': 1,
      },
    });
    const [attempt, ...others] = (await journalOf(world)).attempts;
    expect(others).toEqual([]);
    const bought = attempt?.certificateId;
    expect(bought).toBe(stage.dev.certificates().at(-1)?.id);

    stage.dev.clearFaults();
    await world.pass(600_000);

    const { status } = await world.ready('web');
    expect(status).toMatchObject({ certificateId: bought, revision: 1 });
    expect((await journalOf(world)).attempts).toEqual([]);
    expect(status?.failedAttempts).toBeUndefined();
    // The issuer itself is checked every quarter of an hour.
    const calls = { ...LOOK, 'ca/list': 2, 'cert/list': 2, 'cert/new': 1, 'cert/get': 10 };
    expect(world.calls()).toEqual(calls);
    expect(filesOf(await world.get(secrets, 'web-tls')).crt).toBe(stage.dev.certificatePem(bought ?? 0));
    expect(complaints(operator)).toEqual([]);
  });
});

test('a change of spec skips the waiting time of a failure', async () => {
  const { world } = await endure(
    stage,
    {
      setUp: (world) => world.account(),
      faults: [{ call: 'cert/new', kind: 'wrong-names' }],
    },
    60_000,
  );
  expect(world.calls()).toMatchObject({ 'cert/new': 1 });

  await world.patch(certificates, 'web', { spec: { dnsNames: ['other.example.com'] } });
  await world.settled();

  await world.ready('web');
  expect(world.calls()).toMatchObject({ 'cert/new': 2 });
});

import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { cacertAccounts, cacertCertificates } from '../../src/api/kinds.ts';
import { conditionOf } from '../../src/issuance/status/conditions.ts';
import { secrets } from '../../src/kube/objects.ts';
import { aCAcertWorld, type CAcertWorld, MEMBER, NAME } from '../support/world/cacert-world.ts';
import { filesOf } from '../support/x509/openssl.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { sentence } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

const HOUR = 3_600_000;

async function pendingOf(cacert: CAcertWorld, name: string) {
  const { status } = await cacert.world.get(cacertCertificates, name);
  return { ref: await cacert.pendingName(name), status };
}

describe('an account', () => {
  test('shows the names and addresses that CAcert has', async () => {
    const cacert = await aCAcertWorld(stage);
    await cacert.operator();
    await cacert.account();

    const { status } = await cacert.world.until(
      cacertAccounts,
      'me',
      (object) => object.status !== undefined,
    );

    expect(status).toMatchObject({
      names: [NAME],
      emails: MEMBER.emails.toSorted(),
      codeSigning: false,
      authorities: [{ subject: expect.any(String) }, { subject: expect.any(String) }],
    });
    expect(status?.conditions?.map(sentence)).toEqual([
      'Ready=True Ready: CAcert accepts the login; the account has 2 verified e-mail addresses.',
    ]);
  });

  test('whose login is refused is checked rarely, and at once when the Secret changes', async () => {
    const cacert = await aCAcertWorld(stage);
    await cacert.operator();
    await cacert.login({ password: 'wrong' });
    const { endpoint, caPem: caBundle } = cacert.server;
    await cacert.world.create(cacertAccounts, 'me', {
      spec: { endpoint, caBundle, credentialsSecretRef: { name: 'login' } },
    });
    const isSaid = (reason: string) =>
      cacert.world.until(
        cacertAccounts,
        'me',
        ({ status }) => conditionOf(status?.conditions, 'Ready')?.reason === reason,
      );
    await isSaid('CredentialsRejected');
    const before = cacert.server.journal().length;
    await cacert.world.pass(4 * 60_000);
    expect(cacert.server.journal()).toHaveLength(before);

    await cacert.world.patch(secrets, 'login', { stringData: { password: MEMBER.password } });

    await isSaid('Ready');
  });

  test('with a root that is not pinned never sends the login', async () => {
    const cacert = await aCAcertWorld(stage);
    await cacert.operator();
    await cacert.account({ rootFingerprints: ['00'.repeat(32)] });

    await cacert.world.until(
      cacertAccounts,
      'me',
      ({ status }) => conditionOf(status?.conditions, 'Ready')?.reason === 'RootNotPinned',
    );

    expect(cacert.server.journal()).toEqual([]);
  });
});

describe('a certificate', () => {
  test('is signed once and published, with its key in one place', async () => {
    const cacert = await aCAcertWorld(stage);
    await cacert.operator();
    await cacert.account();
    await cacert.certificate('mail', { commonName: NAME, emailAddresses: MEMBER.emails });

    const { status } = await cacert.ready('mail');

    const [signed, ...others] = cacert.server.certificates();
    expect(others).toEqual([]);
    expect(signed).toMatchObject({ cn: NAME, emails: MEMBER.emails });
    expect(status).toMatchObject({
      serialNumber: signed?.serial,
      revision: 1,
      attemptId: expect.any(String),
    });
    expect(status).not.toHaveProperty('attempt');
    expect(status?.conditions?.map(sentence)).toEqual([
      'Ready=True Ready: The Secret holds a valid certificate for this spec, which can log in to the account until it expires. To revoke it, find its serial number in the web account (account.php?id=5).',
    ]);
    const secret = await cacert.world.get(secrets, 'mail-tls');
    const files = filesOf(secret);
    expect(files.crt).toBe(cacert.server.certificatePem(signed?.id ?? 0));
    expect(files.ca).toBe(cacert.server.ca.rootPem);
    await cacert.world.settled();
    const { ref } = await pendingOf(cacert, 'mail');
    expect(await stage.kube.find(secrets, cacert.world.ref(ref))).toBeUndefined();
  });

  test('of the class 3 authority comes with its intermediate', async () => {
    const cacert = await aCAcertWorld(stage, { class3: true });
    await cacert.operator();
    await cacert.account();
    await cacert.certificate('mail');

    await cacert.ready('mail');

    const { crt, ca } = filesOf(await cacert.world.get(secrets, 'mail-tls'));
    expect(crt).toContain(cacert.server.ca.class3Pem);
    expect(ca).toBe(cacert.server.ca.rootPem);
  });

  test('is renewed with a new key in the last third of its life, and an event names the old one', async () => {
    const cacert = await aCAcertWorld(stage, { validity: '3h' });
    await cacert.operator();
    await cacert.account();
    await cacert.certificate('mail', { renewal: { jitterPercent: 0 } });
    const { status } = await cacert.ready('mail');
    await cacert.world.pass(1.9 * HOUR);
    expect(cacert.asked()).toBe(1);

    await cacert.world.pass(0.2 * HOUR);
    const again = await cacert.ready('mail', (object) => object.status?.revision === 2);

    const [first, second, ...others] = cacert.server.certificates();
    expect(others).toEqual([]);
    expect(again.status?.serialNumber).toBe(second?.serial);
    expect(status?.serialNumber).toBe(first?.serial);
    expect(second?.keyFingerprint).not.toBe(first?.keyFingerprint);
  });

  test('keeps its key if requested', async () => {
    const cacert = await aCAcertWorld(stage, { validity: '3h' });
    await cacert.operator();
    await cacert.account();
    await cacert.certificate('mail', {
      privateKey: { size: 2048, rotationPolicy: 'Never' },
      renewal: { jitterPercent: 0 },
    });
    await cacert.ready('mail');

    await cacert.world.pass(2.1 * HOUR);
    await cacert.ready('mail', (object) => object.status?.revision === 2);

    const keys = cacert.server.certificates().map(({ keyFingerprint }) => keyFingerprint);
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
  });
});

describe('no request is sent that cannot succeed:', () => {
  test.each([
    ['EmailNotOffered', { emailAddresses: ['other@example.org'] }],
    ['NameNotOffered', { commonName: 'jane doe' }],
    ['CodeSigningNotOffered', { codeSigning: true }],
  ])('%s', async (reason, spec) => {
    const cacert = await aCAcertWorld(stage);
    await cacert.operator();
    await cacert.account();
    await cacert.certificate('mail', spec);

    await cacert.failing('mail', reason);

    await cacert.world.pass(HOUR);
    expect(cacert.asked()).toBe(0);
  });

  test.each([
    ['anonymous-name', { commonName: NAME }],
    ['dropped-email', { emailAddresses: MEMBER.emails }],
    ['no-client-auth', {}],
  ] as const)('a certificate with fault %s is kept, and no other requested', async (kind, spec) => {
    const cacert = await aCAcertWorld(stage);
    cacert.server.addFault({ call: 'ccsr', kind });
    await cacert.operator();
    await cacert.account();
    await cacert.certificate('mail', spec);

    await cacert.failing('mail', 'IncorrectCertificate');
    await cacert.world.pass(HOUR);

    expect(cacert.asked()).toBe(1);
    expect(await stage.kube.find(secrets, cacert.world.ref('mail-tls'))).toBeUndefined();
    const { ref, status } = await pendingOf(cacert, 'mail');
    expect(status?.unserved?.outcome).toBe('Mismatched');
    const kept = filesOf(await cacert.world.get(secrets, ref));
    expect(kept.crt).toBe(cacert.server.certificatePem(cacert.server.certificates()[0]?.id ?? 0));

    await cacert.world.delete(secrets, ref);

    await cacert.ready('mail');
    expect(cacert.asked()).toBe(2);
  });

  test('a certificate for another name fits once the spec has that name', async () => {
    const cacert = await aCAcertWorld(stage);
    cacert.server.addFault({ call: 'ccsr', kind: 'anonymous-name' });
    await cacert.operator();
    await cacert.account();
    await cacert.certificate('mail', { commonName: NAME });
    await cacert.failing('mail', 'IncorrectCertificate');

    await cacert.world.patch(cacertCertificates, 'mail', { spec: { commonName: null } });

    await cacert.ready('mail');
    expect(cacert.asked()).toBe(1);
  });
});

describe('if it is unknown whether a certificate was signed', () => {
  test('the key is kept, and a certificate pasted beside it is adopted', async () => {
    const cacert = await aCAcertWorld(stage);
    cacert.server.addFault({ call: 'ccsr', kind: 'unsigned' });
    await cacert.operator();
    await cacert.account();
    await cacert.certificate('mail');
    const { status } = await cacert.failing('mail', 'IssuanceUncertain');
    const id = Number(status?.unserved?.requestId);
    expect(conditionOf(status?.conditions, 'Issuing')?.message).toContain(`account.php?id=6&cert=${id}`);

    cacert.server.sign(id);
    await cacert.world.patch(secrets, status?.unserved?.secretName ?? '', {
      stringData: { 'tls.crt': cacert.server.certificatePem(id) },
    });

    await cacert.ready('mail');
    expect(cacert.asked()).toBe(1);
    const { crt } = filesOf(await cacert.world.get(secrets, 'mail-tls'));
    expect(crt).toBe(cacert.server.certificatePem(id));
  });

  test('another one is requested after a long while, with the same key, and not forever', async () => {
    const cacert = await aCAcertWorld(stage);
    cacert.server.addFault({ call: 'ccsr', kind: 'unsigned', times: 100 });
    await cacert.operator();
    await cacert.account();
    await cacert.certificate('mail');
    await cacert.failing('mail', 'IssuanceUncertain');

    await cacert.world.pass(14 * 60_000);
    expect(cacert.asked()).toBe(1);
    await cacert.world.pass(4 * 60_000);
    await cacert.until('mail', (object) => object.status?.attemptTimes?.length === 2);
    await cacert.world.pass(4 * HOUR);

    expect(cacert.asked()).toBe(6);
    await cacert.failing('mail', 'TooManyAttempts');
    const keys = cacert.server.requests().map(({ keyFingerprint }) => keyFingerprint);
    expect(new Set(keys).size).toBe(1);
  });
});

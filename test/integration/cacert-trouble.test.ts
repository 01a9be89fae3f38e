import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { cacertAccounts, cacertCertificates, certificates } from '../../src/api/kinds.ts';
import { conditionOf } from '../../src/issuance/status/conditions.ts';
import { secrets } from '../../src/kube/objects.ts';
import { aCAcertWorld, type CAcertWorld } from '../support/world/cacert-world.ts';
import { events } from '../support/world/crds.ts';
import { filesOf } from '../support/x509/openssl.ts';
import { type Stage, openStage } from '../support/world/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

/** An account that is Ready, and an operator. */
async function anAccount(): Promise<CAcertWorld> {
  const cacert = await aCAcertWorld(stage);
  await cacert.operator();
  await cacert.account();
  return cacert;
}

test('an account requests one certificate at a time', async () => {
  const cacert = await anAccount();
  cacert.server.addFault({ call: 'ccsr', kind: 'hold', times: 1 });
  await cacert.certificate('first');
  await cacert.server.waitForCall(({ call }) => call === 'ccsr');
  await cacert.certificate('second');
  await cacert.until('second', () => true);
  expect(cacert.asked()).toBe(1);

  cacert.server.release();

  await cacert.ready('first');
  await cacert.ready('second');
  expect(cacert.server.certificates()).toHaveLength(2);
});

test('while CAcert is down the certificates wait for their account, and continue when it is back', async () => {
  const cacert = await anAccount();
  await cacert.certificate('before');
  await cacert.ready('before');
  const fault = { kind: 'html', status: 502, times: 1000 } as const;
  cacert.server.addFault({ call: 'ccsr', ...fault });
  cacert.server.addFault({ call: 'cemails', ...fault });
  await cacert.certificate('during');
  await cacert.until('during', ({ status }) => status?.conditions !== undefined);
  const mark = cacert.server.journal().at(-1)?.seq ?? 0;
  await cacert.world.pass(10 * 60_000);
  // Checks of the account, at most each half minute; calls that cost a certificate are not repeated.
  const calls = cacert.server.journal(mark).map(({ call }) => call);
  expect(calls.length).toBeLessThan(40);
  expect(cacert.asked()).toBeLessThanOrEqual(3);
  await cacert.ready('before');

  cacert.server.clearFaults();
  await cacert.world.pass(20 * 60_000);

  await cacert.ready('during');
  expect(cacert.server.certificates()).toHaveLength(2);
});

test('Ready ends with the certificate, although its Secret was changed while the account was not ready', async () => {
  const cacert = await anAccount();
  await cacert.server.setOptions({ validity: '10h' });
  await cacert.certificate('mail');
  await cacert.ready('mail');
  cacert.server.addFault({ call: 'cemails', kind: 'error', error: 'username', times: 1000 });
  await cacert.world.pass(5.5 * 3_600_000);
  await cacert.world.patch(secrets, 'mail-tls', { metadata: { annotations: { note: 'changed' } } });
  await cacert.world.pass(60_000);
  expect((await cacert.says('mail'))[0]).toMatch(/^Ready=True /);

  await cacert.world.pass(5 * 3_600_000);

  expect((await cacert.says('mail'))[0]).toMatch(/^Ready=False /);
});

test('a certificate signed while the account was refused is kept, also by the next operator, and published once the account works', async () => {
  const cacert = await aCAcertWorld(stage);
  const first = await cacert.operator();
  await cacert.account();
  cacert.server.addFault({ call: 'ccsr', kind: 'hold', times: 1 });
  await cacert.certificate('mail');
  await cacert.server.waitForCall(({ call }) => call === 'ccsr');
  cacert.server.addFault({ call: 'cemails', kind: 'error', error: 'username', times: 1000 });
  const rootFingerprints = [new X509Certificate(cacert.server.ca.rootPem).fingerprint256];
  await cacert.world.patch(cacertAccounts, 'me', { spec: { rootFingerprints } });
  const isSaid = (reason: string) =>
    cacert.world.until(
      cacertAccounts,
      'me',
      ({ status }) => conditionOf(status?.conditions, 'Ready')?.reason === reason,
    );
  await isSaid('CredentialsRejected');

  cacert.server.release();
  const { status } = await cacert.until('mail', (object) => object.status?.attempt !== undefined);
  const pending = status?.attempt?.pendingSecretName ?? '';
  await cacert.world.until(secrets, pending, ({ data }) => (data?.['tls.crt'] ?? '') !== '');
  await first.stop('by force');
  await cacert.operator();
  cacert.server.clearFaults();
  await cacert.world.patch(cacertAccounts, 'me', { spec: { rootFingerprints: null } });

  await cacert.ready('mail');
  expect(cacert.asked()).toBe(1);
});

test('a deleted or damaged Secret gets another certificate', async () => {
  const cacert = await anAccount();
  await cacert.certificate('mail');
  const first = (await cacert.ready('mail')).status?.serialNumber;
  await cacert.world.delete(secrets, 'mail-tls');
  const second = (await cacert.ready('mail', ({ status }) => status?.serialNumber !== first)).status
    ?.serialNumber;

  await cacert.world.patch(secrets, 'mail-tls', { stringData: { 'tls.key': 'nonsense' } });

  await cacert.ready('mail', ({ status }) => status?.serialNumber !== second);
  expect(cacert.server.certificates()).toHaveLength(3);
});

test('a Secret of somebody else is left alone, before any request', async () => {
  const cacert = await anAccount();
  await cacert.world.create(secrets, 'mail-tls', { stringData: { mine: 'yes' } });
  await cacert.certificate('mail');

  await cacert.failing('mail', 'SecretNotOwned');

  expect(cacert.asked()).toBe(0);
});

test('of two resources with one Secret the elder has it, whatever their kinds', async () => {
  const cacert = await anAccount();
  await cacert.world.account();
  await cacert.certificate('mail', { secretName: 'shared' });
  await cacert.ready('mail');
  await cacert.world.certificate('web', { secretName: 'shared' });
  await cacert.world.until(
    certificates,
    'web',
    ({ status }) => conditionOf(status?.conditions, 'Ready')?.reason === 'DuplicateSecretName',
  );
  expect(await cacert.world.says(certificates, 'web')).toContain(
    'Ready=False DuplicateSecretName: The Secret shared belongs to the CAcertCertificate mail, which had it first: choose another secretName.',
  );
  expect(cacert.world.calls()['cert/new']).toBeUndefined();

  await cacert.world.patch(certificates, 'web', { spec: { secretName: 'web-tls' } });

  await cacert.world.ready('web');
});

test('an event names each certificate that is not revoked, when it is replaced and when its resource is deleted', async () => {
  const cacert = await anAccount();
  await cacert.certificate('mail');
  const first = (await cacert.ready('mail')).status?.serialNumber;
  await cacert.world.patch(cacertCertificates, 'mail', { spec: { privateKey: { size: 3072 } } });
  const second = (await cacert.ready('mail', ({ status }) => status?.serialNumber !== first)).status
    ?.serialNumber;
  await cacert.world.delete(cacertCertificates, 'mail');
  await cacert.world.pass(1_000);

  const { items } = await stage.kube.listAll(events, { namespace: cacert.world.namespace });
  const told = items.filter(({ reason }) => reason.endsWith('NotRevoked'));
  const serials = told.map(({ reason, note }) => [reason, /serial number ([0-9a-f]+)/.exec(note)?.[1]]);
  expect(Object.fromEntries(serials)).toEqual({ ReplacedNotRevoked: first, DeletedNotRevoked: second });
  expect(told).toHaveLength(2);
});

test('a resource that is restored without its status adopts the certificate in its Secret', async () => {
  const cacert = await anAccount();
  await cacert.certificate('mail');
  const before = await cacert.ready('mail');
  const { crt } = filesOf(await cacert.world.get(secrets, 'mail-tls'));
  await cacert.world.delete(cacertCertificates, 'mail');

  await cacert.certificate('mail');

  const { status } = await cacert.ready('mail');
  expect(status?.serialNumber).toBe(before.status?.serialNumber);
  expect(filesOf(await cacert.world.get(secrets, 'mail-tls')).crt).toBe(crt);
  expect(cacert.asked()).toBe(1);
});

test('a suspended resource requests nothing, and continues when it is no longer suspended', async () => {
  const cacert = await anAccount();
  await cacert.certificate('mail', { suspend: true });
  await cacert.failing('mail', 'Suspended');
  expect(cacert.asked()).toBe(0);

  await cacert.world.patch(cacertCertificates, 'mail', { spec: { suspend: false } });

  await cacert.ready('mail');
});

test('a restart requests nothing and writes nothing', async () => {
  const cacert = await aCAcertWorld(stage);
  const first = await cacert.operator();
  await cacert.account();
  for (const name of ['one', 'two', 'three']) await cacert.certificate(name);
  for (const name of ['one', 'two', 'three']) await cacert.ready(name);
  await cacert.world.pass(1_000);
  await first.stop();

  const second = await cacert.operator();
  await cacert.world.pass(60_000);

  expect(second.traffic.writes()).toEqual({});
  expect(cacert.asked()).toBe(3);
});

test('two operators without election send one request, and do not block each other', async () => {
  const cacert = await aCAcertWorld(stage);
  await cacert.operator();
  await cacert.operator();
  await cacert.account();
  const names = ['one', 'two', 'three', 'four'];
  for (const name of names) await cacert.certificate(name);

  for (const name of names) await cacert.ready(name);
  await cacert.world.pass(10 * 60_000);

  for (const name of names) await cacert.ready(name);
  expect(cacert.server.certificates()).toHaveLength(names.length);
});

/** A Ready certificate whose renewal for a new spec has an unknown result. Returns the name of the pending key's Secret. */
async function inDoubt(cacert: CAcertWorld): Promise<string> {
  await cacert.certificate('mail');
  await cacert.ready('mail');
  cacert.server.addFault({ call: 'ccsr', kind: 'unsigned', times: 1 });
  await cacert.world.patch(cacertCertificates, 'mail', { spec: { privateKey: { size: 3072 } } });
  const { status } = await cacert.failing('mail', 'IssuanceUncertain');
  return status?.attempt?.pendingSecretName ?? '';
}

test('a pending key is not discarded because a Secret has another certificate', async () => {
  const cacert = await anAccount();
  await cacert.certificate('mail');
  await cacert.ready('mail');
  const earlier = await cacert.world.get(secrets, 'mail-tls');
  await cacert.world.delete(secrets, 'mail-tls');
  await cacert.ready('mail', ({ status }) => status?.revision === 2);
  cacert.server.addFault({ call: 'ccsr', kind: 'unsigned', times: 1 });
  await cacert.world.delete(secrets, 'mail-tls');
  const { status } = await cacert.failing('mail', 'IssuanceUncertain');
  const { labels, annotations } = earlier.metadata;

  // Somebody restores a valid backup.
  await cacert.world.create(secrets, 'mail-tls', {
    metadata: { labels: labels ?? {}, annotations: annotations ?? {} },
    type: 'kubernetes.io/tls',
    data: earlier.data ?? {},
  });

  await cacert.ready('mail', ({ status: now }) => now?.revision === 3);
  await cacert.world.pass(1_000);
  const kept = await cacert.world.get(secrets, status?.attempt?.pendingSecretName ?? '');
  expect(kept.data).toHaveProperty(['tls.key']);
});

test('a pending key is not discarded because of a status', async () => {
  const cacert = await anAccount();
  const pending = await inDoubt(cacert);
  await cacert.world.patch(cacertCertificates, 'mail', { spec: { privateKey: { size: 2048 } } });
  const { status } = await cacert.world.get(cacertCertificates, 'mail');

  const forged = { serialNumber: status?.serialNumber ?? '', outcome: null };
  await cacert.world.patch(cacertCertificates, 'mail', { status: { attempt: forged } }, 'status');
  await cacert.world.pass(60_000);

  const kept = await cacert.world.get(secrets, pending);
  expect(kept.data).toHaveProperty(['tls.key']);
});

test('the result of a call is not lost if somebody edits the resource meanwhile', async () => {
  const cacert = await anAccount();
  await cacert.server.setOptions({ signing: '1h' });
  cacert.server.addFault({ call: 'ccsr', kind: 'hold', times: 1 });
  await cacert.certificate('mail');
  await cacert.server.waitForCall(({ call }) => call === 'ccsr');
  await cacert.world.patch(cacertCertificates, 'mail', { metadata: { labels: { edited: 'yes' } } });

  cacert.server.release();

  const { status } = await cacert.failing('mail', 'IssuanceUncertain');
  expect(status?.attempt).toMatchObject({ number: 1, outcome: 'Uncertain', requestId: expect.any(String) });
});

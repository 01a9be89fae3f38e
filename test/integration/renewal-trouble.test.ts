import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { certificates } from '../../src/api/kinds.ts';
import { FLUSH_MS } from '../../src/journal/term.ts';
import { secrets } from '../../src/kube/objects.ts';
import { JOURNAL_NAME } from '../../src/operator/journal.ts';
import type { CertificateView, Fault } from '../../tools/dev-server/types.ts';
import { complaints, issued, requested } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

const MINUTE = 60_000;
const SERVED = 'Ready=True Ready: The Secret holds a valid certificate for this spec.';
const REISSUED = { 'cert/reissue': 1, 'cert/get': 2 };

function atCa(id: number | undefined): CertificateView | undefined {
  return stage.dev.certificates().find((certificate) => certificate.id === id);
}

describe('while a renewal fails, the Secret stays as it is, and Ready ends with the certificate:', () => {
  test.each<[string, Fault, string]>([
    [
      'the CA is out of order',
      { call: 'cert/reissue', times: 'forever', kind: 'error', code: 'UnknownError' },
      'IssuerNotReady: TinyCertIssuer ca is not ready; its own conditions say why. The operator continues by itself as soon as it is.',
    ],
    [
      'what it reissued fails the checks',
      { call: 'cert/get', times: 'forever', kind: 'wrong-key' },
      'InvalidKeyPair: What TinyCert sent does not pass the checks and is not published; the same certificate is fetched again. The private key that TinyCert sent does not fit the certificate. To have another one issued, change the spec, or delete the resource and create it again.',
    ],
  ])('%s', async (_, fault, said) => {
    const { world, operator, id } = await issued(stage, '1h');
    const before = await world.get(secrets, 'web-tls');
    stage.dev.addFault(fault);

    await world.pass(59 * MINUTE);
    expect(await world.says(certificates, 'web')).toEqual([SERVED, `Issuing=False ${said}`]);
    await world.pass(MINUTE);
    expect((await world.says(certificates, 'web'))[0]).toMatch(/^Ready=False /);
    const meanwhile = await world.get(secrets, 'web-tls');
    expect(meanwhile.metadata.resourceVersion).toBe(before.metadata.resourceVersion);

    stage.dev.clearFaults();
    const since = world.tally(operator);
    await world.pass(60 * MINUTE);
    const { status } = await world.ready('web');
    expect(atCa(status?.certificateId)?.keyFingerprint).toBe(atCa(id)?.keyFingerprint);
    expect(since().calls['cert/new']).toBeUndefined();
    expect(complaints(operator)).toEqual([]);
  });

  test('the CA refuses to reissue it, and a change of the spec resolves it', async () => {
    const { world } = await issued(stage, '1h');
    stage.dev.addFault({ call: 'cert/reissue', times: 'forever', kind: 'error', code: 'InputFailure' });

    await world.pass(59 * MINUTE);
    expect((await world.says(certificates, 'web'))[0]).toBe(SERVED);
    await world.pass(MINUTE);
    expect((await world.says(certificates, 'web'))[0]).toBe(
      'Ready=False InputFailure: TinyCert refuses the value of a parameter. Check the names and the subject that were asked for.',
    );

    await world.patch(certificates, 'web', { spec: { dnsNames: ['other.example.com'] } });
    await world.settled();
    await world.ready('web');
  });
});

test('Ready ends with the certificate, although its Secret was changed while the issuer was not ready', async () => {
  const { world } = await issued(stage, '1h');
  await stage.dev.setOptions({ listening: false });
  await world.pass(20 * MINUTE);
  await world.patch(secrets, 'web-tls', { metadata: { annotations: { note: 'changed' } } });
  await world.pass(5 * MINUTE);
  expect(await world.says(certificates, 'web')).toEqual([SERVED]);

  await world.pass(36 * MINUTE);

  expect((await world.says(certificates, 'web'))[0]).toMatch(/^Ready=False IssuerNotReady: /);
  await stage.dev.setOptions({ listening: true });
  await world.pass(2 * MINUTE);
  await world.ready('web');
});

test('a certificate that the CA no longer has is issued again', async () => {
  const { world, operator, id } = await issued(stage, '1h');
  const gone = { kind: 'error', code: 'NotFound', match: { cert_id: String(id) } } as const;
  stage.dev.addFault({ call: 'cert/reissue', ...gone });
  stage.dev.addFault({ call: 'cert/details', ...gone, times: 2 });
  const since = world.tally(operator);

  await world.pass(45 * MINUTE);

  const { status } = await world.ready('web');
  expect(since().calls).toMatchObject({ 'cert/reissue': 1, 'cert/new': 1, 'cert/get': 2 });
  expect(status?.revision).toBe(2);
  expect(requested(operator).map(({ operation }) => operation)).toEqual(['New', 'Reissue', 'New']);
  expect(atCa(status?.certificateId)?.keyFingerprint).not.toBe(atCa(id)?.keyFingerprint);
});

test('a certificate that a person reissued at the web page is adopted by its key, and nothing is bought', async () => {
  const { world, operator, id } = await issued(stage, '1h');
  await world.pass(30 * MINUTE);
  const successor = stage.dev.reissueByHand(id);
  const since = world.tally(operator);

  await world.pass(15 * MINUTE);

  const { status } = await world.ready('web');
  expect(status?.certificateId).toBe(successor.id);
  expect(since().calls).toMatchObject({ 'cert/reissue': 1 });
  expect(since().calls).not.toHaveProperty('cert/new');
  expect(atCa(status?.certificateId)?.keyFingerprint).toBe(atCa(id)?.keyFingerprint);
});

test('a certificate that expired while no operator ran is reissued when one starts', async () => {
  const { world, operator, id } = await issued(stage, '1h');
  await operator.stop();
  await stage.clock.skip(120 * MINUTE);

  const next = await world.operator();
  await world.ready('web', ({ status }) => status?.revision === 2);
  await world.settled();

  const { status } = await world.get(certificates, 'web');
  expect(status?.formerCertificates).toEqual([world.named(id)]);
  expect(requested(next)).toEqual([{ operation: 'Reissue', reason: 'Expired' }]);
  expect(next.traffic.writes()).toMatchObject({
    'PATCH tinycertcertificates/status': 1,
    'PATCH secrets': 1,
  });
  expect(atCa(status?.certificateId)?.keyFingerprint).toBe(atCa(id)?.keyFingerprint);
});

test('a machine that slept between the attempt and the send sends nothing, then repeats the same operation', async () => {
  const { world, operator, id } = await issued(stage, '1h');
  // The first attempt leaves the journal.
  await world.pass(FLUSH_MS);
  const since = world.tally(operator);
  let slept = false;
  operator.traffic.onAnswer = ({ method, name }) => {
    if (slept || method !== 'PATCH' || name !== JOURNAL_NAME) return;
    slept = true;
    stage.clock.jump(6_000);
  };

  await world.pass(41 * MINUTE);

  const { status } = await world.ready('web');
  expect(slept).toBe(true);
  expect(since().calls).toMatchObject(REISSUED);
  expect(since().calls).not.toHaveProperty('cert/new');
  expect(status?.revision).toBe(2);
  expect(requested(operator).map(({ operation }) => operation)).toEqual(['New', 'Reissue', 'Reissue']);
  expect(atCa(status?.certificateId)?.keyFingerprint).toBe(atCa(id)?.keyFingerprint);
});

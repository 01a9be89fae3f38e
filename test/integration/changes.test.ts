import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { certificates, issuers } from '../../src/api/kinds.ts';
import { FLUSH_MS } from '../../src/journal/term.ts';
import { secrets } from '../../src/kube/objects.ts';
import { filesOf } from '../support/x509/openssl.ts';
import { journalOf } from '../support/world/journal.ts';
import type { TestOperator } from '../support/world/operator.ts';
import { requested } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { type World, aWorld } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

/** A world with a certificate `web` that is Ready, and an operator at rest. */
async function issued(): Promise<{ world: World; operator: TestOperator; id: number; crt: string }> {
  const world = await aWorld(stage);
  await world.account();
  const operator = await world.operator();
  await world.certificate('web');
  const { status } = await world.ready('web');
  await world.settled();
  const { crt } = filesOf(await world.get(secrets, 'web-tls'));
  return { world, operator, id: status?.certificateId ?? 0, crt };
}

test('a certificate’s status describes it, and nothing else happens in ten minutes', async () => {
  const world = await aWorld(stage);
  await world.account();
  const operator = await world.operator();
  await world.certificate('web');
  await world.ready('web');
  // Its attempt leaves the journal.
  await world.pass(FLUSH_MS);
  expect(await journalOf(world)).toEqual({ attempts: [], released: [], abandoned: [] });
  const since = world.tally(operator);
  const mark = operator.traffic.mark();

  await world.pass(600_000);

  expect(since()).toEqual({ calls: {}, writes: {} });
  expect([operator.traffic.journalWrites(mark), operator.traffic.recordWrites()]).toEqual([0, 0]);
  expect(await world.says(certificates, 'web')).toEqual([
    'Ready=True Ready: The Secret holds a valid certificate for this spec.',
  ]);
  expect(await world.says(issuers, 'ca')).toEqual([
    'Ready=True Ready: Certificates are issued by authority 101 "Example Org".',
  ]);
  const { status } = await world.get(certificates, 'web');
  const secret = await world.get(secrets, 'web-tls');
  const leaf = new X509Certificate(filesOf(secret).crt);
  const utc = (text: string): string => `${new Date(text).toISOString().slice(0, 19)}Z`;
  expect(status).toMatchObject({
    ...world.named(status?.certificateId ?? 0),
    authorityId: 101,
    certificateStatus: 'good',
    serialNumber: leaf.serialNumber.toLowerCase(),
    notBefore: utc(leaf.validFrom),
    notAfter: utc(leaf.validTo),
    revision: 1,
    secretUID: secret.metadata.uid,
    secretResourceVersion: secret.metadata.resourceVersion,
    attemptId: expect.any(String),
  });
});

describe('a change of the spec', () => {
  test('to other names requests another certificate, with another key, and leaves the old one alone', async () => {
    const { world, operator, id } = await issued();
    const before = filesOf(await world.get(secrets, 'web-tls'));
    const since = world.tally(operator);

    await world.patch(certificates, 'web', { spec: { dnsNames: ['other.example.com'] } });
    const { status } = await world.ready('web');
    await world.settled();

    expect(since()).toEqual({
      calls: { 'cert/new': 1, 'cert/get': 2 },
      writes: { 'PATCH tinycertcertificates/status': 1, 'PATCH secrets': 1 },
    });
    expect(status?.revision).toBe(2);
    expect(requested(operator)).toEqual([
      { operation: 'New', reason: 'DoesNotExist' },
      { operation: 'New', reason: 'RequestChanged' },
    ]);
    const after = filesOf(await world.get(secrets, 'web-tls'));
    expect(new X509Certificate(after.crt).subjectAltName).toBe('DNS:other.example.com');
    expect(after.key).not.toBe(before.key);
    expect(stage.dev.certificates().find((certificate) => certificate.id === id)?.status).toBe('good');
  });

  test.each([
    ['renewBefore', { renewBefore: '720h' }, 30],
    ['renewBeforePercentage', { renewBeforePercentage: 10 }, 36.5],
  ])('of %s moves the renewal without a call', async (_, spec, days) => {
    const { world, operator, id } = await issued();
    const since = world.tally(operator);

    await world.patch(certificates, 'web', { spec });
    const { status } = await world.ready('web');
    await world.settled();

    expect(since()).toEqual({ calls: {}, writes: { 'PATCH tinycertcertificates/status': 1 } });
    const left = Date.parse(status?.notAfter ?? '') - Date.parse(status?.renewalTime ?? '');
    expect(left / 86_400_000).toBeGreaterThanOrEqual(days);
    expect(left / 86_400_000).toBeLessThanOrEqual(days * 1.1);
    expect(status?.certificateId).toBe(id);
  });

  test.each<[string, object]>([
    ['the order of names', { dnsNames: ['web.example.com', 'b.example.com', 'a.example.com'] }],
    ['capitals', { dnsNames: ['web.example.com', 'A.example.com', 'B.EXAMPLE.com'] }],
    [
      'a duplicate name',
      { dnsNames: ['web.example.com', 'a.example.com', 'b.example.com', 'a.example.com'] },
    ],
    ['an empty list', { uris: [], ipAddresses: [] }],
    [
      'a default that is spelled out',
      { privateKey: { rotationPolicy: 'Never' }, commonName: 'web.example.com' },
    ],
  ])('that requests the same, %s, buys nothing', async (_, spec) => {
    const world = await aWorld(stage);
    await world.account();
    const operator = await world.operator();
    await world.certificate('web', { dnsNames: ['web.example.com', 'a.example.com', 'b.example.com'] });
    await world.ready('web');
    await world.settled();
    const since = world.tally(operator);

    await world.patch(certificates, 'web', { spec });
    await world.ready('web');
    await world.settled();

    // The one write reports this generation as observed.
    expect(since()).toEqual({ calls: {}, writes: { 'PATCH tinycertcertificates/status': 1 } });
  });

  test('to another Secret fetches the same certificate into it, and leaves the old one', async () => {
    const { world, operator, id, crt } = await issued();
    const since = world.tally(operator);

    await world.patch(certificates, 'web', { spec: { secretName: 'new-tls' } });
    const { status } = await world.ready('web');
    await world.settled();

    expect(since()).toEqual({
      calls: { 'cert/get': 2 },
      writes: { 'PATCH tinycertcertificates/status': 1, 'POST secrets': 1 },
    });
    expect(status).toMatchObject({ certificateId: id, revision: 1 });
    expect(filesOf(await world.get(secrets, 'new-tls')).crt).toBe(crt);
    expect(filesOf(await world.get(secrets, 'web-tls')).crt).toBe(crt);
  });
});

describe('a Secret', () => {
  test('that is deleted is created again with the same certificate, and nothing is bought', async () => {
    const { world, operator, id, crt } = await issued();
    const since = world.tally(operator);

    await world.delete(secrets, 'web-tls');
    await world.settled();

    expect(since()).toEqual({
      calls: { 'cert/get': 2 },
      writes: { 'PATCH tinycertcertificates/status': 1, 'POST secrets': 1 },
    });
    const { status } = await world.get(certificates, 'web');
    const secret = await world.get(secrets, 'web-tls');
    expect(filesOf(secret).crt).toBe(crt);
    expect(status).toMatchObject({ certificateId: id, revision: 1, secretUID: secret.metadata.uid });
  });

  test.each(['tls.crt', 'tls.key', 'ca.crt'])(
    'whose %s was changed gets the same certificate again',
    async (file) => {
      const { world, operator, id } = await issued();
      const before = (await world.get(secrets, 'web-tls')).data;
      const since = world.tally(operator);

      await world.patch(secrets, 'web-tls', {
        data: { [file]: Buffer.from('changed').toString('base64') },
      });
      await world.settled();

      expect(since()).toEqual({
        calls: { 'cert/get': 2 },
        writes: { 'PATCH tinycertcertificates/status': 1, 'PATCH secrets': 1 },
      });
      expect((await world.get(secrets, 'web-tls')).data).toEqual(before);
      expect((await world.get(certificates, 'web')).status).toMatchObject({ certificateId: id, revision: 1 });
    },
  );

  test('that lost its label gets it back without a call', async () => {
    const { world, operator } = await issued();
    const { labels, annotations } = (await world.get(secrets, 'web-tls')).metadata;
    const since = world.tally(operator);

    await world.patch(secrets, 'web-tls', {
      metadata: { labels: { 'tinycert-operator.io/managed': null } },
    });
    await world.settled();

    expect(since()).toEqual({
      calls: {},
      writes: { 'PATCH tinycertcertificates/status': 1, 'PATCH secrets': 1 },
    });
    expect((await world.get(secrets, 'web-tls')).metadata).toMatchObject({ labels, annotations });
  });

  test('keeps the annotations of others', async () => {
    const { world, operator, crt } = await issued();
    const since = world.tally(operator);

    await world.patch(secrets, 'web-tls', { metadata: { annotations: { 'example.com/team': 'web' } } });
    await world.settled();

    expect(since()).toEqual({ calls: {}, writes: { 'PATCH tinycertcertificates/status': 1 } });
    const secret = await world.get(secrets, 'web-tls');
    expect(secret.metadata.annotations).toMatchObject({ 'example.com/team': 'web' });
    expect(filesOf(secret).crt).toBe(crt);
  });
});

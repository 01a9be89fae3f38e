import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CertificateSpec } from '../../src/api/tinycert/certificate-spec.ts';
import { certificates } from '../../src/api/kinds.ts';
import { type Secret, secrets } from '../../src/kube/objects.ts';
import { filesOf } from '../support/x509/openssl.ts';
import { journalOf } from '../support/world/journal.ts';
import type { TestOperator } from '../support/world/operator.ts';
import { requested, statusAtCa } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { aWorld, type World } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

const ID = 'tinycert-operator.io/certificate-id';
const NAME = 'tinycert-operator.io/certificate-name';
const MANAGED = 'tinycert-operator.io/managed';

interface Left {
  world: World;
  operator: TestOperator;
  id: number;
  secret: Secret;
}

/** The resource `web` was issued and deleted; its Secret still exists. */
async function left(): Promise<Left> {
  await stage.dev.setOptions({ validity: '1h' });
  const world = await aWorld(stage);
  await world.account();
  const operator = await world.operator();
  await world.certificate('web');
  const { status } = await world.ready('web');
  await world.delete(certificates, 'web');
  await world.pass(5_000);
  return { world, operator, id: status?.certificateId ?? 0, secret: await world.get(secrets, 'web-tls') };
}

/** A restored backup: the same content in a new object. */
async function restore({ world, secret }: Left, name = 'web-tls', certificateName = 'web'): Promise<void> {
  const { labels, annotations } = secret.metadata;
  await world.create(secrets, name, {
    type: 'kubernetes.io/tls',
    metadata: { labels: labels ?? {}, annotations: { ...annotations, [NAME]: certificateName } },
    data: secret.data ?? {},
  });
}

describe('a resource that is created again adopts the certificate in its Secret and buys nothing', () => {
  test('if the Secret was kept, even though the id was released with the first resource', async () => {
    const { world, operator, id, secret } = await left();
    expect((await journalOf(world)).released).toMatchObject([{ certificateId: id, cause: 'Deleted' }]);
    const since = world.tally(operator);

    await world.certificate('web');
    const { status, metadata } = await world.ready('web');
    await world.pass(600_000);

    expect(since()).toEqual({
      calls: { 'cert/get': 1, 'cert/details': 1 },
      writes: { 'PATCH tinycertcertificates/status': 1 },
    });
    expect(status).toMatchObject({
      certificateId: id,
      authorityId: stage.dev.authorityId,
      certificateStatus: 'good',
      revision: 1,
      secretUID: secret.metadata.uid,
      secretResourceVersion: secret.metadata.resourceVersion,
    });
    expect(status).not.toHaveProperty('attemptId');
    expect((await journalOf(world)).attempts).toEqual([]);
    expect((await world.get(certificates, 'web')).metadata.resourceVersion).toBe(metadata.resourceVersion);
  });

  test('if both come from a backup, and later renews it with the same key', async () => {
    const gone = await left();
    const { world, operator, id } = gone;
    await world.delete(secrets, 'web-tls');
    await restore(gone);
    await world.certificate('web');
    expect((await world.ready('web')).status?.certificateId).toBe(id);
    const since = world.tally(operator);

    await world.pass(45 * 60_000);

    expect(since().calls).toMatchObject({ 'cert/reissue': 1, 'cert/get': 2 });
    expect(since().calls).not.toHaveProperty('cert/new');
    expect(stage.dev.certificates().find(({ previousId }) => previousId === id)?.status).toBe('good');
  });

  test('and adds missing annotations to the Secret', async () => {
    const { world, operator, id } = await left();
    await world.patch(secrets, 'web-tls', {
      metadata: { annotations: { 'tinycert-operator.io/issuer-name': 'another' } },
    });
    const since = world.tally(operator);

    await world.certificate('web');
    await world.ready('web', ({ status }) => status?.certificateId === id);
    await world.settled();

    expect(since().writes).toEqual({ 'PATCH tinycertcertificates/status': 1, 'PATCH secrets': 1 });
    expect((await world.get(secrets, 'web-tls')).metadata.annotations).toMatchObject({
      'tinycert-operator.io/issuer-name': 'ca',
    });
  });
});

describe('a resource that is created again gets a certificate of its own', () => {
  test.each<[string, Partial<CertificateSpec>, 'good' | 'hold']>([
    ['of other names', { dnsNames: ['other.example.com'] }, 'good'],
    ['of another subject', { subject: { organization: 'Another' } }, 'good'],
    ['on hold', {}, 'hold'],
  ])('and records the one %s from its Secret, since nothing else does', async (_, spec, atCa) => {
    const { world, id } = await left();
    stage.dev.setStatusByHand(id, atCa);

    await world.certificate('web', spec);
    const { status } = await world.ready('web');

    expect(status?.certificateId).toBeGreaterThan(id);
    expect(status?.formerCertificates).toEqual([world.named(id)]);
    expect(statusAtCa(stage, id)).toBe(atCa);
  });

  test.each<[string, (left: Left) => unknown]>([
    ['since the one in the Secret is revoked', ({ id }) => stage.dev.setStatusByHand(id, 'revoked')],
    ['since somebody reissued the one in the Secret', ({ id }) => stage.dev.reissueByHand(id)],
    ['since the one in the Secret has expired', ({ world }) => world.pass(61 * 60_000)],
    [
      'since the Secret does not name its certificate',
      ({ world }) => world.patch(secrets, 'web-tls', { metadata: { annotations: { [ID]: null } } }),
    ],
    [
      'since the Secret lacks its key',
      ({ world }) => world.patch(secrets, 'web-tls', { data: { 'tls.key': btoa('none') } }),
    ],
  ])('%s', async (_, change) => {
    const gone = await left();
    const { world, id, secret } = gone;
    await change(gone);

    await world.certificate('web');
    const { status } = await world.ready('web');
    await world.settled();

    expect(status?.certificateId).toBeGreaterThan(id);
    expect(status?.revision).toBe(1);
    expect(requested(gone.operator).map(({ operation }) => operation)).toEqual(['New', 'New']);
    expect(status).not.toHaveProperty('formerCertificates');
    const now = await world.get(secrets, 'web-tls');
    expect(filesOf(now).key).not.toBe(filesOf(secret).key);
    expect(now.metadata.annotations?.[ID]).toBe(String(status?.certificateId));
  });

  test('if another resource has the one in the Secret', async () => {
    const gone = await left();
    const { world, id } = gone;
    await world.certificate('web');
    expect((await world.ready('web')).status?.certificateId).toBe(id);
    await restore(gone, 'copy-tls', 'copy');

    await world.certificate('copy', { dnsNames: ['web.example.com'] });
    const { status } = await world.ready('copy');

    expect(status?.certificateId).toBeGreaterThan(id);
    expect((await world.get(certificates, 'web')).status?.certificateId).toBe(id);
    expect(statusAtCa(stage, id)).toBe('good');
  });

  test('except one of two that come with the same Secret at the same moment', async () => {
    const gone = await left();
    const { world, operator, id } = gone;
    await operator.stop();
    const names = ['one', 'two', 'three', 'four'];
    for (const name of names) {
      await restore(gone, `${name}-tls`, name);
      await world.certificate(name, { dnsNames: ['web.example.com'] });
    }

    await world.operator();
    const all = await Promise.all(names.map((name) => world.ready(name)));

    const ids = all.map(({ status }) => status?.certificateId);
    expect(new Set(ids).size).toBe(4);
    expect(ids.filter((own) => own === id)).toHaveLength(1);
    expect(world.calls()).toMatchObject({ 'cert/new': 4 });
  });
});

describe('a Secret that is not the resource’s own is left alone, and nothing is bought:', () => {
  test.each<[string, object]>([
    ['one with our label that was made for another resource', { [MANAGED]: 'true' }],
    ['one without our label', {}],
  ])('%s', async (_, labels) => {
    const gone = await left();
    const { world, operator } = gone;
    await world.delete(secrets, 'web-tls');
    const { type = '', data = {}, metadata } = gone.secret;
    await world.create(secrets, 'web-tls', {
      type,
      metadata: {
        labels: labels as Record<string, string>,
        annotations: { ...metadata.annotations, [NAME]: MANAGED in labels ? 'another' : 'web' },
      },
      data,
    });
    const { resourceVersion } = (await world.get(secrets, 'web-tls')).metadata;
    const since = world.tally(operator);

    await world.certificate('web');
    await world.pass(600_000);

    expect(since().writes).toMatchObject({ 'PATCH tinycertcertificates/status': 1 });
    expect(since().calls).not.toHaveProperty('cert/new');
    expect((await world.says(certificates, 'web'))[0]).toMatch(/^Ready=False SecretNotOwned: /);
    expect((await world.get(secrets, 'web-tls')).metadata.resourceVersion).toBe(resourceVersion);
  });
});

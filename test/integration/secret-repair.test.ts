import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { SEAL_KEY_SECRET } from '../../src/account/seal-key.ts';
import { certificates, issuers } from '../../src/api/kinds.ts';
import { secrets } from '../../src/kube/objects.ts';
import { journalOf } from '../support/world/journal.ts';
import { diesBeforeStatus } from '../support/world/lost-answers.ts';
import { filesOf } from '../support/x509/openssl.ts';
import { issued, requested } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import type { World } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

const ID = 'tinycert-operator.io/certificate-id';
const NAME = 'tinycert-operator.io/certificate-name';
const MANAGED = 'tinycert-operator.io/managed';

/** `web` after a renewal: both versions of its Secret, the newer one stored. */
async function renewed() {
  const { world, operator, id } = await issued(stage, '1h');
  const old = await world.get(secrets, 'web-tls');
  await world.pass(45 * 60_000);
  const { status } = await world.ready('web', (web) => web.status?.certificateId !== id);
  const secret = await world.get(secrets, 'web-tls');
  return { world, operator, old, secret, oldId: id, id: status?.certificateId ?? 0, status };
}

/** The status of two certificates ago, as after a restore of etcd: complete, sealed, and for the same names. */
async function withOldStatus(): Promise<{ world: World; id: number; oldId: number }> {
  const { world, operator, id: oldId } = await issued(stage, '90d');
  const { status: old } = await world.get(certificates, 'web');
  for (const name of ['other.example.com', 'web.example.com']) {
    await world.patch(certificates, 'web', { spec: { dnsNames: [name] } });
    await world.ready('web');
  }
  await world.settled();
  const { status } = await world.get(certificates, 'web');
  await operator.stop();
  const gone = Object.keys(status ?? {}).filter((field) => !(field in (old ?? {})));
  const fields = Object.fromEntries(gone.map((field) => [field, null]));
  await world.patch(certificates, 'web', { status: { ...fields, ...old } }, 'status');
  return { world, id: status?.certificateId ?? 0, oldId };
}

describe('a Secret never goes back to an earlier certificate:', () => {
  test.each<[string, (world: World, oldId: number) => unknown]>([
    ['as its annotation says', () => undefined],
    [
      'even without the annotation',
      (world) => world.patch(secrets, 'web-tls', { metadata: { annotations: { [ID]: null } } }),
    ],
    [
      'even if the annotation names the earlier one',
      (world, oldId) => world.patch(secrets, 'web-tls', { metadata: { annotations: { [ID]: `${oldId}` } } }),
    ],
  ])('status adopts the later one, %s', async (_, change) => {
    const { world, id, oldId } = await withOldStatus();
    await change(world, oldId);
    const before = filesOf(await world.get(secrets, 'web-tls'));
    const mark = world.mark();

    await world.operator();
    await world.ready('web', (web) => web.status?.certificateId === id);
    await world.settled();

    expect((await journalOf(world)).attempts).toEqual([]);
    const secret = await world.get(secrets, 'web-tls');
    expect(filesOf(secret)).toEqual(before);
    expect(secret.metadata.annotations?.[ID]).toBe(String(id));
    expect(world.calls(mark)).not.toHaveProperty('cert/new');
    expect(world.calls(mark)).not.toHaveProperty('cert/reissue');
  });

  test('but one that somebody put there is replaced by the one in status', async () => {
    const { world, operator, old, secret, id } = await renewed();
    const since = world.tally(operator);

    await world.patch(secrets, 'web-tls', {
      data: old.data,
      metadata: { annotations: old.metadata.annotations },
    });
    await world.settled();

    expect(since().calls).toEqual({ 'cert/get': 2 });
    const now = await world.get(secrets, 'web-tls');
    expect(now.data).toEqual(secret.data);
    expect(now.metadata.annotations?.[ID]).toBe(String(id));
  });

  test('after a crash between the Secret and the status the certificate is not fetched again', async () => {
    const { world, secret } = await diesBeforeStatus(stage, 'between');
    const { metadata } = secret;
    const mark = world.mark();
    await world.operator();
    await world.pass(60_000);
    await world.ready('between');

    // Only the certificate, for the comparison; no private key.
    const fetched = stage.dev.journal(mark).filter(({ call }) => call === 'cert/get');
    expect(new Set(fetched.map(({ params }) => params['what']))).toEqual(new Set(['cert']));
    expect((await world.get(secrets, 'between-tls')).metadata.resourceVersion).toBe(metadata.resourceVersion);
  });
});

describe('a Secret gets back', () => {
  test.each<[string, object]>([
    ['a label that somebody changed', { labels: { [MANAGED]: 'no' } }],
    ['an annotation that somebody removed', { annotations: { [ID]: null } }],
    ['an annotation that somebody changed', { annotations: { [NAME]: 'other' } }],
    ['all of them', { labels: null, annotations: null }],
  ])('%s, in one write and without a call', async (_, metadata) => {
    const { world, operator } = await issued(stage, '90d');
    const { labels, annotations } = (await world.get(secrets, 'web-tls')).metadata;
    const since = world.tally(operator);

    await world.patch(secrets, 'web-tls', { metadata });
    await world.settled();

    expect(since()).toEqual({
      calls: {},
      writes: { 'PATCH tinycertcertificates/status': 1, 'PATCH secrets': 1 },
    });
    expect((await world.get(secrets, 'web-tls')).metadata).toMatchObject({ labels, annotations });
  });

  const fetched = { 'cert/get': 2 };

  test.each<[string, object, (data: Record<string, string>) => Record<string, string | null>]>([
    ['a missing file', fetched, () => ({ 'ca.crt': null })],
    ['a file with more than the certificate', {}, (data) => ({ 'tls.crt': withText(data['tls.crt']) })],
    ['a key that somebody wrote in another form', {}, (data) => ({ 'tls.key': withText(data['tls.key']) })],
    ['a chain without the root that somebody added', {}, (data) => ({ 'tls.crt': joined(data) })],
  ])('%s, from the same certificate; what others keep there stays', async (_, calls, change) => {
    const { world, operator, id } = await issued(stage, '90d');
    const { data = {} } = await world.get(secrets, 'web-tls');
    const mine = { labels: { team: 'web' }, annotations: { note: 'mine' } };
    await world.patch(secrets, 'web-tls', { metadata: mine, data: { other: btoa('kept') } });
    await world.settled();
    const since = world.tally(operator);

    await world.patch(secrets, 'web-tls', { data: change(data) });
    await world.settled();

    expect(since()).toEqual({
      calls,
      writes: { 'PATCH tinycertcertificates/status': 1, 'PATCH secrets': 1 },
    });
    const secret = await world.get(secrets, 'web-tls');
    expect(secret.data).toEqual({ ...data, other: btoa('kept') });
    expect(secret.metadata).toMatchObject(mine);
    expect((await world.get(certificates, 'web')).status).toMatchObject({ certificateId: id, revision: 1 });
  });

  test('its annotations when the spec changes without needing another certificate', async () => {
    const { world, operator } = await issued(stage, '90d');
    const { spec } = await world.get(issuers, 'ca');
    await world.create(issuers, 'second', { spec });
    await world.settled();
    const since = world.tally(operator);

    await world.patch(certificates, 'web', { spec: { issuerRef: { name: 'second' } } });
    await world.ready('web');
    await world.settled();

    expect(since().writes).toMatchObject({ 'PATCH secrets': 1 });
    expect(since().calls).not.toHaveProperty('cert/new');
    expect((await world.get(secrets, 'web-tls')).metadata.annotations).toMatchObject({
      'tinycert-operator.io/issuer-name': 'second',
    });
  });
});

describe('a Secret that somebody deleted', () => {
  test('and created again as their own is left alone, which is reported', async () => {
    const { world, operator, id } = await issued(stage, '90d');
    await operator.stop();
    await world.delete(secrets, 'web-tls');
    await world.create(secrets, 'web-tls', { data: { mine: btoa('x') } });
    const { resourceVersion } = (await world.get(secrets, 'web-tls')).metadata;

    const next = await world.operator();
    await world.pass(300_000);

    expect(next.traffic.writes()).toMatchObject({ 'PATCH tinycertcertificates/status': 1 });
    expect((await world.says(certificates, 'web'))[0]).toMatch(/^Ready=False SecretNotOwned: /);
    expect((await world.get(secrets, 'web-tls')).metadata.resourceVersion).toBe(resourceVersion);

    await world.delete(secrets, 'web-tls');
    await world.pass(120_000);
    expect((await world.ready('web')).status?.certificateId).toBe(id);
  });

  test('while no operator ran is created again when one does', async () => {
    const { world, operator, id } = await issued(stage, '90d');
    const { data } = await world.get(secrets, 'web-tls');
    await operator.stop();
    await world.delete(secrets, 'web-tls');

    await world.operator();
    await world.settled();

    expect((await world.get(secrets, 'web-tls')).data).toEqual(data);
    expect((await world.ready('web')).status?.certificateId).toBe(id);
  });
});

describe('a Secret that somebody else keeps changing', () => {
  test('is repaired with ever longer pauses, which is reported once', async () => {
    const { world, operator } = await issued(stage, '90d');
    const since = world.tally(operator);
    const wanted = (await world.get(secrets, 'web-tls')).data;

    for (let minute = 0; minute < 30; minute += 1) {
      await world.patch(secrets, 'web-tls', { data: { 'tls.crt': btoa(`theirs ${minute}`) } });
      await world.pass(60_000);
    }

    const { writes } = since();
    expect(writes['PATCH secrets']).toBeGreaterThanOrEqual(6);
    expect(writes['PATCH secrets']).toBeLessThanOrEqual(15);
    expect(writes).toMatchObject({ 'POST events': 1 });
    // In the end it is correct.
    await world.pass(700_000);
    expect((await world.get(secrets, 'web-tls')).data).toEqual(wanted);
  });
});

describe('a certificate that TinyCert no longer has', () => {
  test('is issued again, once that is certain, when its Secret must be rewritten', async () => {
    const { world, operator, id } = await issued(stage, '90d');
    const gone = {
      match: { cert_id: String(id) },
      kind: 'error',
      code: 'NotFound',
      times: 'forever',
    } as const;
    stage.dev.addFault({ call: 'cert/get', ...gone });
    stage.dev.addFault({ call: 'cert/details', ...gone });
    await world.delete(secrets, 'web-tls');
    await world.pass(5_000);
    expect(world.calls()).toMatchObject({ 'cert/new': 1 });
    expect((await world.says(certificates, 'web'))[0]).toMatch(/^Ready=False CertificateGone: /);

    await world.pass(120_000);

    const { status } = await world.ready('web');
    expect(status?.certificateId).toBeGreaterThan(id);
    expect(requested(operator).at(-1)).toEqual({ operation: 'New', reason: 'CertificateGone' });
    expect(world.calls()).toMatchObject({ 'cert/new': 2 });
  });

  test('again and again is not bought in a loop', async () => {
    const { world } = await issued(stage, '90d');
    const gone = { kind: 'error', code: 'NotFound', times: 'forever' } as const;
    stage.dev.addFault({ call: 'cert/get', ...gone });
    stage.dev.addFault({ call: 'cert/details', ...gone });
    await world.delete(secrets, 'web-tls');

    await world.pass(3_600_000);

    expect(world.calls()['cert/new']).toBeLessThanOrEqual(4);
  });

  test('except its private key keeps its id while that may be a transient fault', async () => {
    const { world, id } = await issued(stage, '90d');
    stage.dev.addFault({ call: 'cert/get', kind: 'error', code: 'NotFound', times: 2 });
    await world.delete(secrets, 'web-tls');

    await world.pass(120_000);

    expect((await world.ready('web')).status?.certificateId).toBe(id);
    expect(world.calls()).toMatchObject({ 'cert/new': 1 });
  });
});

describe('after the API key was replaced', () => {
  async function rotated(world: World): Promise<void> {
    const apiKey = `another-${world.namespace}`;
    await stage.dev.setOptions({ apiKey });
    await world.patch(secrets, 'account', { stringData: { apiKey } });
    await world.pass(1_000);
  }

  test('a status is sealed again by one write, and nothing is asked of the CA', async () => {
    const { world, operator } = await issued(stage, '90d');
    const before = (await world.get(certificates, 'web')).status;
    const since = world.tally(operator);
    await rotated(world);
    await world.settled();

    const { status } = await world.ready('web');
    expect(since().writes).toEqual({ 'PATCH tinycertcertificates/status': 1 });
    expect(Object.keys(since().calls).filter((call) => call.startsWith('cert/'))).toEqual(['cert/list']);
    const [, installation, apiKey] = before?.seal?.split(':') ?? [];
    expect(status?.seal).toMatch(new RegExp(`^v1:${installation}:[0-9a-f]{64}$`));
    expect(status?.seal).not.toContain(apiKey);
    expect({ ...status, seal: undefined }).toEqual({ ...before, seal: undefined });
  });

  test.each(['runs', 'is down'])(
    'a Secret that was deleted gets the same certificate, if the operator %s meanwhile',
    async (how) => {
      const { world, operator, id } = await issued(stage, '90d');
      if (how === 'is down') await operator.stop();
      await world.delete(secrets, 'web-tls');
      await rotated(world);
      if (how === 'is down') await world.operator();
      await world.settled();

      const { status } = await world.ready('web');
      expect(status?.certificateId).toBe(id);
      expect(world.calls()).toMatchObject({ 'cert/new': 1 });
    },
  );

  test('a renewal is a reissue, and the result is sealed with the new key', async () => {
    const { world, operator, id } = await issued(stage, '1h');
    const { seal } = (await world.get(certificates, 'web')).status ?? {};
    await rotated(world);
    const since = world.tally(operator);

    await world.pass(45 * 60_000);

    const { status } = await world.ready('web', (web) => web.status?.certificateId !== id);
    expect(since().calls).toMatchObject({ 'cert/reissue': 1 });
    expect(since().calls).not.toHaveProperty('cert/new');
    expect(stage.dev.certificates().find((one) => one.id === status?.certificateId)?.previousId).toBe(id);
    expect(status?.seal).not.toBe(seal);
    await world.delete(secrets, 'web-tls');
    await world.settled();
    expect((await world.ready('web')).status?.certificateId).toBe(status?.certificateId);
  });

  test('a status waits for a person if the key of the installation and the Secret are gone too', async () => {
    const { world, operator } = await issued(stage, '90d');
    await operator.stop();
    for (const name of [SEAL_KEY_SECRET, 'web-tls']) await world.delete(secrets, name);
    await rotated(world);
    const second = await world.operator();
    const since = world.tally(second);

    await world.pass(300_000);

    expect((await world.says(certificates, 'web'))[0]).toMatch(/^Ready=False SealBroken: /);
    expect(since().calls).not.toHaveProperty('cert/get');
    expect(since().calls).not.toHaveProperty('cert/new');
  });
});

function withText(base64 = ''): string {
  return Buffer.from(`# a comment\n${Buffer.from(base64, 'base64').toString()}`).toString('base64');
}

/** The chain, followed by the root. */
function joined({ 'tls.crt': crt = '', 'ca.crt': ca = '' }: Record<string, string>): string {
  return Buffer.concat([Buffer.from(crt, 'base64'), Buffer.from(ca, 'base64')]).toString('base64');
}

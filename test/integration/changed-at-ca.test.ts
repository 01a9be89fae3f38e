import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { certificates } from '../../src/api/kinds.ts';
import type { TinyCertCertificate } from '../../src/api/kinds.ts';
import { events } from '../../src/kube/events.ts';
import { secrets } from '../../src/kube/objects.ts';
import { filesOf } from '../support/x509/openssl.ts';
import { complaints, issued } from '../support/world/scenario.ts';
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

/** A little more than the interval between checks of an issuer. */
const INTERVAL_MS = 16 * 60_000;
const READY = 'Ready=True Ready: The Secret holds a valid certificate for this spec.';

async function web(world: World): Promise<TinyCertCertificate> {
  return world.get(certificates, 'web');
}

describe('a certificate that somebody changes at TinyCert', () => {
  test.each([
    [
      'revoked',
      (id: number) =>
        `Ready=False Revoked: Certificate ${id} is revoked at TinyCert and is not renewed. Set desiredStatus to Good to have another one issued.`,
    ],
    [
      'hold',
      (id: number) =>
        `Ready=False OnHold: Certificate ${id} is on hold at TinyCert and is not renewed. Set desiredStatus to Good to lift the hold.`,
    ],
  ] as const)(
    'to %s is reported within the interval, in one write, and the operator leaves it unchanged',
    async (to, says) => {
      const { world, operator, id } = await issued(stage, '3h');
      const before = (await world.get(secrets, 'web-tls')).metadata.resourceVersion;
      stage.dev.setStatusByHand(id, to);

      const tally = world.tally(operator);
      await world.pass(INTERVAL_MS);

      expect(await world.says(certificates, 'web')).toEqual([says(id)]);
      expect((await web(world)).status).toMatchObject({ certificateId: id, certificateStatus: to });
      expect(tally().writes).toEqual({
        'PATCH tinycertcertificates/status': 1,
        'PATCH tinycertissuers/status': 1,
        'POST events': 1,
      });
      expect(tally().calls).toMatchObject({ 'ca/list': 1, 'cert/list': 1 });
      expect((await world.get(secrets, 'web-tls')).metadata.resourceVersion).toBe(before);

      // It is neither renewed nor reported again.
      const after = world.tally(operator);
      await world.pass(150 * 60_000);
      expect(after().calls['cert/new'] ?? after().calls['cert/reissue']).toBeUndefined();
      expect((await web(world)).status?.certificateId).toBe(id);
      const { items } = await stage.kube.listAll(events, { namespace: world.namespace });
      expect(items).toHaveLength(1);
      expect(complaints(operator)).toEqual([]);
    },
  );

  test('to hold and back is Ready again', async () => {
    const { world, operator, id } = await issued(stage, '90d');
    const { renewalTime } = (await web(world)).status ?? {};
    stage.dev.setStatusByHand(id, 'hold');
    await world.pass(INTERVAL_MS);
    expect((await web(world)).status?.renewalTime).toBeUndefined();

    stage.dev.setStatusByHand(id, 'good');
    const tally = world.tally(operator);
    await world.pass(INTERVAL_MS);

    expect(await world.says(certificates, 'web')).toEqual([READY]);
    expect((await web(world)).status).toMatchObject({ certificateStatus: 'good', renewalTime });
    expect(tally().writes['PATCH tinycertcertificates/status']).toBe(1);
  });

  test('to revoked is replaced, with another key, if the spec says so', async () => {
    const { world, id } = await issued(stage, '90d', {
      revocation: { onDelete: 'None', onReplace: 'None', delay: '1h', onExternalRevocation: 'Replace' },
    });
    const { key } = filesOf(await world.get(secrets, 'web-tls'));
    stage.dev.setStatusByHand(id, 'revoked');

    await world.pass(INTERVAL_MS);

    const { status } = await world.ready('web');
    expect(status?.certificateId).toBeGreaterThan(id);
    expect(status?.certificateStatus).toBe('good');
    expect(filesOf(await world.get(secrets, 'web-tls')).key).not.toBe(key);
    expect(world.calls()).toMatchObject({ 'cert/new': 2 });
  });
});

describe('a certificate that somebody reissues at TinyCert', () => {
  test('is followed to the one with the same key, without buying', async () => {
    const { world, operator, id } = await issued(stage, '90d');
    const { key } = filesOf(await world.get(secrets, 'web-tls'));
    // Also made by hand, and newer, but with another key.
    const successor = stage.dev.reissueByHand(id);
    const unlike = await stage.dev.issueByHand({
      cn: 'web.example.com',
      names: [{ type: 'DNS', value: 'web.example.com' }],
    });

    await world.pass(INTERVAL_MS);

    const { status } = await world.ready('web');
    expect(status).toMatchObject({ certificateId: successor.id, certificateStatus: 'good', revision: 2 });
    const files = filesOf(await world.get(secrets, 'web-tls'));
    expect(files.key).toBe(key);
    expect(files.crt).toBe(stage.dev.certificatePem(successor.id));
    expect(world.calls()).toMatchObject({ 'cert/new': 1 });
    expect(world.calls()['cert/reissue']).toBeUndefined();
    expect(stage.dev.certificates().find(({ id: each }) => each === unlike.id)?.status).toBe('good');

    const tally = world.tally(operator);
    await world.pass(3 * INTERVAL_MS);
    expect(tally().writes['PATCH tinycertcertificates/status']).toBeUndefined();
    expect(complaints(operator)).toEqual([]);
  });

  test.each(['forged', 'dropped'])('is followed although the seal of its status was %s', async (how) => {
    const { world, id } = await issued(stage, '90d');
    const { key } = filesOf(await world.get(secrets, 'web-tls'));
    const status = how === 'forged' ? { seal: 'v1:0:0' } : { attemptId: null };
    await world.patch(certificates, 'web', { status }, 'status');
    await world.settled();
    const successor = stage.dev.reissueByHand(id);

    await world.pass(INTERVAL_MS);

    expect((await world.ready('web')).status).toMatchObject({
      certificateId: successor.id,
      certificateStatus: 'good',
      seal: expect.stringMatching(/^v1:[0-9a-f]{64}:[0-9a-f]{64}$/) as string,
    });
    const files = filesOf(await world.get(secrets, 'web-tls'));
    expect(files.key).toBe(key);
    expect(files.crt).toBe(stage.dev.certificatePem(successor.id));
    expect(world.calls()).toMatchObject({ 'cert/new': 1 });
  });

  test('and whose successor cannot be found is reported as no longer listed, once', async () => {
    const { world, operator, id } = await issued(stage, '90d');
    const successor = stage.dev.reissueByHand(id);
    stage.dev.setStatusByHand(successor.id, 'revoked');

    const tally = world.tally(operator);
    await world.pass(4 * INTERVAL_MS);

    expect(await world.says(certificates, 'web')).toEqual([
      `Ready=True NotListed: The Secret holds a valid certificate for this spec. TinyCert no longer lists certificate ${id}: it was reissued with another key or deleted there, and is replaced when its renewal is due.`,
    ]);
    expect((await web(world)).status).toMatchObject({ certificateId: id, certificateStatus: 'obsolete' });
    expect(tally().writes['PATCH tinycertcertificates/status']).toBe(1);
    expect(tally().calls['cert/details']).toBe(1);
    expect(complaints(operator)).toEqual([]);
  });
});

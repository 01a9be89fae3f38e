import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { certificates, issuers } from '../../src/api/kinds.ts';
import { secrets } from '../../src/kube/objects.ts';
import {
  bought,
  byHand,
  expectBoughtOnce,
  expectServed,
  QUIET_MS,
  wanted,
} from '../support/world/lost-answers.ts';
import { filesOf } from '../support/x509/openssl.ts';
import { issuedAsIs } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { aWorld } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

describe('if the owner of a certificate cannot be known, nothing is adopted:', () => {
  test('two namespaces request the same, and neither gets the other’s key', async () => {
    const [a, b] = [await aWorld(stage), await aWorld(stage)];
    stage.dev.addFault({ call: 'cert/new', kind: 'reset-after' });
    for (const world of [a, b]) await world.account();
    const operator = await a.operator({ namespaces: [a.namespace, b.namespace] });
    await a.certificate('twin');
    await a.settled();
    await b.certificate('twin');

    await b.pass(QUIET_MS * 2);

    const ids = [await a.ready('twin'), await b.ready('twin')].map(
      ({ status }) => status?.certificateId ?? 0,
    );
    const [lost, ...served] = bought(stage, 'twin.example.com').map(({ id }) => id);
    expect(new Set(ids)).toEqual(new Set(served));
    expect(served).toHaveLength(2);
    expect(ids).not.toContain(lost);
    const keys = [a, b].map(async (world) => filesOf(await world.get(secrets, 'twin-tls')).key);
    expect(new Set(await Promise.all(keys)).size).toBe(2);
    expect(operator.log.map(({ msg }) => msg)).toContain(
      'Certificates that this attempt may have bought cannot be distinguished from others and are left alone',
    );
  });

  test('a person made the same by hand in between', async () => {
    const { world } = await wanted(stage, 'hand', { call: 'cert/new', kind: 'reset-after' });
    const manual = await byHand(stage, 'hand');

    await world.pass(QUIET_MS + 5_000);

    const [lost, again, ...others] = bought(stage, 'hand.example.com');
    expect(others).toEqual([]);
    await expectServed(world, 'hand', again);
    expect([lost, manual].map((certificate) => certificate?.status)).toEqual(['good', 'good']);
    const { status } = await world.get(issuers, 'ca');
    expect(status?.released).toMatchObject([
      { certificateId: lost?.id, name: 'hand', cause: 'Undecided' },
      { certificateId: manual.id, name: 'hand', cause: 'Undecided' },
    ]);
    expect(status?.abandoned).toMatchObject([{ name: 'hand', commonName: 'hand.example.com' }]);
  });

  test('windowStart: a person made the same by hand a minute before, and our own request was lost', async () => {
    const name = 'minute';
    const manual = await byHand(stage, name);
    await stage.clock.skip(60_000);
    // The issuer's list was read before, so its id is no bound.
    const { world } = await wanted(stage, name, { call: 'cert/new', kind: 'reset-before' });

    await world.pass(QUIET_MS + 5_000);

    const [own, ...others] = bought(stage, `${name}.example.com`);
    expect(others).toEqual([]);
    await expectServed(world, name, own);
    expect(own?.id).toBeGreaterThan(manual.id);
  });

  test('foreignSeen: another installation has one with these names', async () => {
    await byHand(stage, 'foreign');
    const { world } = await wanted(stage, 'foreign', { call: 'cert/new', kind: 'reset-after' });

    await world.pass(QUIET_MS + 5_000);

    const [, again, ...others] = bought(stage, 'foreign.example.com');
    expect(others).toEqual([]);
    await expectServed(world, 'foreign', again);
  });

  test.each(['Hold', 'Revoke'] as const)(
    'but what the operator itself reissued for a resource that is gone (%s) leaves no doubt about the next certificate',
    async (onDelete) => {
      const spec = { dnsNames: [`${onDelete}.example.com`.toLowerCase()], revocation: { onDelete } };
      const [cn = ''] = spec.dnsNames;
      await stage.dev.setOptions({ validity: '1h' });
      const { world, id } = await issuedAsIs(stage, spec);
      stage.dev.addFault({ call: 'cert/reissue', kind: 'reset-after' });
      await world.pass(40 * 60_000 + 5_000);
      await world.delete(certificates, 'web');
      await world.pass(QUIET_MS + 5_000);
      expect(bought(stage, cn)[1]?.previousId).toBe(id);
      await world.delete(secrets, 'web-tls');
      stage.dev.addFault({ call: 'cert/new', kind: 'reset-after' });
      await world.certificate('web', spec);

      await world.pass(QUIET_MS + 5_000);

      const [, , lost, ...others] = bought(stage, cn);
      expect(others).toEqual([]);
      await expectServed(world, 'web', lost);
    },
  );

  test('skipClaimed: the only candidate is a former certificate of a neighbour', async () => {
    const [a, b] = [await aWorld(stage), await aWorld(stage)];
    for (const world of [a, b]) await world.account();
    stage.dev.addFault({ call: 'cert/new', kind: 'reset-before' });
    await a.operator({ namespaces: [a.namespace, b.namespace] });
    await a.certificate('claimed');
    await a.settled();
    // The neighbour gets one with these names, and releases it for another.
    await b.certificate('claimed');
    const first = (await b.ready('claimed')).status?.certificateId;
    await b.patch(certificates, 'claimed', { spec: { dnsNames: ['elsewhere.example.com'] } });
    await b.ready('claimed', ({ status }) => status?.certificateId !== first);

    await a.pass(QUIET_MS + 5_000);

    const { status } = await a.ready('claimed');
    expect(status?.certificateId).not.toBe(first);
    const keys = [a, b].map(async (world) => filesOf(await world.get(secrets, 'claimed-tls')).key);
    expect(new Set(await Promise.all(keys)).size).toBe(2);
  });

  test('skipClaimed: it belonged to a neighbour that was deleted while no operator ran and left its Secret', async () => {
    const [a, b] = [await aWorld(stage), await aWorld(stage)];
    for (const world of [a, b]) await world.account();
    stage.dev.addFault({ call: 'cert/new', kind: 'reset-before' });
    const namespaces = [a.namespace, b.namespace];
    const first = await a.operator({ namespaces });
    await a.certificate('left');
    await a.settled();
    await b.certificate('left');
    const theirs = (await b.ready('left')).status?.certificateId;
    await first.stop();
    await b.delete(certificates, 'left');
    await a.operator({ namespaces });

    await a.pass(QUIET_MS * 2);

    const { status } = await a.ready('left');
    expect(status?.certificateId).toBeGreaterThan(theirs ?? Infinity);
  });

  test('recordAbandoned: a neighbour with the same request is gone', async () => {
    const [a, b] = [await aWorld(stage), await aWorld(stage)];
    for (const world of [a, b]) await world.account();
    stage.dev.addFault({ call: 'cert/new', kind: 'reset-before' });
    stage.dev.addFault({ call: 'cert/new', kind: 'reset-after' });
    await a.operator({ namespaces: [a.namespace, b.namespace] });
    await a.certificate('gone');
    await a.settled();
    await b.certificate('gone');
    // This one tries the account again in a moment.
    await b.call(({ call, fault }) => call === 'cert/new' && fault === 'reset-after');
    await b.settled();
    const [lost] = bought(stage, 'gone.example.com');
    await b.delete(certificates, 'gone');

    await a.pass(QUIET_MS * 2);

    const { status } = await a.ready('gone');
    expect(status?.certificateId).not.toBe(lost?.id);
    expect(bought(stage, 'gone.example.com')).toHaveLength(2);
  });

  test('skipReissued: a person reissued a neighbour’s certificate', async () => {
    const [a, b] = [await aWorld(stage), await aWorld(stage)];
    for (const world of [a, b]) await world.account();
    await a.operator({ namespaces: [a.namespace, b.namespace] });
    await b.certificate('again');
    const first = (await b.ready('again')).status?.certificateId ?? 0;
    await b.settled();
    stage.dev.addFault({ call: 'cert/new', kind: 'reset-before' });
    await a.certificate('again');
    await a.settled();
    const theirs = stage.dev.reissueByHand(first);
    await b.patch(certificates, 'again', { spec: { dnsNames: ['quite-another.example.com'] } });
    await b.ready('again', ({ status }) => status?.certificateId !== first);

    await a.pass(QUIET_MS + 5_000);

    const { status } = await a.ready('again');
    expect(status?.certificateId).toBeGreaterThan(theirs.id);
    const own = stage.dev.certificates().find(({ id }) => id === status?.certificateId);
    expect(own?.keyFingerprint).not.toBe(theirs.keyFingerprint);
  });
});

test('a certificate that expired before its reissue is not foreign later', async () => {
  await stage.dev.setOptions({ validity: '1h' });
  const world = await aWorld(stage);
  await world.account();
  const first = await world.operator();
  await world.certificate('aged', { revocation: { onExternalRevocation: 'Replace' } });
  const { status } = await world.ready('aged');
  await first.stop();
  await stage.clock.skip(2 * 3_600_000);
  await stage.dev.setOptions({ validity: '365d' });
  await world.operator();
  const again = await world.ready('aged', (now) => now.status?.certificateId !== status?.certificateId);
  expect(again.status).toMatchObject({ formerCertificates: [world.named(status?.certificateId ?? 0)] });
  stage.dev.setStatusByHand(again.status?.certificateId ?? 0, 'revoked');
  stage.dev.addFault({ call: 'cert/new', kind: 'reset-after' });

  await world.pass(20 * 60_000);

  const [, , own, ...others] = bought(stage, 'aged.example.com');
  expect(others).toEqual([]);
  await expectServed(world, 'aged', own);
});

test('a certificate bought for an earlier resource of the same name is not bought again', async () => {
  const { world } = await wanted(stage, 'anew', { call: 'cert/new', kind: 'reset-before' });
  await world.delete(certificates, 'anew');
  stage.dev.addFault({ call: 'cert/new', kind: 'reset-after' });
  await world.certificate('anew');

  await world.pass(QUIET_MS * 2);

  await expectBoughtOnce(world, 'anew', 2);
  expect((await world.get(issuers, 'ca')).status?.abandoned).toMatchObject([{ name: 'anew' }]);
});

describe('a certificate with other names is no rival:', () => {
  test('a resource with the same common name whose issuer is not ready', async () => {
    const [a, b] = [await aWorld(stage), await aWorld(stage)];
    await a.account();
    await b.issuer();
    stage.dev.addFault({ call: 'cert/new', kind: 'reset-after' });
    await a.operator({ namespaces: [a.namespace, b.namespace] });
    await b.certificate('shared', { commonName: 'shared.example.com', dnsNames: ['b.example.com'] });
    await a.certificate('shared', { commonName: 'shared.example.com', dnsNames: ['a.example.com'] });

    await a.pass(QUIET_MS * 2);

    const [own, ...others] = bought(stage, 'shared.example.com');
    expect(others).toEqual([]);
    await expectServed(a, 'shared', own);
  });

  test('a person’s reissue of a deleted resource’s certificate', async () => {
    const world = await aWorld(stage);
    await world.account();
    await world.operator();
    await world.certificate('past');
    const past = (await world.ready('past')).status?.certificateId ?? 0;
    await world.settled();
    await world.delete(certificates, 'past');
    await world.settled();
    stage.dev.reissueByHand(past);
    stage.dev.addFault({ call: 'cert/new', kind: 'reset-after' });
    await world.certificate('future');

    await world.pass(QUIET_MS * 2);

    await expectBoughtOnce(world, 'future', 2);
  });

  test('a renewal of a certificate with the same common name, while its result is unknown', async () => {
    const [a, b] = [await aWorld(stage), await aWorld(stage)];
    for (const world of [a, b]) await world.account();
    const first = await a.operator({ namespaces: [a.namespace, b.namespace] });
    await b.certificate('open', { commonName: 'open.example.com', dnsNames: ['b.example.com'] });
    const { status } = await b.ready('open');
    await first.stop();
    const { certificateId: previousId, ...attempt } = status?.attempt ?? {};
    const reissue = { ...attempt, id: 'open', operation: 'Reissue', previousId, certificateId: null };
    await b.patch(certificates, 'open', { status: { attempt: reissue } }, 'status');
    // Without an account its result stays unknown.
    await b.patch(issuers, 'ca', { spec: { credentialsSecretRef: { name: 'nowhere' } } });
    stage.dev.addFault({ call: 'cert/new', kind: 'reset-after' });
    await a.operator({ namespaces: [a.namespace, b.namespace] });
    await a.certificate('open', { commonName: 'open.example.com', dnsNames: ['a.example.com'] });

    await a.pass(QUIET_MS * 2);

    const own = bought(stage, 'open.example.com').filter(({ id }) => id !== previousId);
    expect(own).toHaveLength(1);
    await expectServed(a, 'open', own[0]);
  });
});

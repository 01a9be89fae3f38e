import { afterAll, beforeAll, expect, test } from 'vitest';
import { certificates } from '../../src/api/kinds.ts';
import { secrets } from '../../src/kube/objects.ts';
import { complaints, issued, statusAtCa } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { aWorld } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

const HOUR = 3_600_000;
const SUSPENDED =
  'Issuing=False Suspended: spec.suspend is true: nothing is issued, renewed, repaired or revoked until it is false or removed.';

test('a suspended certificate reports it in one write, is left alone until it expires, and then Ready reports that', async () => {
  const { world, operator } = await issued(stage, '3h');
  const since = world.tally(operator);

  await world.patch(certificates, 'web', { spec: { suspend: true } });
  await world.settled();
  expect(since()).toEqual({ calls: {}, writes: { 'PATCH tinycertcertificates/status': 1 } });
  expect(await world.says(certificates, 'web')).toEqual([
    'Ready=True Ready: The Secret holds a valid certificate for this spec.',
    SUSPENDED,
  ]);
  await world.pass(2.5 * HOUR);
  expect((await world.says(certificates, 'web'))[0]).toContain('Ready=True');
  await world.pass(HOUR);

  expect(await world.says(certificates, 'web')).toEqual([expect.stringContaining('Ready=False'), SUSPENDED]);
  const { calls, writes } = since();
  expect(calls).not.toHaveProperty('cert/reissue');
  expect(calls).not.toHaveProperty('cert/new');
  // The suspension and the expiry.
  expect(writes['PATCH tinycertcertificates/status']).toBe(2);
  expect(writes).not.toHaveProperty('POST events');
  expect(complaints(operator)).toEqual([]);
});

test('it continues at once when it is no longer suspended', async () => {
  const { world, id } = await issued(stage, '3h');
  await world.patch(certificates, 'web', { spec: { suspend: true } });
  await world.pass(2.5 * HOUR);

  await world.patch(certificates, 'web', { spec: { suspend: false } });
  await world.ready('web', ({ status }) => status?.certificateId !== id);
  await world.settled();

  expect(statusAtCa(stage, id)).toBe('obsolete');
  expect(await world.says(certificates, 'web')).toEqual([
    'Ready=True Ready: The Secret holds a valid certificate for this spec.',
  ]);
});

test('while suspended nothing is repaired, replaced or revoked, and all of it is afterwards', async () => {
  const { world, id } = await issued(stage, '365d', {
    revocation: { onDelete: 'None', onReplace: 'Revoke', delay: '1h', onExternalRevocation: 'Report' },
  });
  await world.patch(certificates, 'web', { spec: { dnsNames: ['web.example.com', 'b.example.com'] } });
  await world.settled();
  await world.patch(certificates, 'web', { spec: { suspend: true, desiredStatus: 'Hold' } });
  await world.delete(secrets, 'web-tls');
  await world.pass(3 * HOUR);
  const { status } = await world.get(certificates, 'web');
  expect(await stage.kube.find(secrets, world.ref('web-tls'))).toBeUndefined();
  expect([statusAtCa(stage, id), statusAtCa(stage, status?.certificateId)]).toEqual(['good', 'good']);
  expect(await world.says(certificates, 'web')).toEqual([
    expect.stringContaining('Ready=False Suspended'),
    SUSPENDED,
  ]);

  await world.patch(certificates, 'web', { spec: { suspend: null } });
  await world.pass(10_000);

  expect([statusAtCa(stage, id), statusAtCa(stage, status?.certificateId)]).toEqual(['revoked', 'hold']);
  await world.get(secrets, 'web-tls');
});

test('one that is suspended from the start is not issued, and then is', async () => {
  const world = await aWorld(stage);
  await world.account();
  await world.operator();
  await world.certificate('web', { suspend: true });
  await world.pass(HOUR);
  expect(world.calls()).not.toHaveProperty('cert/new');

  await world.patch(certificates, 'web', { spec: { suspend: null } });
  await world.ready('web');
});

test('a suspended certificate that is deleted is still revoked by onDelete', async () => {
  const { world, id } = await issued(stage, '365d', {
    revocation: { onDelete: 'Revoke', onReplace: 'None', delay: '1h', onExternalRevocation: 'Report' },
  });
  await world.patch(certificates, 'web', { spec: { suspend: true } });
  await world.settled();
  await world.delete(certificates, 'web');
  expect(statusAtCa(stage, id)).toBe('revoked');
});

/** A change of status is believed once the certificate shows it, and a denial once it is repeated. */
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { certificates } from '../../src/api/kinds.ts';
import { secrets } from '../../src/kube/objects.ts';
import type { Fault, FaultEffect } from '../../tools/dev-server/types.ts';
import { journalOf } from '../support/world/journal.ts';
import { QUIET_MS } from '../support/world/lost-answers.ts';
import { complaints, issued, issuedAsIs, requested, statusAtCa } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { type World, aWorld } from '../support/world/world.ts';
import { filesOf } from '../support/x509/openssl.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

const MINUTE = 60_000;
const DENIED = { kind: 'error', code: 'NotFound' } as const;

async function keyOf(world: World): Promise<string> {
  return filesOf(await world.get(secrets, 'web-tls')).key;
}

describe('a revocation is not recorded as done on an answer', () => {
  test.each<[string, FaultEffect]>([
    ['that is half a JSON object', { kind: 'not-json', body: '{"success":' }],
    ['that is empty', { kind: 'not-json', body: '' }],
    ['that is a web page', { kind: 'html', status: 200 }],
    ['about another certificate', { kind: 'not-json', body: '{"id":1,"status":"revoked"}' }],
    ['to another call', { kind: 'not-json', body: '{"cert_id":1}' }],
    ['that is an error with the status of a success', { kind: 'not-json', body: '{"code":"UnknownError"}' }],
    ['that looks like a success', { kind: 'not-json', body: '{}' }],
    ['that the CA has no such certificate', DENIED],
  ])('%s', async (_, effect) => {
    const { world, id } = await issued(stage, '90d');
    stage.dev.addFault({ call: 'cert/status', ...effect, times: 'forever' });
    await world.patch(certificates, 'web', { spec: { desiredStatus: 'Revoked' } });
    await world.pass(2 * MINUTE);

    const { status } = await world.get(certificates, 'web');
    expect([statusAtCa(stage, id), status?.certificateStatus]).toEqual(['good', 'good']);
    expect(status).not.toHaveProperty('observedDesiredStatus');

    stage.dev.clearFaults();
    await world.pass(10 * MINUTE);
    expect(statusAtCa(stage, id)).toBe('revoked');
    expect((await world.get(certificates, 'web')).status).toMatchObject({
      certificateStatus: 'revoked',
      observedDesiredStatus: 'Revoked',
    });
  });

  test('that the details contradict, which the resource reports', async () => {
    const { world, id } = await issuedAsIs(stage, { revocation: { onDelete: 'Revoke' } });
    stage.dev.addFault({ call: 'cert/status', kind: 'not-json', body: '{}', times: 'forever' });
    const { kube } = stage;
    await kube.delete(certificates, world.ref('web'));
    await world.pass(2 * MINUTE);

    const { metadata, status } = await world.get(certificates, 'web');
    expect(metadata.finalizers).toHaveLength(1);
    expect(status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'RevocationPending', reason: 'StatusNotConfirmed' }),
    );

    stage.dev.clearFaults();
    await world.pass(10 * MINUTE);
    expect(await kube.find(certificates, world.ref('web'))).toBeUndefined();
    expect(statusAtCa(stage, id)).toBe('revoked');
  });
});

describe('rotationPolicy Never: one answer that the CA has no such certificate buys no new key', () => {
  test('to a reissue', async () => {
    const { world, id } = await issued(stage, '1h');
    const key = await keyOf(world);
    stage.dev.addFault({ call: 'cert/reissue', ...DENIED });

    await world.pass(50 * MINUTE);

    const { status } = await world.ready('web');
    expect(status?.certificateId).toBeGreaterThan(id);
    expect(await keyOf(world)).toBe(key);
    expect(world.calls()).toMatchObject({ 'cert/new': 1 });
  });

  test.each<[Fault['call'], FaultEffect, { after?: number }]>([
    // The CA did not act, so the previous certificate is still the one to reissue.
    ['cert/details', { kind: 'reset-before' }, {}],
    ['cert/list', { kind: 'reset-after' }, {}],
    // The first one is about the previous certificate, the second one about its successor.
    ['cert/get', { kind: 'reset-after' }, { after: 1 }],
  ])('to %s in a recovery', async (call, effect, more) => {
    const { world, operator } = await issued(stage, '1h');
    const key = await keyOf(world);
    stage.dev.addFault({ call: 'cert/reissue', ...effect });
    while (world.calls()['cert/reissue'] === undefined) await world.pass(MINUTE / 2);
    stage.dev.addFault({ call, ...DENIED, ...more });
    await world.pass(5 * MINUTE);

    await world.ready('web');
    expect(await keyOf(world)).toBe(key);
    expect(world.calls()).toMatchObject({ 'cert/new': 1 });
    expect(complaints(operator)).toEqual([]);
  });

  test('to the adoption of what the Secret of a resource that is made again holds', async () => {
    const { world, id } = await issued(stage, '90d');
    const key = await keyOf(world);
    await world.delete(certificates, 'web');
    stage.dev.addFault({ call: 'cert/get', ...DENIED });
    await world.certificate('web');
    await world.pass(5_000);

    expect((await world.ready('web')).status?.certificateId).toBe(id);
    expect(await keyOf(world)).toBe(key);
    expect(world.calls()).toMatchObject({ 'cert/new': 1 });
  });

  test('while two in a row do, and what was bought and refused remains a former certificate', async () => {
    const { world, operator, id } = await issued(stage, '1h');
    for (const call of ['cert/reissue', 'cert/details'] as const)
      stage.dev.addFault({ call, ...DENIED, match: { cert_id: String(id) }, times: 'forever' });
    await world.pass(50 * MINUTE);

    const { status } = await world.ready('web');
    expect(requested(operator).at(-1)?.operation).toBe('New');
    expect(world.calls()).toMatchObject({ 'cert/new': 2 });
    expect(status?.formerCertificates).toMatchObject([{ certificateId: id }]);
  });
});

describe('a purchase whose key the CA does not hand out', () => {
  test('becomes a former certificate once another is bought, whose own refusals count anew', async () => {
    stage.dev.addFault({ call: 'cert/get', ...DENIED, match: { what: 'key.dec' }, times: 'forever' });
    await stage.dev.setOptions({ validity: '90d' });
    const world = await aWorld(stage);
    await world.account();
    await world.operator();
    await world.certificate('refused');
    await world.pass(100 * MINUTE);
    const [first, second, ...others] = stage.dev
      .certificates()
      .filter(({ cn }) => cn === 'refused.example.com');
    expect(others).toEqual([]);
    await world.pass(QUIET_MS);
    const { status } = await world.get(certificates, 'refused');
    expect(status?.formerCertificates).toMatchObject([{ certificateId: first?.id }]);
    expect((await journalOf(world)).attempts).toMatchObject([{ certificateId: second?.id }]);
    expect(status?.refusedFetches).toMatchObject({ certificateId: second?.id, confirmed: false });

    stage.dev.clearFaults();
    await world.pass(9 * 60 * MINUTE);
    const ready = await world.ready('refused');
    expect(ready.status).toMatchObject({
      certificateId: second?.id,
      formerCertificates: [{ certificateId: first?.id }],
    });
    expect(ready.status).not.toHaveProperty('refusedFetches');
  });
});

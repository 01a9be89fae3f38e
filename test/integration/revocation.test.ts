import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { CertificateSpec } from '../../src/api/tinycert/certificate-spec.ts';
import { certificates, issuers, type TinyCertCertificate } from '../../src/api/kinds.ts';
import { conditionOf } from '../../src/issuance/status/conditions.ts';
import { secrets } from '../../src/kube/objects.ts';
import { events } from '../support/world/crds.ts';
import { filesOf } from '../support/x509/openssl.ts';
import { complaints, statusAtCa, type Issued, issuedAsIs } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { type World, aWorld } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

const HOUR = 3_600_000;
const OTHER_NAMES = { dnsNames: ['web.example.com', 'b.example.com'] };

/** Certificates in this test live for three hours and are renewed after two. */
async function shortLived(): Promise<void> {
  await stage.dev.setOptions({ validity: '3h' });
  onTestFinished(() => stage.dev.setOptions({ validity: '365d' }));
}

/** A certificate `web` that is Ready. */
function issued(spec: Partial<Record<keyof CertificateSpec, unknown>> = {}): Promise<Issued> {
  return issuedAsIs(stage, spec);
}

/** The writes to certificates among all writes. */
function certificateWrites(writes: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(writes).filter(([write]) => !write.includes('issuers')));
}

async function change(world: World, spec: object): Promise<void> {
  await world.patch(certificates, 'web', { spec });
  await world.settled();
}

async function replaced(spec: Partial<Record<keyof CertificateSpec, unknown>>): Promise<Issued> {
  const issuedOne = await issued(spec);
  await change(issuedOne.world, OTHER_NAMES);
  return issuedOne;
}

async function statusOf(world: World): Promise<NonNullable<TinyCertCertificate['status']>> {
  return (await world.get(certificates, 'web')).status ?? {};
}

async function reasonOf(world: World, type: string): Promise<string | undefined> {
  return conditionOf((await statusOf(world)).conditions, type)?.reason;
}

async function eventReasons(world: World): Promise<string[]> {
  const { items } = await stage.kube.listAll(events, { namespace: world.namespace });
  return items.map(({ reason }) => reason);
}

describe('a certificate that one with another key replaced', () => {
  test('stays good without onReplace', async () => {
    const { world, id } = await replaced({});
    await world.pass(3 * HOUR);
    expect(statusAtCa(stage, id)).toBe('good');
    expect(await statusOf(world)).not.toHaveProperty('pendingRevocations');
  });

  test.each([
    ['Revoke', 'revoked'],
    ['Hold', 'hold'],
  ] as const)('with onReplace %s is %s after the delay, in one write', async (onReplace, atCa) => {
    const { world, operator, id } = await replaced({ revocation: { onReplace, delay: '2h' } });
    expect((await statusOf(world)).pendingRevocations).toEqual([
      { ...world.named(id), action: onReplace, notBefore: expect.any(String) },
    ]);
    const since = world.tally(operator);

    await world.pass(2 * HOUR - 10_000);
    expect(statusAtCa(stage, id)).toBe('good');
    await world.pass(20_000);

    expect(statusAtCa(stage, id)).toBe(atCa);
    const { pendingRevocations, certificateId, certificateStatus } = await statusOf(world);
    expect([pendingRevocations, certificateStatus]).toEqual([undefined, 'good']);
    expect(statusAtCa(stage, certificateId)).toBe('good');
    const { calls, writes } = since();
    expect(calls['cert/status']).toBe(1);
    expect(certificateWrites(writes)).toEqual({ 'PATCH tinycertcertificates/status': 1 });
    expect(complaints(operator)).toEqual([]);
  });

  test('costs no write of its own: the result records it as pending', async () => {
    const { world, operator } = await issued({ revocation: { onReplace: 'Revoke' } });
    const since = world.tally(operator);
    await change(world, OTHER_NAMES);
    expect(since().writes).toEqual({ 'PATCH tinycertcertificates/status': 1, 'PATCH secrets': 1 });
  });

  test('by rotation is revoked each time, and one replaced by a reissue needs nothing', async () => {
    await shortLived();
    const rotating = await issued({
      privateKey: { rotationPolicy: 'Always' },
      revocation: { onReplace: 'Revoke', delay: '10m' },
    });
    const { status } = await rotating.world.get(certificates, 'web');
    await rotating.world.pass(2.5 * HOUR);
    expect((await rotating.world.get(certificates, 'web')).status?.revision).toBeGreaterThan(
      status?.revision ?? 0,
    );
    expect(statusAtCa(stage, rotating.id)).toBe('revoked');
    const reissuing = await issued({ revocation: { onReplace: 'Revoke', delay: '10m' } });
    await reissuing.world.pass(2.5 * HOUR);
    expect(statusAtCa(stage, reissuing.id)).toBe('obsolete');
    expect(await statusOf(reissuing.world)).not.toHaveProperty('pendingRevocations');
  });

  test('is revoked by an operator that started after it became pending', async () => {
    const { world, operator, id } = await replaced({ revocation: { onReplace: 'Revoke', delay: '2h' } });
    await operator.stop('by force').catch(() => undefined);
    await stage.clock.skip(3 * HOUR);
    await world.operator();
    await world.pass(5_000);
    expect([statusAtCa(stage, id), (await statusOf(world)).pendingRevocations]).toEqual([
      'revoked',
      undefined,
    ]);
  });

  test('waits for a CA that is down, and an operator that dies between the call and its write repeats nothing', async () => {
    const { world, operator, id } = await replaced({ revocation: { onReplace: 'Revoke' } });
    await stage.dev.setOptions({ listening: false });
    await world.pass(2 * HOUR);
    expect((await statusOf(world)).pendingRevocations).toHaveLength(1);
    stage.dev.addFault({ call: 'cert/status', kind: 'hold', when: 'after' });
    await stage.dev.setOptions({ listening: true });
    while (stage.dev.counts().held === 0) await stage.clock.skip(1_000);
    await operator.stop('by force').catch(() => undefined);
    stage.dev.release();
    expect((await statusOf(world)).pendingRevocations).toHaveLength(1);

    await world.operator();
    await world.pass(5_000);

    expect([statusAtCa(stage, id), (await statusOf(world)).pendingRevocations]).toEqual([
      'revoked',
      undefined,
    ]);
  });

  test('that somebody else claims by then stays unchanged', async () => {
    const { world, id } = await replaced({ revocation: { onReplace: 'Revoke' } });
    await world.certificate('other', { suspend: true });
    await world.patch(certificates, 'other', { status: world.named(id) }, 'status');
    await world.pass(2 * HOUR);
    expect([statusAtCa(stage, id), (await statusOf(world)).pendingRevocations]).toEqual(['good', undefined]);
    expect(await eventReasons(world)).toContain('ClaimedByAnother');
  });

  test('is not revoked because of a status that somebody else wrote', async () => {
    const { world, id: victim } = await issued();
    await world.certificate('thief');
    await world.ready('thief');
    await world.delete(certificates, 'web');
    const forged = [{ ...world.named(victim), action: 'Revoke', notBefore: '2026-01-01T00:00:00Z' }];
    await world.patch(certificates, 'thief', { status: { pendingRevocations: forged } }, 'status');
    await world.pass(2 * HOUR);
    expect(statusAtCa(stage, victim)).toBe('good');
    expect(await eventReasons(world)).toContain('SealBroken');
    // Not even once a later write has sealed the status again.
    await world.patch(certificates, 'thief', { spec: { dnsNames: ['thief2.example.com'] } });
    await world.pass(2 * HOUR);
    expect((await world.get(certificates, 'thief')).status?.revision).toBe(2);
    expect(statusAtCa(stage, victim)).toBe('good');
  });

  test('is revoked at once when the resource is deleted before its time', async () => {
    const { world, id } = await replaced({ revocation: { onReplace: 'Revoke', delay: '8640h' } });
    const { certificateId } = await statusOf(world);
    await world.delete(certificates, 'web');
    expect([statusAtCa(stage, id), statusAtCa(stage, certificateId)]).toEqual(['revoked', 'good']);
    await world.settled();
    expect((await world.get(issuers, 'ca')).metadata.finalizers ?? []).toEqual([]);
  });

  test('is not requested at full speed while the revocation of another one fails', async () => {
    const { world, id: first } = await issued({ revocation: { onReplace: 'Revoke', delay: '1h' } });
    await change(world, OTHER_NAMES);
    const { certificateId: second } = await statusOf(world);
    await change(world, { dnsNames: ['web.example.com', 'c.example.com'] });
    const match = { cert_id: String(second) };
    stage.dev.addFault({ call: 'cert/status', kind: 'html', status: 500, times: 'forever', match });
    const mark = world.mark();

    await world.pass(2 * HOUR);

    expect(world.calls(mark)['cert/status']).toBeLessThan(60);
    expect(statusAtCa(stage, first)).toBe('revoked');
    stage.dev.clearFaults();
    await world.pass(HOUR);
    expect(statusAtCa(stage, second)).toBe('revoked');
    expect(await statusOf(world)).not.toHaveProperty('pendingRevocations');
  });
});

describe('desiredStatus', () => {
  test('Hold, Good and nothing act when they change, and never undo what was done at the CA since', async () => {
    const { world, operator, id } = await issued();

    await change(world, { desiredStatus: 'Hold' });
    expect(statusAtCa(stage, id)).toBe('hold');
    expect(await statusOf(world)).toMatchObject({ certificateStatus: 'hold', observedDesiredStatus: 'Hold' });
    expect(await reasonOf(world, 'Ready')).toBe('OnHold');
    stage.dev.setStatusByHand(id, 'good');
    await world.pass(HOUR);
    expect(statusAtCa(stage, id)).toBe('good');

    await change(world, { desiredStatus: 'Good' });
    expect(await statusOf(world)).toMatchObject({ certificateStatus: 'good', observedDesiredStatus: 'Good' });
    expect(await reasonOf(world, 'Ready')).toBe('Ready');
    stage.dev.setStatusByHand(id, 'hold');
    await world.pass(HOUR);
    expect(statusAtCa(stage, id)).toBe('hold');

    const since = world.tally(operator);
    await change(world, { desiredStatus: null });
    expect(since().calls).not.toHaveProperty('cert/status');
    expect(await statusOf(world)).not.toHaveProperty('observedDesiredStatus');
    await change(world, { desiredStatus: 'Good' });
    expect(statusAtCa(stage, id)).toBe('good');
    expect((await statusOf(world)).certificateId).toBe(id);
  });

  test('is completed by the next operator if one dies before it has recorded it', async () => {
    const { world, operator, id } = await issued();
    stage.dev.addFault({ call: 'cert/status', kind: 'hold', when: 'after' });
    await world.patch(certificates, 'web', { spec: { desiredStatus: 'Hold' } });
    await world.call(({ call, fault }) => call === 'cert/status' && fault === 'hold');
    await operator.stop('by force').catch(() => undefined);
    stage.dev.release();
    expect(await statusOf(world)).not.toHaveProperty('observedDesiredStatus');

    await world.operator();
    await world.settled();

    expect([statusAtCa(stage, id), (await statusOf(world)).observedDesiredStatus]).toEqual(['hold', 'Hold']);
  });

  test('acts during the account’s trial while another certificate has to wait', async () => {
    const { world, operator, id } = await issued();
    stage.dev.addFault({ call: 'cert/new', kind: 'reset-after' });
    await world.certificate('trial', { dnsNames: ['trial.example.com'] });
    await world.settled();
    // The broken connection causes a check of the account, which works.
    await world.pass(5_000);
    const reconciled = (): number =>
      operator.log.filter(({ msg, name }) => msg === 'Reconciling' && name === 'web').length;
    const before = reconciled();

    await change(world, { desiredStatus: 'Hold' });

    expect(statusAtCa(stage, id)).toBe('hold');
    expect(reconciled() - before).toBeLessThan(10);
  });

  test('Good from the start costs nothing', async () => {
    const { operator } = await issued({ desiredStatus: 'Good' });
    expect(operator.traffic.writes()).toMatchObject({ 'PATCH tinycertcertificates/status': 1 });
  });

  test('Revoked is final: nothing is issued until Good requests another certificate, with another key', async () => {
    await shortLived();
    const { world, operator, id } = await issued();
    const before = filesOf(await world.get(secrets, 'web-tls'));

    await change(world, { desiredStatus: 'Revoked' });
    expect([statusAtCa(stage, id), await reasonOf(world, 'Ready')]).toEqual(['revoked', 'Revoked']);
    const since = world.tally(operator);
    await change(world, OTHER_NAMES);
    await world.pass(2.5 * HOUR);
    expect(since().calls).not.toHaveProperty('cert/new');
    expect(since().calls).not.toHaveProperty('cert/reissue');

    await change(world, { desiredStatus: 'Good' });

    const { status } = await world.ready('web');
    expect(status).toMatchObject({ certificateStatus: 'good', observedDesiredStatus: 'Good', revision: 2 });
    expect(filesOf(await world.get(secrets, 'web-tls')).key).not.toBe(before.key);
  });

  test('Good does not undo a revocation by somebody at TinyCert, and requests another certificate', async () => {
    const { world, id } = await issued();
    stage.dev.setStatusByHand(id, 'revoked');

    await change(world, { desiredStatus: 'Good' });

    const { status } = await world.ready('web', (object) => object.status?.certificateId !== id);
    expect([statusAtCa(stage, id), statusAtCa(stage, status?.certificateId)]).toEqual(['revoked', 'good']);
    await world.settled();
    expect((await statusOf(world)).revision).toBe(2);
  });

  test.each(['Hold', 'Revoked'])('%s from the start issues nothing', async (desiredStatus) => {
    const world = await aWorld(stage);
    await world.account();
    const operator = await world.operator();
    await world.certificate('web', { desiredStatus });
    await world.pass(HOUR);
    expect(world.calls()).not.toHaveProperty('cert/new');
    expect(await reasonOf(world, 'Ready')).toBe(desiredStatus === 'Hold' ? 'OnHold' : 'Revoked');
    expect(complaints(operator)).toEqual([]);

    await change(world, { desiredStatus: null });
    await world.ready('web');
  });

  test('a held certificate is not renewed until it is good again', async () => {
    await shortLived();
    const { world, id } = await issued();
    await change(world, { desiredStatus: 'Hold' });
    await world.pass(2.5 * HOUR);
    expect(statusAtCa(stage, id)).toBe('hold');

    await change(world, { desiredStatus: 'Good' });
    await world.ready('web', (object) => object.status?.certificateId !== id);
    expect(statusAtCa(stage, id)).toBe('obsolete');
  });

  test('Revoked during a renewal without an answer revokes the certificate that it bought', async () => {
    await shortLived();
    const { world, id } = await issued();
    stage.dev.addFault({ call: 'cert/reissue', kind: 'reset-after' });
    await world.pass(2 * HOUR + 600_000);
    const reissued = stage.dev.certificates().find(({ previousId }) => previousId === id);
    expect(reissued).toBeDefined();
    await change(world, { desiredStatus: 'Revoked' });
    await world.pass(120_000);
    expect([statusAtCa(stage, id), statusAtCa(stage, reissued?.id)]).toEqual(['obsolete', 'revoked']);
    expect((await statusOf(world)).certificateId).toBe(reissued?.id);
  });

  test('Revoked waits for the CA, reports why on the certificate, and is done when it answers', async () => {
    const { world, id } = await issued();
    stage.dev.addFault({ call: 'cert/status', times: 'forever', kind: 'error', code: 'InputFailure' });
    await change(world, { desiredStatus: 'Revoked' });
    expect(await reasonOf(world, 'RevocationPending')).toBe('InputFailure');
    stage.dev.clearFaults();
    await world.pass(60_000);
    expect([statusAtCa(stage, id), await reasonOf(world, 'RevocationPending')]).toEqual([
      'revoked',
      undefined,
    ]);
  });
});

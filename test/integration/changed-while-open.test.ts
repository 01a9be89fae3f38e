import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { certificates } from '../../src/api/kinds.ts';
import type { FaultEffect } from '../../tools/dev-server/types.ts';
import { journalOf } from '../support/world/journal.ts';
import { bought, diesBeforeStatus, QUIET_MS, wanted } from '../support/world/lost-answers.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { aWorld, type World } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

/** A resource with an attempt whose answer is lost, from an issuer that marks its certificates or not. */
async function unanswered(name: string, effect: FaultEffect, isMarked: boolean): Promise<World> {
  const world = await aWorld(stage);
  stage.dev.addFault({ call: 'cert/new', ...effect });
  await world.account(isMarked ? { ownershipMarker: 'OrganizationalUnit' } : {});
  await world.operator();
  await world.certificate(name);
  await world.settled();
  return world;
}

describe('a spec that changes while an attempt is open', () => {
  test.each<
    [string, string, FaultEffect, { isMarked: boolean; becomes: 'former' | 'undecided' | 'nothing' }]
  >([
    ['something', 'some', { kind: 'reset-after' }, { isMarked: false, becomes: 'undecided' }],
    ['something with the marker', 'mark', { kind: 'reset-after' }, { isMarked: true, becomes: 'former' }],
    ['nothing', 'none', { kind: 'reset-before' }, { isMarked: false, becomes: 'nothing' }],
  ])(
    'is published once it is known that the attempt bought %s',
    async (_, name, effect, { isMarked, becomes }) => {
      const world = await unanswered(name, effect, isMarked);
      await world.patch(certificates, name, { spec: { dnsNames: [`${name}-changed.example.com`] } });
      await world.pass(QUIET_MS - 5_000);
      expect(world.calls()).toMatchObject({ 'cert/new': 1 });

      await world.pass(10_000);

      const { status } = await world.ready(name);
      const [only, ...others] = bought(stage, `${name}-changed.example.com`);
      expect(others).toEqual([]);
      expect(status?.certificateId).toBe(only?.id);
      const lost = bought(stage, `${name}.example.com`).map(({ id }) => world.named(id));
      expect(lost).toHaveLength(becomes === 'nothing' ? 0 : 1);
      // A person may have bought what carries no marker, so it is shown to one, and nothing is ever done with it.
      expect(status?.formerCertificates ?? []).toEqual(becomes === 'former' ? lost : []);
      const { released } = await journalOf(world);
      expect(released).toMatchObject(
        becomes === 'undecided' ? lost.map((each) => ({ ...each, cause: 'Undecided' })) : [],
      );
      expect(world.calls()).toMatchObject({ 'cert/new': 2 });
    },
  );

  test('is published at once if the answer came', async () => {
    const { world } = await wanted(stage, 'known', {
      call: 'cert/get',
      kind: 'error',
      code: 'UnknownError',
      status: 500,
    });
    await world.patch(certificates, 'known', { spec: { dnsNames: ['known-changed.example.com'] } });
    await world.pass(120_000);

    const { status } = await world.ready('known');
    const [first] = bought(stage, 'known.example.com');
    const [second, ...others] = bought(stage, 'known-changed.example.com');
    expect(others).toEqual([]);
    expect(status).toMatchObject({
      certificateId: second?.id,
      formerCertificates: [world.named(first?.id ?? 0)],
    });
    expect(world.calls()).toMatchObject({ 'cert/new': 2 });
  });

  test('and back again leads to another certificate than the released one', async () => {
    const { world } = await wanted(stage, 'back', { call: 'cert/new', kind: 'reset-after' });
    await world.patch(certificates, 'back', { spec: { dnsNames: ['forth.example.com'] } });
    await world.pass(QUIET_MS + 5_000);
    await world.ready('back');
    stage.dev.addFault({ call: 'cert/new', kind: 'reset-after' });

    await world.patch(certificates, 'back', { spec: { dnsNames: ['back.example.com'] } });
    await world.pass(QUIET_MS + 5_000);

    const [lost, again, ...others] = bought(stage, 'back.example.com');
    expect(others).toEqual([]);
    const { status } = await world.ready('back');
    expect(status?.certificateId).toBe(again?.id);
    const released = (await journalOf(world)).released.map(({ certificateId }) => certificateId);
    expect(released).toContain(lost?.id);
    expect(world.calls()).toMatchObject({ 'cert/new': 3 });
  });

  test('and back again while the first certificate is Ready leads to no other one', async () => {
    const { world } = await wanted(stage, 'kept');
    const { status: before } = await world.ready('kept');
    stage.dev.addFault({ call: 'cert/new', kind: 'reset-after' });
    await world.patch(certificates, 'kept', { spec: { dnsNames: ['other.example.com'] } });
    await world.settled();

    await world.patch(certificates, 'kept', { spec: { dnsNames: ['kept.example.com'] } });
    await world.pass(QUIET_MS + 5_000);

    const { status } = await world.ready('kept');
    const [given] = bought(stage, 'other.example.com');
    expect(status).toMatchObject({
      certificateId: before?.certificateId,
      attemptId: before?.attemptId,
      revision: 1,
    });
    expect(await journalOf(world)).toMatchObject({
      attempts: [],
      released: [{ certificateId: given?.id, cause: 'Undecided' }],
    });
    expect(world.calls()).toMatchObject({ 'cert/new': 2 });
  });

  test('by a crash after the Secret was written leaves what it serves as the certificate that is replaced', async () => {
    const { world, secret } = await diesBeforeStatus(stage, 'served');
    const [first] = bought(stage, 'served.example.com');
    await world.patch(certificates, 'served', {
      spec: { dnsNames: ['served-changed.example.com'], revocation: { onReplace: 'Revoke', delay: '1h' } },
    });

    await world.operator();
    await world.pass(QUIET_MS + 5_000);

    const { status } = await world.ready('served');
    const [second, ...others] = bought(stage, 'served-changed.example.com');
    expect(others).toEqual([]);
    expect(secret.metadata.annotations?.['tinycert-operator.io/certificate-id']).toBe(String(first?.id));
    expect(status).toMatchObject({
      certificateId: second?.id,
      revision: 2,
      pendingRevocations: [{ ...world.named(first?.id ?? 0), action: 'Revoke' }],
    });
    expect(world.calls()).toMatchObject({ 'cert/new': 2 });
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { certificates } from '../../src/api/kinds.ts';
import type { FaultEffect } from '../../tools/dev-server/types.ts';
import { bought, QUIET_MS, wanted } from '../support/world/lost-answers.ts';
import { type Stage, openStage } from '../support/world/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

describe('a spec that changes while an attempt is open', () => {
  test.each<[string, FaultEffect, string]>([
    ['something', { kind: 'reset-after' }, 'some'],
    ['nothing', { kind: 'reset-before' }, 'none'],
  ])('is published once it is known that the attempt bought %s', async (_, effect, name) => {
    const { world } = await wanted(stage, name, { call: 'cert/new', ...effect });
    await world.patch(certificates, name, { spec: { dnsNames: [`${name}-changed.example.com`] } });
    await world.pass(QUIET_MS - 5_000);
    expect(world.calls()).toMatchObject({ 'cert/new': 1 });

    await world.pass(10_000);

    const { status } = await world.ready(name);
    const [only, ...others] = bought(stage, `${name}-changed.example.com`);
    expect(others).toEqual([]);
    expect(status?.certificateId).toBe(only?.id);
    const former = bought(stage, `${name}.example.com`).map(({ id }) => world.named(id));
    expect(former).toHaveLength(effect.kind === 'reset-after' ? 1 : 0);
    expect(status?.formerCertificates ?? []).toEqual(former);
    expect(world.calls()).toMatchObject({ 'cert/new': 2 });
  });

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
    expect(status?.formerCertificates).toContainEqual(world.named(lost?.id ?? 0));
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
      formerCertificates: [world.named(given?.id ?? 0)],
      attempt: { outcome: 'Abandoned' },
    });
    expect(world.calls()).toMatchObject({ 'cert/new': 2 });
  });
});

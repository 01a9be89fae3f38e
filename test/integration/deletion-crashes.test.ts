import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { certificates, issuers } from '../../src/api/kinds.ts';
import { FLUSH_MS } from '../../src/journal/term.ts';
import { journalOf } from '../support/world/journal.ts';
import { QUIET_MS } from '../support/world/lost-answers.ts';
import type { TestOperator } from '../support/world/operator.ts';
import { statusAtCa, type Issued, issuedAsIs } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { type World, aWorld } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ keyPool: 8, keyPoolReuse: true });
});
afterAll(() => stage.close());

const REVOKE = { revocation: { onDelete: 'Revoke' } } as const;

/** A certificate `web` that is Ready and will be revoked with its resource. */
async function issued(): Promise<Issued> {
  const done = await issuedAsIs(stage, REVOKE);
  // Its attempt leaves the journal.
  await done.world.pass(FLUSH_MS);
  return done;
}

/** Requests the deletion of `web`, without waiting for its end. */
function begin(world: World): Promise<void> {
  return stage.kube.delete(certificates, world.ref('web'));
}

async function exists(world: World): Promise<boolean> {
  return (await stage.kube.find(certificates, world.ref('web'))) !== undefined;
}

describe('an operator that dies', () => {
  async function die(operator: TestOperator): Promise<void> {
    await operator.stop('by force').catch(() => undefined);
  }

  test('right after it added the finalizer leaves nothing undone by the next one', async () => {
    const world = await aWorld(stage);
    await world.account();
    const operator = await world.operator();
    let dead: Promise<void> | undefined;
    operator.traffic.onAnswer = ({ method, resource }) => {
      if (method === 'PATCH' && resource === 'tinycertcertificates') dead ??= die(operator);
    };
    await world.certificate('web', REVOKE);
    await operator.ended.catch(() => undefined);
    expect((await world.get(certificates, 'web')).metadata.finalizers).toHaveLength(1);
    expect(world.calls()).not.toHaveProperty('cert/new');

    await begin(world);
    await world.operator();
    await world.settled();

    expect(await exists(world)).toBe(false);
    expect(world.calls()).not.toHaveProperty('cert/status');
  });

  test.each(['before', 'after'] as const)(
    'at the revocation, %s the CA has acted, is followed by one that completes it',
    async (when) => {
      const { world, operator, id } = await issued();
      stage.dev.addFault({ call: 'cert/status', kind: 'hold', when });
      await begin(world);
      await world.call(({ call, fault }) => call === 'cert/status' && fault === 'hold');
      await die(operator);
      stage.dev.release();
      expect(await exists(world)).toBe(true);

      await world.operator();
      await world.settled();

      expect([await exists(world), statusAtCa(stage, id)]).toEqual([false, 'revoked']);
    },
  );

  test('before the attempt of a certificate has left the journal is followed by one that revokes it, and buys nothing', async () => {
    const { world, operator, id } = await issuedAsIs(stage, REVOKE);
    await die(operator);
    await begin(world);

    await world.operator();
    await world.pass(QUIET_MS + 5_000);

    expect([await exists(world), statusAtCa(stage, id)]).toEqual([false, 'revoked']);
    expect(await journalOf(world)).toMatchObject({
      attempts: [],
      released: [{ certificateId: id }],
      abandoned: [],
    });
    expect(world.calls()).toMatchObject({ 'cert/new': 1 });
  });

  test('while it waits for a CA that is down is followed by one that continues to wait', async () => {
    const { world, operator, id } = await issued();
    await stage.dev.setOptions({ listening: false });
    await begin(world);
    await world.pass(60_000);
    await die(operator);
    await world.operator();
    await world.pass(15 * 60_000);
    expect([await exists(world), statusAtCa(stage, id)]).toEqual([true, 'good']);

    await stage.dev.setOptions({ listening: true });
    await world.pass(120_000);

    expect([await exists(world), statusAtCa(stage, id)]).toEqual([false, 'revoked']);
  });

  test('as it removes the finalizer is followed by one that has nothing to do', async () => {
    const { world, operator, id } = await issued();
    let dead: Promise<void> | undefined;
    operator.traffic.onAnswer = ({ method, resource }) => {
      if (method === 'PATCH' && resource === 'tinycertcertificates') dead ??= die(operator);
    };
    await begin(world);
    await operator.ended.catch(() => undefined);
    const mark = world.mark();

    await world.operator();
    await world.pass(60_000);

    expect([await exists(world), statusAtCa(stage, id)]).toEqual([false, 'revoked']);
    expect(world.calls(mark)).not.toHaveProperty('cert/status');
    expect((await world.get(issuers, 'ca')).metadata.finalizers ?? []).toEqual([]);
  });
});

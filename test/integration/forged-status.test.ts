import { afterAll, beforeAll, expect, test } from 'vitest';
import { specHash } from '../../src/api/effective.ts';
import { certificates } from '../../src/api/kinds.ts';
import { secrets } from '../../src/kube/objects.ts';
import { filesOf } from '../support/openssl.ts';
import { type Stage, openStage } from '../support/stage.ts';
import { type World, aWorld } from '../support/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

/** A certificate of somebody, and a resource of somebody else whose status claims it. */
async function forged(attempt: 'Reissue' | 'Secret is gone'): Promise<{ world: World; victim: number }> {
  const world = await aWorld(stage);
  await world.account();
  const first = await world.operator();
  await world.certificate('victim');
  const victim = (await world.ready('victim')).status?.certificateId ?? 0;
  await first.stop();
  await world.certificate('thief');
  const { spec } = await stage.kube.get(certificates, world.ref('thief'));
  const open = {
    number: 1,
    id: 'forged',
    operation: 'Reissue',
    holder: 'nobody',
    startTime: '2026-01-01T00:00:00.000Z',
    specHash: specHash(spec),
    commonName: 'thief.example.com',
    requestHash: 'v1:x',
    since: '2026-01-01T00:00:00.000Z',
    previousId: victim,
    afterId: 0,
    authorityId: stage.dev.authorityId,
  };
  const status = {
    certificateId: victim,
    authorityId: stage.dev.authorityId,
    specHash: attempt === 'Reissue' ? specHash(spec) : 'v1:other',
    ...(attempt === 'Reissue' ? { attempt: open } : {}),
  };
  await stage.kube.mergePatch(certificates, world.ref('thief'), { status }, { subresource: 'status' });
  await world.operator();
  await stage.clock.skip(120_000);
  await world.settled();
  return { world, victim };
}

test.each(['Reissue', 'Secret is gone'] as const)(
  'a status that claims the certificate of another gets a certificate of its own: %s',
  async (attempt) => {
    const { world, victim } = await forged(attempt);

    const { status } = await world.ready('thief');
    expect(status?.certificateId).not.toBe(victim);
    expect(world.calls()).not.toHaveProperty('cert/reissue');
    expect(stage.dev.certificates().find(({ id }) => id === victim)?.status).toBe('good');
    const theirs = filesOf(await world.get(secrets, 'victim-tls'));
    expect(filesOf(await world.get(secrets, 'thief-tls')).key).not.toBe(theirs.key);
  },
);

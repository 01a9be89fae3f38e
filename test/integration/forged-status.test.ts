import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { specHash } from '../../src/api/tinycert/effective.ts';
import { certificates } from '../../src/api/kinds.ts';
import { type Secret, secrets } from '../../src/kube/objects.ts';
import { filesOf } from '../support/x509/openssl.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { makeCa } from '../support/x509/throwaway-ca.ts';
import { type Recording, record as recordVersions } from '../support/kube/watching.ts';
import { type World, aWorld } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

/** A victim's certificate, and another resource whose status claims it. */
async function forged(attempt: 'Reissue' | 'Secret is gone'): Promise<{ world: World; victim: number }> {
  const world = await aWorld(stage);
  await world.account();
  const first = await world.operator();
  await world.certificate('victim');
  const victim = (await world.ready('victim')).status?.certificateId ?? 0;
  await first.stop();
  await world.certificate('thief');
  const { spec } = await stage.kube.get(certificates, world.ref('thief'));
  const { account, authorityId } = world.named(victim);
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
    account,
    authorityId,
  };
  const status = {
    ...world.named(victim),
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

describe('a Secret whose annotation claims the certificate of another never gets its key:', () => {
  const ID = 'tinycert-operator.io/certificate-id';

  /** A victim and a thief with a certificate each; then the thief forges while no operator runs. */
  async function afterTheft(
    steal: (world: World, victim: number, files: Record<string, string>) => Promise<unknown>,
  ): Promise<{ world: World; victim: number; seen: Recording<Secret> }> {
    const world = await aWorld(stage);
    await world.account();
    const first = await world.operator();
    await world.certificate('victim');
    await world.certificate('thief');
    const victim = (await world.ready('victim')).status?.certificateId ?? 0;
    await world.ready('thief');
    await world.settled();
    await first.stop();
    const annotations = { [ID]: String(victim) };
    await world.patch(secrets, 'thief-tls', { metadata: { annotations } });
    await steal(world, victim, (await world.get(secrets, 'victim-tls')).data ?? {});
    const seen = recordVersions(stage.kube, secrets, world.namespace);
    await world.operator();
    await world.pass(120_000);
    await seen.stop(world.ref('thief-tls'));
    return { world, victim, seen };
  }

  const recreate = async (world: World): Promise<unknown> => {
    await world.delete(certificates, 'thief');
    return world.certificate('thief');
  };
  const edit = (world: World, status: object) => world.patch(certificates, 'thief', { status }, 'status');

  test.each<[string, Parameters<typeof afterTheft>[0], 'Ready' | 'SealBroken']>([
    ['with a status that is sealed', () => Promise.resolve(), 'Ready'],
    ['for a resource that was created again', recreate, 'Ready'],
    [
      'for a resource that was created again, beside the certificate itself',
      async (world, _, files) => {
        await world.patch(secrets, 'thief-tls', { data: { 'tls.crt': files['tls.crt'] } });
        return recreate(world);
      },
      'Ready',
    ],
    [
      'beside the certificate itself, with a status that is sealed',
      (world, _, files) => world.patch(secrets, 'thief-tls', { data: { 'tls.crt': files['tls.crt'] } }),
      'Ready',
    ],
    [
      'with a status that claims it too',
      (world, victim) => edit(world, { ...world.named(victim), serialNumber: 'ff', attempt: null }),
      'SealBroken',
    ],
    [
      'beside a certificate of the thief’s own making, whose serial number and end the status repeats',
      async (world, victim) => {
        const folder = await mkdtemp(join(tmpdir(), 'thief-'));
        onTestFinished(() => rm(folder, { recursive: true }));
        const ca = await makeCa(folder, 'thief');
        const made = await ca.issue('thief.example.com');
        const data = { 'tls.crt': btoa(made.cert), 'tls.key': btoa(made.key), 'ca.crt': btoa(ca.cert) };
        await world.patch(secrets, 'thief-tls', { data });
        const { serialNumber, validFrom, validTo } = new X509Certificate(made.cert);
        const utc = (text: string): string => `${new Date(text).toISOString().slice(0, 19)}Z`;
        const dates = { notBefore: utc(validFrom), notAfter: utc(validTo) };
        return edit(world, {
          ...dates,
          ...world.named(victim),
          serialNumber: serialNumber.toLowerCase(),
          attempt: null,
        });
      },
      'SealBroken',
    ],
    [
      'with a status that claims it and asks for other names',
      (world, victim) => edit(world, { ...world.named(victim), specHash: 'v1:other' }),
      'Ready',
    ],
  ])('%s', async (_, steal, ends) => {
    const { world, victim, seen } = await afterTheft(steal);

    const reasons = (await world.says(certificates, 'thief')).map((line) => line.split(/[ :]/)[1]);
    expect(reasons[0]).toBe(ends);
    const { status } = await world.get(certificates, 'thief');
    // A forged status without proof stays as it is, and the operator does not act on it.
    expect(status?.certificateId === victim).toBe(ends === 'SealBroken');
    const stolen = filesOf(await world.get(secrets, 'victim-tls')).key;
    const keys = seen.events
      .filter(({ object }) => object.metadata.name === 'thief-tls')
      .map(({ object }) => filesOf(object).key);
    expect(keys).not.toContain(stolen);
    expect(stage.dev.certificates().find(({ id }) => id === victim)?.status).toBe('good');
    expect(world.calls()).not.toHaveProperty('cert/reissue');
  });
});

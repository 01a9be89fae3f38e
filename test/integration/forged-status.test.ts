import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { specHash } from '../../src/api/tinycert/effective.ts';
import { certificates } from '../../src/api/kinds.ts';
import { rfc3339 } from '../../src/issuance/status/conditions.ts';
import { FLUSH_MS } from '../../src/journal/term.ts';
import { type Secret, secrets } from '../../src/kube/objects.ts';
import { filesOf } from '../support/x509/openssl.ts';
import { journalOf } from '../support/world/journal.ts';
import { expectBoughtOnce, QUIET_MS, wanted } from '../support/world/lost-answers.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { makeCa } from '../support/x509/throwaway-ca.ts';
import { type Recording, record as recordVersions } from '../support/kube/watching.ts';
import type { TestOperator } from '../support/world/operator.ts';
import { type World, aWorld } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

/** A victim's certificate, and another resource whose status claims it. */
async function forged(need: 'renewal is due' | 'Secret is gone'): Promise<{ world: World; victim: number }> {
  const world = await aWorld(stage);
  await world.account();
  const first = await world.operator();
  await world.certificate('victim');
  const { status: theirs } = await world.ready('victim');
  const victim = theirs?.certificateId ?? 0;
  await first.stop();
  await world.certificate('thief');
  const { spec } = await stage.kube.get(certificates, world.ref('thief'));
  const due = {
    specHash: specHash(spec),
    attemptId: theirs?.attemptId,
    certificateStatus: 'good',
    notBefore: theirs?.notBefore,
    notAfter: rfc3339(stage.clock.now() + 60_000),
    revision: 1,
  };
  const status = {
    ...world.named(victim),
    ...(need === 'renewal is due' ? due : { specHash: 'v1:other' }),
  };
  await stage.kube.mergePatch(certificates, world.ref('thief'), { status }, { subresource: 'status' });
  await world.operator();
  await stage.clock.skip(120_000);
  await world.settled();
  return { world, victim };
}

test.each(['renewal is due', 'Secret is gone'] as const)(
  'a status that claims the certificate of another gets a certificate of its own: %s',
  async (need) => {
    const { world, victim } = await forged(need);

    const { status } = await world.ready('thief');
    expect(status?.certificateId).not.toBe(victim);
    expect(world.calls()).not.toHaveProperty('cert/reissue');
    expect(stage.dev.certificates().find(({ id }) => id === victim)?.status).toBe('good');
    const theirs = filesOf(await world.get(secrets, 'victim-tls'));
    expect(filesOf(await world.get(secrets, 'thief-tls')).key).not.toBe(theirs.key);
  },
);

test('a status that names an open attempt without the seal does not end it', async () => {
  const { world } = await wanted(stage, 'open', { call: 'cert/new', kind: 'reset-after' });
  const [attempt] = (await journalOf(world)).attempts;
  await world.patch(certificates, 'open', { status: { attemptId: attempt?.id } }, 'status');
  await world.settled();
  expect((await journalOf(world)).attempts).toMatchObject([{ id: attempt?.id }]);

  await world.pass(QUIET_MS + 5_000);

  await expectBoughtOnce(world, 'open');
});

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
      (world, victim) => edit(world, { ...world.named(victim), serialNumber: 'ff', attemptId: null }),
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
          attemptId: null,
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

describe('an earlier status of its own that a tenant puts back, seal included, gets nobody else’s certificate:', () => {
  /**
   * A tenant whose certificate was replaced, and somebody else with one for the same names. `dies`: the operator died before it
   * removed the attempt from the journal. Then nobody else asks for the same, so that a recovery can tell whose it is.
   */
  async function replaced(dies = false): Promise<{
    world: World;
    operator: TestOperator;
    theirs: number;
    own: number;
    putBack: () => Promise<unknown>;
  }> {
    const world = await aWorld(stage);
    await world.account();
    const operator = await world.operator();
    const shared = { dnsNames: ['shared.example.com'] };
    await world.certificate('other', shared);
    const theirs = (await world.ready('other')).status?.certificateId ?? 0;
    await world.certificate('tenant');
    const { status: earlier = {} } = await world.ready('tenant');
    await world.pass(FLUSH_MS);
    let died: Promise<void> | undefined;
    operator.traffic.onAnswer = ({ method, resource }) => {
      if (dies && method === 'PATCH' && resource === 'tinycertcertificates/status')
        died ??= operator.stop('by force').catch(() => undefined);
    };
    const spec = dies ? { dnsNames: ['later.example.com'] } : shared;
    await world.patch(certificates, 'tenant', { spec });
    const later = await world.ready('tenant');
    await died;
    await world.pass(FLUSH_MS);
    const putBack = (): Promise<unknown> => {
      const gone = Object.keys(later.status ?? {}).filter((field) => !(field in earlier));
      const removed = Object.fromEntries(gone.map((field) => [field, null]));
      return world.patch(certificates, 'tenant', { status: { ...removed, ...earlier } }, 'status');
    };
    return { world, operator, theirs, own: later.status?.certificateId ?? 0, putBack };
  }

  /** Checks that the tenant has a certificate of its own, and that no version of its Secret had the other's key. */
  async function expectOwn(world: World, theirs: number, seen: Recording<Secret>): Promise<number> {
    await seen.stop(world.ref('tenant-tls'));
    const { status } = await world.ready('tenant');
    expect(status?.certificateId).not.toBe(theirs);
    expect((await world.ready('other')).status?.certificateId).toBe(theirs);
    const { key } = filesOf(await world.get(secrets, 'other-tls'));
    const keys = seen.events
      .filter(({ object }) => object.metadata.name === 'tenant-tls')
      .map(({ object }) => filesOf(object).key);
    expect(keys).not.toContain(key);
    expect(stage.dev.certificates().find(({ id }) => id === theirs)?.status).toBe('good');
    return status?.certificateId ?? 0;
  }

  test.each([
    ['while an operator runs', true, false],
    ['while none runs', false, false],
    ['while an operator runs, without its Secret', true, true],
    ['while none runs, without its Secret', false, true],
  ])('%s, and at most one is bought', async (_, runs, deletes) => {
    const { world, operator, theirs, own, putBack } = await replaced();
    if (!runs) await operator.stop();
    const seen = recordVersions(stage.kube, secrets, world.namespace);
    const mark = world.mark();

    if (deletes) await world.delete(secrets, 'tenant-tls');
    await putBack();
    if (!runs) await world.operator();
    await world.pass(120_000);

    const id = await expectOwn(world, theirs, seen);
    const { 'cert/new': bought = 0 } = world.calls(mark);
    expect(bought).toBeLessThanOrEqual(1);
    expect(id).toBe(bought === 0 ? own : stage.dev.certificates().at(-1)?.id);
    expect(world.calls(mark)).not.toHaveProperty('cert/reissue');
  });

  test('before its attempt has left the journal, and what that bought is found', async () => {
    const { world, theirs, own, putBack } = await replaced(true);
    expect((await journalOf(world)).attempts).toMatchObject([{ operation: 'New', revision: 2 }]);
    await world.delete(secrets, 'tenant-tls');
    await putBack();
    const seen = recordVersions(stage.kube, secrets, world.namespace);
    const mark = world.mark();

    await world.operator();
    await world.pass(QUIET_MS + 5_000);

    expect(await expectOwn(world, theirs, seen)).toBe(own);
    expect(world.calls(mark)).not.toHaveProperty('cert/new');
    expect((await journalOf(world)).attempts).toEqual([]);
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accountDigest } from '../../src/api/tinycert/identity.ts';
import { certificates, issuers } from '../../src/api/kinds.ts';
import { IssuerReleasedStore } from '../../src/issuance/tinycert/released-store.ts';
import type { Released } from '../../src/issuance/tinycert/released.ts';
import { keyOf } from '../../src/kube/objects.ts';
import { fitting } from '../support/world/crds.ts';
import { complaints } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { type World, aWorld } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ keyPool: 4, keyPoolReuse: true });
});
afterAll(() => stage.close());

const { signal } = new AbortController();

function records({ namespace }: World): IssuerReleasedStore {
  return new IssuerReleasedStore({
    kube: stage.kube,
    crds: fitting,
    listIssuers: async () => {
      const { items } = await stage.kube.listAll(issuers, { namespace });
      return items.map((issuer) => ({ key: `TinyCertIssuer:${keyOf(issuer)}`, issuer }));
    },
  });
}

const authority = { account: accountDigest('https://ca.example.com/', 'ops@example.com'), authorityId: 1 };

function released(certificateId: number, of = authority): Released {
  return { ...of, certificateId, cause: 'Deleted', name: 'web', releaseTime: '2026-01-01T00:00:00Z' };
}

function ids(list: readonly Released[] | undefined): number[] | undefined {
  return list?.map(({ certificateId }) => certificateId).sort((a, b) => a - b);
}

describe('a released certificate', () => {
  test('of many resources at once takes few writes on the issuer, and all are there when the resources continue', async () => {
    const world = await aWorld(stage);
    await world.account();
    const memory = records(world);
    const key = `TinyCertIssuer:${world.namespace}/ca`;
    const before = Number((await world.get(issuers, 'ca')).metadata.generation);
    const numbers = Array.from({ length: 200 }, (_, i) => i + 1);
    const versions = new Set<string | undefined>();

    await Promise.all(
      numbers.map(async (id) => {
        await memory.add(key, { released: [released(id)] }, signal);
        const { metadata, status } = await world.get(issuers, 'ca');
        versions.add(metadata.resourceVersion);
        expect(ids(status?.released)).toContain(id);
      }),
    );

    const { metadata, status } = await world.get(issuers, 'ca');
    expect(ids(status?.released)).toEqual(numbers);
    expect(versions.size).toBeLessThanOrEqual(2);
    expect(metadata.generation).toBe(before);
  });

  test('is neither lost when somebody else writes the same status, nor written twice', async () => {
    const world = await aWorld(stage);
    await world.account();
    const key = `TinyCertIssuer:${world.namespace}/ca`;
    // Two processes that know nothing of each other.
    const [first, second] = [records(world), records(world)];
    await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        (i % 2 === 0 ? first : second).add(key, { released: [released(i + 1)] }, signal),
      ),
    );
    const written = await world.get(issuers, 'ca');
    expect(written.status?.released).toHaveLength(40);

    await first.add(key, { released: [released(7)] }, signal);
    expect((await world.get(issuers, 'ca')).metadata.resourceVersion).toBe(written.metadata.resourceVersion);
  });

  test('is read from all issuers, for the authority that it names and for no other', async () => {
    const world = await aWorld(stage);
    await world.account();
    await world.create(issuers, 'same', { spec: (await world.get(issuers, 'ca')).spec });
    await world.create(issuers, 'other', { spec: (await world.get(issuers, 'ca')).spec });
    const memory = records(world);
    const second = { ...authority, authorityId: 2 };
    // Another account, which numbers its authorities and certificates alike.
    const elsewhere = { ...authority, account: accountDigest('https://ca.example.com/', 'dev@example.com') };
    const add = (name: string, ...all: Released[]) =>
      memory.add(`TinyCertIssuer:${world.namespace}/${name}`, { released: all }, signal);
    await add('ca', released(1), released(1, elsewhere));
    await add('same', released(2));
    await add('other', released(3, second), released(4));

    expect(ids((await memory.read(authority, signal)).released)).toEqual([1, 2, 4]);
    expect(ids((await memory.read(second, signal)).released)).toEqual([3]);
    expect(ids((await memory.read(elsewhere, signal)).released)).toEqual([1]);
  });

  test('cannot be recorded on an issuer that is gone', async () => {
    const world = await aWorld(stage);
    const gone = records(world).add(
      `TinyCertIssuer:${world.namespace}/ca`,
      { released: [released(1)] },
      signal,
    );
    await expect(gone).resolves.toBeUndefined();
  });
});

describe('resources that disappear', () => {
  test('have their certificates recorded on the issuer, in few writes', async () => {
    const world = await aWorld(stage);
    await world.account();
    const operator = await world.operator();
    const names = Array.from({ length: 30 }, (_, i) => `web-${i}`);
    await Promise.all(names.map((name) => world.certificate(name)));
    const issued = await Promise.all(names.map((name) => world.ready(name)));
    await world.settled();

    const tally = world.tally(operator);
    await Promise.all(names.map((name) => world.delete(certificates, name)));
    await world.pass(5_000);

    const { status } = await world.get(issuers, 'ca');
    const wanted = issued.map((certificate) => certificate.status?.certificateId ?? 0);
    expect(ids(status?.released)).toEqual(wanted.sort((a, b) => a - b));
    expect(status?.released?.[0]).toMatchObject({ namespace: world.namespace, cause: 'Deleted' });
    expect(tally().writes['PATCH tinycertissuers/status']).toBeLessThanOrEqual(3);
    expect(complaints(operator)).toEqual([]);
  });

  test('with an open attempt have the attempt recorded too', async () => {
    const world = await aWorld(stage);
    await world.account();
    await world.operator();
    stage.dev.addFault({ call: 'cert/new', kind: 'reset-after' });
    await world.certificate('open');
    await world.settled();
    const attempt = (await world.get(certificates, 'open')).status?.attempt;
    await world.delete(certificates, 'open');

    await world.pass(5_000);

    const { status } = await world.get(issuers, 'ca');
    expect(status?.released).toBeUndefined();
    expect(status?.abandoned).toMatchObject([
      {
        attemptId: attempt?.id,
        name: 'open',
        commonName: 'open.example.com',
        afterId: attempt?.afterId,
        requestHash: attempt?.requestHash,
        since: attempt?.since,
      },
    ]);
  });

  test('have nothing recorded from a status that somebody else wrote', async () => {
    const world = await aWorld(stage);
    await world.account();
    const operator = await world.operator();
    await world.certificate('web');
    await world.ready('web');
    await operator.stop();
    await world.patch(certificates, 'web', { status: world.named(4711) }, 'status');
    await world.operator();
    await world.settled();
    await world.delete(certificates, 'web');

    await world.pass(5_000);

    const { status } = await world.get(issuers, 'ca');
    expect(status?.released).toBeUndefined();
  });
});

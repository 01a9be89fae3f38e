import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import type { KubeClient } from '../../src/kube/client.ts';
import { isNotFound } from '../../src/kube/errors.ts';
import { type Secret, secrets } from '../../src/kube/objects.ts';
import { type StoreEvent } from '../../src/kube/watch/store.ts';
import { type WatchEvent, watchObjects } from '../../src/kube/watch/watch.ts';
import { controlPlane } from '../support/world/control-plane.ts';
import { failureOf } from '../support/kube/transport-setup.ts';
import {
  clientOf,
  type ConfigMap,
  configMaps,
  follow,
  forever,
  makeMap,
  makeNamespace,
  things,
  until,
  versionsAtServer,
  versionsOf,
} from '../support/kube/kube-runtime.ts';

describe('on a running API server', () => {
  let client: KubeClient;
  let namespace: string;
  beforeEach(async () => {
    client = await clientOf(controlPlane().kubeconfig);
    namespace = await makeNamespace(client);
  });

  test('the client reads what it has written, and errors have the codes that callers branch on', async () => {
    const ref = { namespace, name: 'one' };
    const created = await makeMap(client, namespace, 'one');
    const { uid, resourceVersion } = created.metadata;

    expect(await client.get(configMaps, ref)).toEqual(created);
    expect(await client.findMetadata(configMaps, ref)).toMatchObject({
      kind: 'ConfigMap',
      metadata: { uid, resourceVersion },
    });
    expect(await failureOf(makeMap(client, namespace, 'one'))).toMatchObject({
      status: 409,
      reason: 'AlreadyExists',
    });

    const changed = await client.mergePatch(configMaps, ref, {
      metadata: { resourceVersion },
      data: { value: null, other: 'b' },
    });
    expect(changed.data).toEqual({ other: 'b' });
    const stale = client.mergePatch(configMaps, ref, { metadata: { resourceVersion }, data: { value: 'c' } });
    expect(await failureOf(stale)).toMatchObject({ status: 409, reason: 'Conflict' });
    expect(await failureOf(client.update(configMaps, created))).toMatchObject({
      status: 409,
      reason: 'Conflict',
    });
    const unknown = client.mergePatch(configMaps, ref, { nonsense: 1 }, { fieldValidation: 'Strict' });
    expect(await failureOf(unknown)).toMatchObject({ status: 422, reason: 'Invalid' });

    expect(await failureOf(client.delete(configMaps, ref, { uid: 'another' }))).toMatchObject({
      status: 409,
    });
    await client.delete(configMaps, ref, uid === undefined ? {} : { uid });
    expect(await client.find(configMaps, ref)).toBeUndefined();
    expect(await client.findMetadata(configMaps, ref)).toBeUndefined();
    expect(isNotFound(await failureOf(client.delete(configMaps, ref)))).toBe(true);
  });

  test('an informer lists several pages and then follows every change', async () => {
    const names = Array.from({ length: 1100 }, (_, i) => `map-${i}`);
    await Promise.all(names.map((name) => makeMap(client, namespace, name)));

    const { store } = follow(client, configMaps, { namespaces: [namespace] });
    await store.whenSynced(forever);
    expect(versionsOf(store.values()).size).toBe(1100);

    await Promise.all([
      ...names.slice(0, 50).map((name) => client.delete(configMaps, { namespace, name })),
      ...names
        .slice(50, 100)
        .map((name) => client.mergePatch(configMaps, { namespace, name }, { data: { value: 'b' } })),
      ...names.slice(0, 50).map((name) => makeMap(client, namespace, `new-${name}`)),
    ]);
    const wanted = await versionsAtServer(client, namespace);
    await until(
      () =>
        store.get(`${namespace}/map-99`)?.data?.['value'] === 'b' && versionsOf(store.values()).size === 1100,
    );
    await until(() => JSON.stringify([...versionsOf(store.values())]) === JSON.stringify([...wanted]));

    const held = store.get(`${namespace}/map-99`);
    expect(held).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
    expect(held?.metadata).not.toHaveProperty('managedFields');
  });

  test('the answer to a write of a Secret can omit its data', async () => {
    const ref = { namespace, name: 'bare' };
    const options = { metadataOnly: true };

    const created = await client.create(secrets, { metadata: ref, data: { a: 'c2VjcmV0' } }, options);
    const patched = await client.mergePatch(secrets, ref, { data: { b: 'c2VjcmV0' } }, options);

    expect(JSON.stringify([created, patched])).not.toContain('c2VjcmV0');
    const { metadata, data } = await client.get(secrets, ref);
    expect(patched.metadata).toMatchObject({
      uid: created.metadata.uid,
      resourceVersion: metadata.resourceVersion,
    });
    expect(data).toEqual({ a: 'c2VjcmV0', b: 'c2VjcmV0' });
  });

  test('a Secret watched as metadata has no data, has the version of the write, and counts as deleted without its label', async () => {
    const ref = { namespace, name: 'tls' };
    const informer = follow<Secret>(client, secrets, { labelSelector: 'watched=yes', metadataOnly: true });
    await informer.store.whenSynced(forever);
    const mine = (): StoreEvent<Secret>[] => informer.events.filter(({ key }) => key === `${namespace}/tls`);

    await client.create(secrets, {
      metadata: { ...ref, labels: { watched: 'yes' } },
      data: { a: 'c2VjcmV0' },
    });
    const written = await client.mergePatch(secrets, ref, { data: { b: 'c2VjcmV0' } });
    await until(() => mine().length >= 2);
    expect(informer.store.get(`${namespace}/tls`)?.metadata.resourceVersion).toBe(
      written.metadata.resourceVersion,
    );
    await client.mergePatch(secrets, ref, { metadata: { labels: { watched: null } } });
    await until(() => mine().length >= 3);

    expect(mine().map(({ type }) => type)).toEqual(['apply', 'apply', 'delete']);
    expect(mine().every(({ object }) => object.kind === 'Secret')).toBe(true);
    expect(JSON.stringify(informer.events)).not.toContain('c2VjcmV0');
  });

  test('the server sends a bookmark before it ends a watch, and a watch from there has no events', async () => {
    const elsewhere = await makeNamespace(client);
    const { resourceVersion } = await client.list(configMaps, { namespace, limit: 1 });
    const watch = async (from: string): Promise<WatchEvent<ConfigMap>[]> => {
      const events: WatchEvent<ConfigMap>[] = [];
      const opened = Promise.withResolvers<void>();
      const options = {
        namespace,
        resourceVersion: from,
        timeoutSeconds: 4,
        idleMs: 60_000,
        signal: forever,
      };
      const done = watchObjects(client.transport, configMaps, options, {
        opened: () => opened.resolve(),
        event: (event) => events.push(event),
      });
      // A bookmark comes only if other objects of the kind have changed, outside this namespace.
      await opened.promise;
      await makeMap(client, elsewhere, `map-${randomUUID()}`);
      await done;
      return events;
    };

    await makeMap(client, namespace, 'one');
    const first = await watch(resourceVersion);
    const bookmark = first.at(-1);
    const second = await watch(bookmark?.type === 'BOOKMARK' ? bookmark.resourceVersion : resourceVersion);

    expect(first.flatMap((event) => (event.type === 'ADDED' ? event.object.metadata.name : []))).toContain(
      'one',
    );
    expect(first.at(-1)?.type).toBe('BOOKMARK');
    expect(new Set(second.map(({ type }) => type))).toEqual(new Set(['BOOKMARK']));
  });

  test('a kind that is not installed is NotFound', async () => {
    const informer = follow(client, things);

    await until(() => informer.lastError !== undefined);

    expect(isNotFound(informer.lastError)).toBe(true);
    expect(informer.store.synced).toBe(false);
  });
});

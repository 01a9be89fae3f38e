import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach } from 'vitest';
import { KubeClient } from '../../../src/kube/client.ts';
import { connect } from '../../../src/kube/config/credentials.ts';
import { type Informer, type InformerOptions, startInformer } from '../../../src/kube/watch/informer.ts';
import { type KubeObject, type ResourceType } from '../../../src/kube/objects.ts';
import { type StoreEvent } from '../../../src/kube/watch/store.ts';
import { Transport } from '../../../src/kube/transport/transport.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { silentLog } from '../../../src/lib/log.ts';

export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

export const configMaps: ResourceType<ConfigMap> = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};
export const namespaces: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
};
export const things: ResourceType = {
  group: 'example.org',
  version: 'v1',
  plural: 'things',
  kind: 'Thing',
  namespaced: true,
};

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A client for the kubeconfig; its transport is closed after the test. */
export async function clientOf(kubeconfig: string): Promise<KubeClient> {
  const connection = await connect({ kubeconfig, clock: systemClock });
  const transport = new Transport({ connection, clock: systemClock, userAgent: 'tests/1' });
  ends.push(() => transport.close());
  return new KubeClient(transport, { fieldManager: 'tests' });
}

/** A namespace of its own for a test; returns its name. */
export async function makeNamespace(client: KubeClient): Promise<string> {
  const name = `runtime-${randomUUID().slice(0, 8)}`;
  await client.create(namespaces, { metadata: { name } });
  return name;
}

/** An informer that keeps whole objects and records its events; it ends with the test. */
export function follow<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType<T>,
  options: Partial<InformerOptions<T, T>> = {},
): Informer<T> & { events: StoreEvent<T>[] } {
  const controller = new AbortController();
  const informer = startInformer<T, T>({
    client,
    type,
    project: (object) => object,
    clock: systemClock,
    log: silentLog,
    signal: controller.signal,
    ...options,
  });
  const events: StoreEvent<T>[] = [];
  informer.store.subscribe((event) => events.push(event));
  ends.push(async () => {
    controller.abort();
    await informer.done;
  });
  return Object.assign(informer, { events });
}

/** Waits for something that must come; the only other end is the test's time limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}

/** A signal that never aborts: the test's time limit is the only end. */
export const forever = new AbortController().signal;

/** Creates a ConfigMap. */
export function makeMap(
  client: KubeClient,
  namespace: string,
  name: string,
  value = 'a',
): Promise<ConfigMap> {
  return client.create(configMaps, { metadata: { namespace, name }, data: { value } });
}

/** The names in a namespace and their versions, without objects of the API server itself. */
export async function versionsAtServer(
  client: KubeClient,
  namespace: string,
): Promise<Map<string, string | undefined>> {
  const { items } = await client.listAll(configMaps, { namespace });
  return versionsOf(items);
}

/** Names and versions in order. */
export function versionsOf(maps: Iterable<ConfigMap>): Map<string, string | undefined> {
  return new Map(
    [...maps]
      .filter(({ metadata }) => metadata.name !== 'kube-root-ca.crt')
      .map(({ metadata }): [string, string | undefined] => [metadata.name, metadata.resourceVersion])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

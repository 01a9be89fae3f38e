import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Page, KubeClient } from '../../src/kube/client.ts';
import { isExpired, isForbidden } from '../../src/kube/errors.ts';
import { Reflector } from '../../src/kube/watch/reflector.ts';
import { Store } from '../../src/kube/watch/store.ts';
import { watchObjects } from '../../src/kube/watch/watch.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { type ControlPlane, startControlPlane } from '../../tools/control-plane/index.ts';
import { failureOf } from '../support/kube/transport-setup.ts';
import {
  clientOf,
  type ConfigMap,
  configMaps,
  follow,
  forever,
  makeMap,
  makeNamespace,
  until,
  versionsAtServer,
  versionsOf,
} from '../support/kube/kube-runtime.ts';

describe('on an API server that is killed, restarted and compacted', () => {
  let plane: ControlPlane;
  let client: KubeClient;
  let namespace: string;
  beforeAll(async () => {
    plane = await startControlPlane({ extraApiServerArgs: ['--etcd-compaction-interval=1s'] });
  });
  afterAll(() => plane.stop());
  beforeEach(async () => {
    client = await clientOf(plane.kubeconfig);
    namespace = await makeNamespace(client);
  });

  /** Waits until nothing can be read at `resourceVersion` any more; compaction needs writes to go on. */
  async function untilCompacted(resourceVersion: string): Promise<void> {
    let writes = 0;
    await until(async () => {
      writes += 1;
      await client.mergePatch(configMaps, { namespace, name: 'busy' }, { data: { writes: String(writes) } });
      const old = client.list(configMaps, {
        namespace,
        resourceVersion,
        resourceVersionMatch: 'Exact',
        limit: 1,
      });
      return old.then(() => false, isExpired);
    });
  }

  test.each(['apiServer', 'etcd'] as const)(
    'an informer is correct again after %s was killed',
    async (part) => {
      await makeMap(client, namespace, 'kept');
      await makeMap(client, namespace, 'gone');
      const { store, events } = follow(client, configMaps, { namespaces: [namespace] });
      await store.whenSynced(forever);

      if (part === 'etcd') await plane.restartEtcd({ signal: 'SIGKILL' });
      else await plane.restartApiServer({ signal: 'SIGKILL' });
      await client.delete(configMaps, { namespace, name: 'gone' });
      await makeMap(client, namespace, 'new');
      await until(
        () => store.get(`${namespace}/new`) !== undefined && store.get(`${namespace}/gone`) === undefined,
      );

      expect(versionsOf(store.values())).toEqual(await versionsAtServer(client, namespace));
      expect(events.filter(({ key }) => key === `${namespace}/kept`)).toHaveLength(1);
    },
  );

  test('a compacted version is Expired, and the reflector lists again', async () => {
    for (const name of ['busy', 'gone', 'twice']) await makeMap(client, namespace, name);
    const { resourceVersion: old } = await client.list(configMaps, { namespace, limit: 1 });
    const store = new Store<ConfigMap>();
    const events: string[] = [];
    const controller = new AbortController();
    let watches = 0;
    const options = { namespace, timeoutSeconds: 250, idleMs: 60_000 };
    const reflector = new Reflector<ConfigMap, ConfigMap>({
      source: {
        list: (next, signal) =>
          client.list(configMaps, {
            namespace,
            limit: 2,
            ...(next === undefined ? {} : { continue: next }),
            signal,
          }),
        // The first watch starts only when all versions of the list are compacted and the API server's cache is gone.
        watch: async (resourceVersion, listener, signal) => {
          watches += 1;
          if (watches === 1) {
            await client.delete(configMaps, { namespace, name: 'gone' });
            await client.delete(configMaps, { namespace, name: 'twice' });
            await makeMap(client, namespace, 'twice');
            await untilCompacted(old);
            await plane.restartApiServer();
            await untilCompacted(resourceVersion);
          }
          return watchObjects(
            client.transport,
            configMaps,
            { ...options, resourceVersion, signal },
            listener,
          );
        },
      },
      writer: store.openPart(),
      project: (map) => map,
      resource: 'configmaps',
      clock: systemClock,
      log: silentLog,
      signal: controller.signal,
    });
    store.subscribe(({ type, key }) => events.push(`${type} ${key.split('/')[1] ?? ''}`));

    const done = reflector.run();
    await until(() => store.synced);
    events.length = 0;
    await until(() => store.get(`${namespace}/gone`) === undefined);

    expect(events.filter((event) => !event.endsWith('busy'))).toEqual([
      'delete gone',
      'delete twice',
      'apply twice',
    ]);
    await until(
      async () =>
        JSON.stringify([...versionsOf(store.values())]) ===
        JSON.stringify([...(await versionsAtServer(client, namespace))]),
    );
    controller.abort();
    await done;
  });

  test('a list whose token expires between two pages is started over', async () => {
    for (const name of ['a', 'b', 'busy', 'd']) await makeMap(client, namespace, name);
    const pages: (string | undefined)[] = [];
    const store = new Store<ConfigMap>();
    const controller = new AbortController();
    const list = async (next: string | undefined): Promise<Page<ConfigMap>> => {
      pages.push(next === undefined ? 'first' : 'next');
      const page = await client.list(configMaps, {
        namespace,
        limit: 2,
        ...(next === undefined ? {} : { continue: next }),
      });
      if (pages.length === 1) {
        await client.delete(configMaps, { namespace, name: 'a' });
        await untilCompacted(page.resourceVersion);
      }
      return page;
    };
    const reflector = new Reflector<ConfigMap, ConfigMap>({
      source: {
        list,
        watch: (_version, _listener, signal) =>
          new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
      },
      writer: store.openPart(),
      project: (map) => map,
      resource: 'configmaps',
      clock: systemClock,
      log: silentLog,
      signal: controller.signal,
    });

    const done = reflector.run();
    await store.whenSynced(forever);
    controller.abort();
    await done;

    expect(pages.slice(0, 3)).toEqual(['first', 'next', 'first']);
    expect([...versionsOf(store.values()).keys()]).toEqual(['b', 'busy', 'd']);
  });

  test('a missing permission shows as Forbidden until it is granted', async () => {
    const nobody = await clientOf(await plane.kubeconfigFor({ name: 'nobody' }));
    await makeMap(client, namespace, 'one');
    const informer = follow(nobody, configMaps, { namespaces: [namespace] });
    await until(() => informer.lastError !== undefined);
    expect(isForbidden(informer.lastError)).toBe(true);

    const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1', namespaced: true } as const;
    const role = {
      metadata: { namespace, name: 'reader' },
      rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list', 'watch'] }],
    };
    const binding = {
      metadata: { namespace, name: 'reader' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'nobody' }],
    };
    await client.create({ ...rbac, plural: 'roles', kind: 'Role' }, role);
    await client.create({ ...rbac, plural: 'rolebindings', kind: 'RoleBinding' }, binding);
    await informer.store.whenSynced(forever);

    expect(informer.store.get(`${namespace}/one`)).toBeDefined();
    expect(informer.lastError).toBeUndefined();
  });

  test('a credential plugin runs through client-node and its token is used', async () => {
    await client.create(
      { group: '', version: 'v1', plural: 'serviceaccounts', kind: 'ServiceAccount', namespaced: true },
      { metadata: { namespace, name: 'robot' } },
    );
    const tokenFile = await plane.kubeconfigFor({ serviceAccount: { namespace, name: 'robot' } });
    const { users } = JSON.parse(await readFile(tokenFile, 'utf8')) as {
      users: [{ user: { token: string } }];
    };
    const { token } = users[0].user;
    const credential = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token },
    };
    const kubeconfig = join(plane.dataDir, 'exec.kubeconfig');
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: 'echo',
      args: [JSON.stringify(credential)],
      interactiveMode: 'Never',
    };
    await writeFile(
      kubeconfig,
      JSON.stringify({
        'current-context': 'x',
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
        clusters: [
          {
            name: 'c',
            cluster: {
              server: plane.server,
              'certificate-authority-data': Buffer.from(plane.caData).toString('base64'),
            },
          },
        ],
        users: [{ name: 'u', user: { exec } }],
      }),
    );
    const robot = await clientOf(kubeconfig);

    const refused = await failureOf(robot.list(configMaps, { namespace }));

    expect(refused).toMatchObject({ status: 403 });
    expect(refused.message).toContain(`system:serviceaccount:${namespace}:robot`);
  });
});

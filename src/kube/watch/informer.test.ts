import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { refusal, sendJson } from '../../../test/support/kube/kube-socket.ts';
import { type Handler, setUpTransport } from '../../../test/support/kube/transport-setup.ts';
import { settle, type VirtualClock } from '../../../test/support/virtual-clock.ts';
import { type Logger, silentLog } from '../../lib/log.ts';
import { KubeClient } from '../client.ts';
import { type Informer, type InformerOptions, startInformer } from './informer.ts';
import { type Secret, secrets } from '../objects.ts';

interface Rig {
  informer: Informer<string>;
  clock: VirtualClock;
  controller: AbortController;
}

const controllers: AbortController[] = [];
afterEach(() => {
  for (const controller of controllers.splice(0)) controller.abort();
});

async function setUp(handler: Handler, options: Partial<InformerOptions<Secret, string>> = {}): Promise<Rig> {
  const { transport, clock } = await setUpTransport(handler);
  const controller = new AbortController();
  controllers.push(controller);
  const informer = startInformer<Secret, string>({
    client: new KubeClient(transport, { fieldManager: 'tests' }),
    type: secrets,
    project: (secret) => `${secret.kind} ${secret.metadata.name} ${secret.metadata.resourceVersion}`,
    clock,
    log: silentLog,
    signal: controller.signal,
    ...options,
  });
  return { informer, clock, controller };
}

const object = (namespace: string, name: string, resourceVersion: string): object => ({
  metadata: { namespace, name, resourceVersion, uid: `${namespace}/${name}` },
});

function sendList(response: ServerResponse, resourceVersion: string, items: object[]): void {
  sendJson(response, 200, { metadata: { resourceVersion }, items });
}

function sendEvent(response: ServerResponse, type: string, item: object): void {
  response.write(`${JSON.stringify({ type, object: item })}\n`);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await settle();
}

test('each namespace is listed and watched into one store', async () => {
  const asked = new Set<string>();
  const { informer } = await setUp(
    (request, response) => {
      const url = new URL(request.url ?? '', 'http://localhost');
      const namespace = url.pathname.split('/')[4] ?? '';
      asked.add(
        `${namespace} ${url.searchParams.get('labelSelector')} ${url.searchParams.get('resourceVersion')}`,
      );
      if (url.searchParams.has('watch')) sendEvent(response, 'ADDED', object(namespace, 'b', '8'));
      else sendList(response, '7', [object(namespace, 'a', '3')]);
    },
    { namespaces: ['one', 'two', 'one'], labelSelector: 'x=y' },
  );

  await informer.store.whenSynced(new AbortController().signal);
  await until(() => informer.store.size === 4);

  expect(informer.store.get('one/a')).toBe('Secret a 3');
  expect(informer.store.get('two/b')).toBe('Secret b 8');
  expect([...asked].sort()).toEqual(['one x=y 7', 'one x=y null', 'two x=y 7', 'two x=y null']);
  expect(informer.lastError).toBeUndefined();
});

test('a watch on a half-open connection is opened again from its last version', async () => {
  const versions: (string | null)[] = [];
  const { informer, clock } = await setUp((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://localhost');
    if (!searchParams.has('watch')) sendList(response, '7', []);
    else {
      versions.push(searchParams.get('resourceVersion'));
      sendEvent(response, 'ADDED', object('ns', `n${versions.length}`, `8-${versions.length}`));
    }
  });
  await until(() => informer.store.size === 1);

  await clock.advance(149_999);
  expect(versions).toEqual(['7']);
  await clock.advance(1);
  await until(() => informer.store.size === 2);

  expect(versions).toEqual(['7', '8-1']);
});

test('the watch of a quiet kind is opened again without a pause and without a warning', async () => {
  let watches = 0;
  const complaints: unknown[] = [];
  const log: Logger = { ...silentLog, warn: (fields: unknown) => void complaints.push(fields) };
  const { informer, clock } = await setUp(
    (request, response) => {
      if (request.url?.includes('watch=1')) {
        watches += 1;
        response.flushHeaders();
      } else sendList(response, '7', []);
    },
    { log },
  );
  await until(() => watches === 1 && clock.pending === 2);
  await settle(50);

  await clock.advance(150_000);
  await until(() => watches === 2);

  expect(complaints).toEqual([]);
  expect(informer.lastError).toBeUndefined();
});

test('a watch with too old a version causes another list', async () => {
  let lists = 0;
  const { informer } = await setUp((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://localhost');
    if (searchParams.has('watch') && searchParams.get('resourceVersion') === 'old')
      sendJson(response, 410, refusal(410, 'Expired'));
    else if (searchParams.has('watch')) response.flushHeaders();
    else {
      lists += 1;
      sendList(
        response,
        lists === 1 ? 'old' : 'new',
        lists === 1 ? [object('ns', 'gone', '1')] : [object('ns', 'new', '2')],
      );
    }
  });

  await until(() => informer.store.get('ns/new') !== undefined);

  expect([...informer.store.keys()]).toEqual(['ns/new']);
});

describe('a kind that cannot be read', () => {
  test.each([
    [404, 'NotFound'],
    [403, 'Forbidden'],
  ])('shows status %i as lastError until it can be read', async (status, reason) => {
    let refuse = true;
    const { informer, clock } = await setUp((request, response) => {
      if (refuse) sendJson(response, status, refusal(status, reason));
      else if (request.url?.includes('watch=1')) response.flushHeaders();
      else sendList(response, '1', []);
    });
    await until(() => informer.lastError !== undefined);
    expect(informer.lastError).toMatchObject({ status, reason, resource: 'secrets' });
    expect(informer.store.synced).toBe(false);

    refuse = false;
    await clock.advance(1000);
    await informer.store.whenSynced(new AbortController().signal);

    expect(informer.lastError).toBeUndefined();
  });
});

test('a signal ends list and watch and leaves nothing running', async () => {
  const { informer, clock, controller } = await setUp((request, response) => {
    if (request.url?.includes('watch=1')) response.flushHeaders();
    else sendList(response, '1', []);
  });
  await informer.store.whenSynced(new AbortController().signal);
  await settle(20);

  controller.abort();
  await informer.done;

  expect(clock.pending).toBe(0);
});

test('an empty list of namespaces is refused as a mistake of the caller', async () => {
  await expect(setUp(() => undefined, { namespaces: [] })).rejects.toThrow(TypeError);
});

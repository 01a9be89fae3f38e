import type { IncomingMessage, ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { refusal, signalled } from '../../../test/support/kube/kube-socket.ts';
import { failureOf, type Handler, setUpTransport } from '../../../test/support/kube/transport-setup.ts';
import { settle } from '../../../test/support/virtual-clock.ts';
import { type Secret, secrets } from '../objects.ts';
import { type WatchEvent, type WatchOptions, watchObjects } from './watch.ts';

interface Watching {
  events: WatchEvent<Secret>[];
  done: Promise<void>;
  opened: () => boolean;
}

async function watch(handler: Handler, options: Partial<WatchOptions> = {}): Promise<Watching> {
  const { transport } = await setUpTransport(handler);
  const events: WatchEvent<Secret>[] = [];
  let opened = false;
  const done = watchObjects(
    transport,
    secrets,
    {
      resourceVersion: '5',
      timeoutSeconds: 250,
      idleMs: 1000,
      signal: new AbortController().signal,
      ...options,
    },
    { opened: () => (opened = true), event: (event) => events.push(event) },
  );
  return { events, done, opened: () => opened };
}

function line(type: string, object: unknown): string {
  return `${JSON.stringify({ type, object })}\n`;
}

const secret = (name: string, resourceVersion: string): object => ({
  metadata: { name, resourceVersion, managedFields: [{}] },
});
const clean = (name: string, resourceVersion: string): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, resourceVersion },
});

describe('a watch', () => {
  test('requests bookmarks, and states what to watch, from which version and for how long', async () => {
    const asked = signalled<IncomingMessage>();
    const { done } = await watch(
      (request, response) => {
        asked.resolve(request);
        response.end();
      },
      { namespace: 'ns', labelSelector: 'a=b', metadataOnly: true },
    );
    const { url, headers } = await asked.promise;
    await done;

    const parsed = new URL(url ?? '', 'http://localhost');
    expect(parsed.pathname).toBe('/api/v1/namespaces/ns/secrets');
    expect(Object.fromEntries(parsed.searchParams)).toEqual({
      watch: '1',
      allowWatchBookmarks: 'true',
      labelSelector: 'a=b',
      resourceVersion: '5',
      timeoutSeconds: '250',
    });
    expect(headers.accept).toBe('application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1');
    expect(headers).not.toHaveProperty('accept-encoding');
  });

  test('delivers changes and bookmarks, with objects that have their kind and no managedFields', async () => {
    const { events, done, opened } = await watch((_request, response) => {
      response.write(line('ADDED', secret('a', '6')) + line('MODIFIED', secret('a', '7')));
      response.end(
        line('DELETED', secret('a', '8')) +
          line('BOOKMARK', { kind: 'Secret', metadata: { resourceVersion: '9' } }),
      );
    });
    await done;

    expect(opened()).toBe(true);
    expect(events).toEqual([
      { type: 'ADDED', object: clean('a', '6') },
      { type: 'MODIFIED', object: clean('a', '7') },
      { type: 'DELETED', object: clean('a', '8') },
      { type: 'BOOKMARK', resourceVersion: '9' },
    ]);
  });

  test('delivers an event as soon as its line is complete, wherever it was cut', async () => {
    const opened = signalled<ServerResponse>();
    const { events, done } = await watch((_request, response) => opened.resolve(response));
    const response = await opened.promise;
    const [first, second] = [line('ADDED', secret('ä', '6')), line('ADDED', secret('b', '7'))];

    for (const byte of Buffer.from(first)) {
      response.write(Buffer.of(byte));
      await settle(1);
    }
    while (events.length === 0) await settle();
    response.end(second.slice(0, -20));
    await done;

    expect(events).toEqual([{ type: 'ADDED', object: clean('ä', '6') }]);
  });

  test('that is cut in the middle of an object delivers nothing of it and fails', async () => {
    const { events, done } = await watch((_request, response) => {
      response.write(line('ADDED', secret('a', '6')) + line('ADDED', secret('b', '7')).slice(0, 30));
      setImmediate(() => response.socket?.destroy());
    });

    expect(await failureOf(done)).toMatchObject({ status: 0, reason: 'ConnectionFailed' });
    expect(events).toEqual([{ type: 'ADDED', object: clean('a', '6') }]);
  });

  test('fails with the error of an ERROR event', async () => {
    const { events, done } = await watch((_request, response) => {
      response.write(line('ADDED', secret('a', '6')) + line('ERROR', refusal(410, 'Expired')));
    });

    expect(await failureOf(done)).toMatchObject({
      status: 410,
      reason: 'Expired',
      verb: 'WATCH',
      resource: 'secrets',
    });
    expect(events).toHaveLength(1);
  });

  test.each([
    ['an ERROR event without a Status', line('ERROR', 'hunter2'), { status: 500, verb: 'WATCH' }],
    ['a line that is not JSON', 'hunter2 {\n', { reason: 'ProtocolError' }],
    ['a line that is not an object', '"hunter2"\n', { reason: 'ProtocolError' }],
    ['an event of unknown type', line('hunter2', secret('a', '6')), { reason: 'ProtocolError' }],
    ['an event without an object', '{"type":"ADDED","data":"hunter2"}\n', { reason: 'ProtocolError' }],
    [
      'an object without a version',
      line('MODIFIED', { metadata: { name: 'hunter2' } }),
      { reason: 'ProtocolError' },
    ],
    [
      'a bookmark without a version',
      line('BOOKMARK', { metadata: {}, data: 'hunter2' }),
      { reason: 'ProtocolError' },
    ],
  ])('fails on %s, which its error does not quote', async (_name, text, expected) => {
    const { done, events } = await watch((_request, response) => void response.write(text));

    const error = await failureOf(done);

    expect(error).toMatchObject(expected);
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('hunter2');
    expect(events).toEqual([]);
  });

  test('fails on a line that grows without end', async () => {
    const { done } = await watch((_request, response) => {
      const pour = (): void => {
        if (!response.destroyed) response.write('x'.repeat(2 ** 20), () => setImmediate(pour));
      };
      pour();
    });

    expect(await failureOf(done)).toMatchObject({ reason: 'ProtocolError' });
  });

  test('fails with what its listener throws', async () => {
    const { transport } = await setUpTransport(
      (_request, response) => void response.write(line('ADDED', secret('a', '6'))),
    );
    const mistake = new TypeError('not a function');

    const done = watchObjects(
      transport,
      secrets,
      { resourceVersion: '5', timeoutSeconds: 250, idleMs: 1000, signal: new AbortController().signal },
      {
        opened: () => undefined,
        event: () => {
          throw mistake;
        },
      },
    );

    await expect(done).rejects.toBe(mistake);
  });
});

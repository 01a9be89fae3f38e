import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { readBody, refusal, sendJson } from '../../test/support/kube/kube-socket.ts';
import { failureOf, setUpTransport } from '../../test/support/kube/transport-setup.ts';
import { KubeClient } from './client.ts';
import { type KubeObject, type ResourceType, secrets } from './objects.ts';

interface Thing extends KubeObject {
  spec?: { size: number };
}

const things: ResourceType<Thing> = {
  group: 'example.org',
  version: 'v1alpha1',
  plural: 'things',
  kind: 'Thing',
  namespaced: false,
};

interface Seen {
  method: string | undefined;
  path: string;
  query: Record<string, string>;
  accept: string | undefined;
  type: string | undefined;
  body: unknown;
}

type Answerer = (request: Seen, response: ServerResponse) => void;

async function setUp(answer: Answerer): Promise<{ client: KubeClient; seen: Seen[] }> {
  const seen: Seen[] = [];
  const { transport } = await setUpTransport(async (request, response) => {
    const noted = await note(request);
    seen.push(noted);
    answer(noted, response);
  });
  return { client: new KubeClient(transport, { fieldManager: 'tests' }), seen };
}

async function note(request: IncomingMessage): Promise<Seen> {
  const url = new URL(request.url ?? '', 'http://localhost');
  const body = await readBody(request);
  return {
    method: request.method,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    accept: request.headers.accept,
    type: request.headers['content-type'],
    body: body === '' ? undefined : (JSON.parse(body) as unknown),
  };
}

const echo: Answerer = ({ body }, response) => sendJson(response, 200, body ?? {});
const secretRef = { namespace: 'ns', name: 'tls' };

describe('one object', () => {
  test.each([
    [
      'of the core group',
      (client: KubeClient) => client.get(secrets, secretRef),
      '/api/v1/namespaces/ns/secrets/tls',
    ],
    [
      'of another group',
      (client: KubeClient) => client.get(things, { name: 'a:b' }),
      '/apis/example.org/v1alpha1/things/a%3Ab',
    ],
  ])('%s is read from its path', async (_name, call, path) => {
    const { client, seen } = await setUp((_request, response) =>
      sendJson(response, 200, { metadata: { name: 'x' } }),
    );

    expect(await call(client)).toEqual({ metadata: { name: 'x' } });
    expect(seen).toMatchObject([{ method: 'GET', path, accept: 'application/json' }]);
  });

  test('that does not exist is an error for get and undefined for find', async () => {
    const { client } = await setUp((_request, response) => sendJson(response, 404, refusal(404, 'NotFound')));

    expect(await failureOf(client.get(secrets, secretRef))).toMatchObject({
      status: 404,
      resource: 'secrets',
      verb: 'GET',
    });
    expect(await client.find(secrets, secretRef)).toBeUndefined();
    expect(await client.findMetadata(secrets, secretRef)).toBeUndefined();
  });

  test('that may not be read is an error for find too', async () => {
    const { client } = await setUp((_request, response) =>
      sendJson(response, 403, refusal(403, 'Forbidden')),
    );

    expect(await failureOf(client.find(secrets, secretRef))).toMatchObject({ status: 403 });
  });

  test('can be requested without its content', async () => {
    const { client, seen } = await setUp((_request, response) =>
      sendJson(response, 200, {
        kind: 'PartialObjectMetadata',
        apiVersion: 'meta.k8s.io/v1',
        metadata: { name: 'tls', managedFields: [{}] },
      }),
    );

    expect(await client.findMetadata(secrets, secretRef)).toEqual({
      kind: 'Secret',
      apiVersion: 'v1',
      metadata: { name: 'tls' },
    });
    expect(seen[0]?.accept).toBe('application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1');
  });

  test.each(['', '.', '..'])(
    'with the name "%s" is never requested, since it would be another path',
    async (name) => {
      const { client, seen } = await setUp(echo);

      await expect(client.delete(secrets, { namespace: 'ns', name })).rejects.toThrow(TypeError);
      await expect(client.get(secrets, { namespace: name, name: 'a' })).rejects.toThrow(TypeError);
      expect(seen).toEqual([]);
    },
  );

  test.each<[string, (client: KubeClient) => Promise<unknown>]>([
    ['a namespaced kind without a namespace', (client) => client.get(secrets, { name: 'a' })],
    [
      'a namespaced object without a namespace',
      (client) => client.create(secrets, { metadata: { name: 'a' } }),
    ],
    [
      'a cluster-scoped kind with a namespace',
      (client) => client.get(things, { namespace: 'ns', name: 'a' }),
    ],
  ])('%s is refused as a mistake of the caller', async (_name, call) => {
    const { client } = await setUp(echo);

    await expect(call(client)).rejects.toThrow(TypeError);
  });
});

describe('a write', () => {
  const object = { metadata: { namespace: 'ns', name: 'tls', resourceVersion: '7' }, data: { a: 'YQ==' } };
  const whole = { ...object, apiVersion: 'v1', kind: 'Secret' };

  test('that creates is a POST to the collection', async () => {
    const { client, seen } = await setUp(echo);

    expect(await client.create(secrets, object)).toEqual(whole);
    expect(seen).toEqual([
      {
        method: 'POST',
        path: '/api/v1/namespaces/ns/secrets',
        query: { fieldManager: 'tests' },
        accept: 'application/json',
        type: 'application/json',
        body: whole,
      },
    ]);
  });

  test('can return the metadata alone', async () => {
    const { client, seen } = await setUp((_request, response) =>
      sendJson(response, 200, {
        kind: 'PartialObjectMetadata',
        metadata: { name: 'tls', managedFields: [{}] },
      }),
    );

    const writes = [
      client.create(secrets, object, { metadataOnly: true }),
      client.update(secrets, object, { metadataOnly: true }),
      client.mergePatch(secrets, secretRef, {}, { metadataOnly: true }),
    ];

    for (const written of await Promise.all(writes))
      expect(written).toEqual({ kind: 'Secret', apiVersion: 'v1', metadata: { name: 'tls' } });
    expect(new Set(seen.map(({ accept }) => accept))).toEqual(
      new Set(['application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1']),
    );
  });

  test('that replaces is a PUT of the whole object', async () => {
    const { client, seen } = await setUp(echo);

    await client.update(secrets, object);

    expect(seen).toMatchObject([
      {
        method: 'PUT',
        path: '/api/v1/namespaces/ns/secrets/tls',
        query: { fieldManager: 'tests' },
        body: whole,
      },
    ]);
  });

  test('that patches sends only the patch, with null for what is removed, to the object or its status', async () => {
    const { client, seen } = await setUp(echo);
    const patch = { metadata: { resourceVersion: '7' }, data: { gone: null } };

    await client.mergePatch(secrets, secretRef, patch);
    await client.mergePatch(things, { name: 'a' }, patch, {
      subresource: 'status',
      fieldValidation: 'Strict',
    });

    expect(seen).toMatchObject([
      {
        method: 'PATCH',
        path: '/api/v1/namespaces/ns/secrets/tls',
        query: { fieldManager: 'tests' },
        type: 'application/merge-patch+json',
        body: patch,
      },
      {
        path: '/apis/example.org/v1alpha1/things/a/status',
        query: { fieldManager: 'tests', fieldValidation: 'Strict' },
      },
    ]);
  });

  test('that deletes sends uid and resourceVersion as preconditions', async () => {
    const { client, seen } = await setUp((_request, response) =>
      sendJson(response, 200, { kind: 'Status', status: 'Success' }),
    );

    await client.delete(secrets, secretRef, { uid: 'u-1' });

    expect(seen).toMatchObject([
      {
        method: 'DELETE',
        path: '/api/v1/namespaces/ns/secrets/tls',
        body: { kind: 'DeleteOptions', propagationPolicy: 'Background', preconditions: { uid: 'u-1' } },
      },
    ]);
  });
});

describe('a list', () => {
  test('requests a page of the selected objects and returns them without managedFields', async () => {
    const { client, seen } = await setUp((_request, response) =>
      sendJson(response, 200, {
        metadata: { resourceVersion: '42', continue: 'more' },
        items: [{ metadata: { name: 'a', managedFields: [{ manager: 'x' }] }, data: {} }],
      }),
    );

    const page = await client.list(secrets, {
      namespace: 'ns',
      labelSelector: 'a=b,c',
      fieldSelector: 'metadata.name=a',
      limit: 10,
      continue: 'from here',
      metadataOnly: true,
    });

    expect(page).toEqual({
      items: [{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' }, data: {} }],
      resourceVersion: '42',
      continue: 'more',
    });
    expect(seen).toMatchObject([
      {
        path: '/api/v1/namespaces/ns/secrets',
        query: {
          labelSelector: 'a=b,c',
          fieldSelector: 'metadata.name=a',
          limit: '10',
          continue: 'from here',
        },
        accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
      },
    ]);
  });

  test('of everything reads all pages', async () => {
    const { client, seen } = await setUp(({ query }, response) => {
      const at = Number(query['continue'] ?? 0);
      sendJson(response, 200, {
        metadata: { resourceVersion: '42', continue: at < 2 ? String(at + 1) : '' },
        items: [{ metadata: { name: `n${at}` } }],
      });
    });

    const { items, resourceVersion } = await client.listAll(secrets, { labelSelector: 'a' });

    expect(items.map(({ metadata }) => metadata.name)).toEqual(['n0', 'n1', 'n2']);
    expect(resourceVersion).toBe('42');
    expect(seen.map(({ query }) => query)).toEqual([
      { labelSelector: 'a', limit: '500' },
      { labelSelector: 'a', limit: '500', continue: '1' },
      { labelSelector: 'a', limit: '500', continue: '2' },
    ]);
  });

  test('of everything starts over when its token has expired, up to a limit', async () => {
    let refusals = 1;
    const { client, seen } = await setUp(({ query }, response) => {
      if (query['continue'] === undefined)
        sendJson(response, 200, {
          metadata: { resourceVersion: '1', continue: 'next' },
          items: [{ metadata: { name: 'a' } }],
        });
      else if (refusals > 0) {
        refusals -= 1;
        sendJson(response, 410, refusal(410, 'Expired'));
      } else
        sendJson(response, 200, { metadata: { resourceVersion: '1' }, items: [{ metadata: { name: 'b' } }] });
    });

    const { items } = await client.listAll(secrets);
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
    expect(seen).toHaveLength(4);

    refusals = Infinity;
    expect(await failureOf(client.listAll(secrets))).toMatchObject({ status: 410 });
  });

  test('of nothing is empty, also if items is null', async () => {
    const { client } = await setUp((_request, response) =>
      sendJson(response, 200, { metadata: { resourceVersion: '9' }, items: null }),
    );

    expect(await client.listAll(secrets)).toEqual({ items: [], resourceVersion: '9' });
  });
});

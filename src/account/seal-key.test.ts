import { expect, test } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { ApiError } from '../kube/errors.ts';
import type { ResourceType, Secret } from '../kube/objects.ts';
import { silentLog } from '../lib/log.ts';
import { SEAL_KEY_AGAIN_MS, SEAL_KEY_SECRET, SealKey } from './seal-key.ts';

const { signal } = new AbortController();

/** An API server with one namespace of Secrets. `failures`: what its next answers are instead. */
class Server {
  readonly stored = new Map<string, Secret>();
  readonly failures: ApiError[] = [];
  readonly clock = new VirtualClock();

  find = async (_: ResourceType, { name }: { name: string }): Promise<never> => {
    this.#fail();
    return this.stored.get(name) as never;
  };

  create = async <T>(_: ResourceType, secret: T & Secret): Promise<T> => {
    this.#fail();
    const { name } = secret.metadata;
    if (this.stored.has(name)) throw refused(409, 'AlreadyExists');
    this.stored.set(name, secret);
    return secret;
  };

  replica(): SealKey {
    return new SealKey({ kube: this, clock: this.clock, log: silentLog, namespace: 'operator' });
  }

  #fail(): void {
    const failure = this.failures.shift();
    if (failure) throw failure;
  }
}

function refused(status: number, reason: string): ApiError {
  return new ApiError({ status, reason, message: 'no', verb: 'create', resource: 'secrets' });
}

async function loaded(key: SealKey): Promise<string> {
  await key.load(signal);
  return key.bytes.toString('hex');
}

test('the key is created once and read after that', async () => {
  const server = new Server();
  const first = await loaded(server.replica());
  expect(first).toMatch(/^[0-9a-f]{64}$/);
  expect(await loaded(server.replica())).toBe(first);
  expect([...server.stored.keys()]).toEqual([SEAL_KEY_SECRET]);
});

test('replicas that start together use one key', async () => {
  const server = new Server();
  const keys = await Promise.all([1, 2, 3].map(() => loaded(server.replica())));
  expect(new Set(keys).size).toBe(1);
});

test('a key is a random one', async () => {
  expect(await loaded(new Server().replica())).not.toBe(await loaded(new Server().replica()));
});

test('while the API server fails, it is tried again', async () => {
  const server = new Server();
  server.failures.push(refused(403, 'Forbidden'), refused(503, 'ServiceUnavailable'));
  const key = server.replica();
  const done = key.load(signal);
  await server.clock.advance(SEAL_KEY_AGAIN_MS);
  expect(() => key.bytes).toThrow('not loaded');
  await server.clock.advance(SEAL_KEY_AGAIN_MS);
  await done;
  expect(key.bytes).toHaveLength(32);
});

test('an abort ends the wait', async () => {
  const server = new Server();
  server.failures.push(refused(503, 'ServiceUnavailable'));
  const stop = new AbortController();
  const done = server.replica().load(stop.signal);
  stop.abort();
  await done;
  expect(server.stored.size).toBe(0);
});

test.each([
  ['nothing', undefined],
  ['a key that is too short', Buffer.alloc(16).toString('base64')],
  ['a text', 'secret!'],
])('a Secret that holds %s stops the operator, which names it', async (_, key) => {
  const server = new Server();
  const data = key === undefined ? {} : { data: { key } };
  server.stored.set(SEAL_KEY_SECRET, { metadata: { name: SEAL_KEY_SECRET }, ...data });
  await expect(server.replica().load(signal)).rejects.toThrow(`operator/${SEAL_KEY_SECRET} does not hold`);
});

import { describe, expect, test } from 'vitest';
import { drain, setUp } from '../../test/support/kube/queue.ts';
import { ApiError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import { Store } from '../kube/watch/store.ts';
import { silentLog } from '../lib/log.ts';
import type { Reason } from '../lib/reason.ts';
import { accountController, UNWATCHED_SECRETS_POLL_MS } from './controller.ts';
import { Directory } from './directory.ts';
import type { AccountInputs } from './gather.ts';
import { Gate } from './gate/gate.ts';
import { MAX_WATCHES, SecretWatches } from './secret-watches.ts';

type Resource = KubeObject & { spec: { endpoint: string } };
interface Issuer {
  account: { gate: Gate };
}

const KEY = 'ns/ca';
const HOLDER = `Issuer:${KEY}`;
const FAULT: Reason = { reason: 'Refused', message: 'The login is refused.' };

function resource(generation = 1, metadata: Partial<KubeObject['metadata']> = {}): Resource {
  return { metadata: { namespace: 'ns', name: 'ca', generation, ...metadata }, spec: { endpoint: '' } };
}

function setup() {
  const { clock, queue } = setUp();
  const gate = new Gate({ limit: 2, clock });
  const account = { gate };
  const directory = new Directory<Issuer>(() => true);
  const store = new Store<Resource>();
  const writer = store.openPart();
  let version = 0;
  const apply = (object: Resource): void =>
    writer.apply({ key: KEY, uid: 'uid', resourceVersion: String((version += 1)), object });
  const versions = new Map<string, (version: string) => void>();
  const secretWatches = new SecretWatches((ref, onVersion) => {
    versions.set(ref.name, onVersion);
    return () => versions.delete(ref.name);
  });
  const released: string[] = [];
  const forgotten: string[] = [];
  const reports: { is: string; why?: Reason | undefined }[] = [];
  const accountListeners = new Set<(holder: string) => void>();
  let answer: { invalid?: string; gather?: Error; kept?: boolean } = {};
  const { reconcile, stop } = accountController<
    Resource,
    AccountInputs<Resource>,
    { connection: object },
    { issuer: Issuer }
  >(
    {
      clock,
      random: () => 0.5,
      resources: store,
      written: { newest: (_, cached) => cached, forget: (key) => void forgotten.push(key) },
      directory,
      accounts: {
        acquire: async () => account,
        release: async (holder) => void released.push(holder),
        onChange: (listener) => {
          accountListeners.add(listener);
          return () => accountListeners.delete(listener);
        },
      },
      secretWatches,
      holderOf: () => HOLDER,
      isKept: () => answer.kept ?? false,
      parse: (object) =>
        answer.invalid === undefined ? { ok: true, object } : { ok: false, message: answer.invalid },
      gather: async (object) => {
        if (answer.gather) throw answer.gather;
        return {
          resource: object,
          namespaced: true,
          allowedEndpoints: [],
          credentials: { ref: { namespace: 'ns', name: 'login' }, found: true, version: '1', text: {} },
          caBundle: undefined,
        };
      },
      decide: () => ({ do: 'connect', connection: {} }),
      interval: { base: 900_000, max: 900_000 },
      rateLimited: FAULT,
      known: () => undefined,
      probe: async () => ({ issuer: { account } }),
      faultOf: () => undefined,
      report: async (_, outcome) => void reports.push(outcome),
    },
    queue,
  );
  const run = () =>
    reconcile(KEY, { signal: new AbortController().signal, log: silentLog, reconcileID: '1', failures: 0 });
  return {
    clock,
    queue,
    directory,
    account,
    apply,
    remove: () => writer.delete(KEY),
    change: (name: string, seen: string) => versions.get(name)?.(seen),
    secretWatches,
    accountListeners,
    released,
    forgotten,
    reports,
    run,
    stop,
    answer: (next: typeof answer) => (answer = next),
  };
}

describe('a reconcile', () => {
  test('checks the account and comes again after the interval', async () => {
    const { apply, run, reports, directory } = setup();
    apply(resource());
    expect(await run()).toEqual({ requeueAfterMs: 900_000 });
    expect(reports).toMatchObject([{ is: 'ready' }]);
    expect(directory.get(HOLDER)?.ready).toBe(true);
  });

  test('of a resource that does not exist does nothing', async () => {
    const { run, reports } = setup();
    expect(await run()).toEqual({});
    expect(reports).toEqual([]);
  });

  test.each([
    [false, 0],
    [true, 1],
  ])('of a resource that is being deleted happens only if it is kept: %s', async (kept, count) => {
    const { apply, run, reports, answer } = setup();
    answer({ kept });
    apply(resource(1, { deletionTimestamp: '2026-01-01T00:00:00Z' }));
    await run();
    expect(reports).toHaveLength(count);
  });

  test('reports a spec that cannot be used', async () => {
    const { apply, run, reports, answer } = setup();
    answer({ invalid: 'the endpoint is no URL' });
    apply(resource());
    await run();
    const message = 'The spec cannot be used: the endpoint is no URL';
    expect(reports).toEqual([{ is: 'disconnected', why: { reason: 'InvalidSpec', message } }]);
  });

  test('reports Secrets that cannot be read, and fails', async () => {
    const { apply, run, reports, answer } = setup();
    const error = new ApiError({
      status: 403,
      reason: 'Forbidden',
      message: 'no right to get secrets',
      verb: 'get',
      resource: 'secrets',
    });
    answer({ gather: error });
    apply(resource());
    await expect(run()).rejects.toBe(error);
    expect(reports).toMatchObject([{ is: 'disconnected', why: { reason: 'SecretsUnreadable' } }]);
  });

  test('comes again soon if its Secrets are not all watched', async () => {
    const { apply, run, secretWatches } = setup();
    for (let i = 0; i < MAX_WATCHES; i += 1)
      secretWatches.want(`other-${i}`, [{ ref: { namespace: 'ns', name: `s${i}` }, version: '' }]);
    apply(resource());
    expect(await run()).toEqual({ requeueAfterMs: UNWATCHED_SECRETS_POLL_MS });
  });
});

describe('the resource is queued', () => {
  test('when it appears and when its spec changes, not when its status does', async () => {
    const { queue, apply } = setup();
    apply(resource(1));
    expect(await drain(queue)).toEqual([KEY]);
    apply(resource(1));
    expect(await drain(queue)).toEqual([]);
    apply(resource(2));
    expect(await drain(queue)).toEqual([KEY]);
  });

  test('when one of its Secrets changes, and when its account is stopped or resumes', async () => {
    const { queue, apply, run, change, accountListeners } = setup();
    apply(resource());
    await run();
    await drain(queue);
    change('login', '1');
    expect(await drain(queue)).toEqual([]);
    change('login', '2');
    expect(await drain(queue)).toEqual([KEY]);
    for (const listener of accountListeners) listener(HOLDER);
    expect(await drain(queue)).toEqual([KEY]);
    for (const listener of accountListeners) listener('Issuer:ns/unknown');
    expect(await drain(queue)).toEqual([]);
  });

  test('a moment after a certificate met a fault of the account', async () => {
    const { clock, queue, apply, run, directory, account } = setup();
    apply(resource());
    await run();
    await drain(queue);
    directory.fault(account, FAULT);
    expect(await drain(queue)).toEqual([]);
    await clock.advance(1_000);
    expect(await drain(queue)).toEqual([KEY]);
  });

  test('no more once the controller has stopped', async () => {
    const { queue, apply, run, change, stop } = setup();
    apply(resource());
    await run();
    await drain(queue);
    stop();
    apply(resource(2));
    change('login', '2');
    expect(await drain(queue)).toEqual([]);
  });
});

test('a resource that is gone leaves nothing behind', async () => {
  const { queue, apply, remove, run, directory, released, forgotten, secretWatches } = setup();
  apply(resource());
  await run();
  remove();
  expect(directory.get(HOLDER)).toBeUndefined();
  expect(released).toEqual([HOLDER]);
  expect(forgotten).toEqual([KEY]);
  expect(secretWatches.size).toBe(0);
  expect(queue.depth).toBe(0);
});

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { LastWritten } from '../issuance/status/last-written.ts';
import { runController } from '../kube/controller/controller.ts';
import { WorkQueue } from '../kube/controller/queue.ts';
import { ApiError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import { Store } from '../kube/watch/store.ts';
import { silentLog } from '../lib/log.ts';
import { createMetrics } from '../metrics/registry.ts';
import { accountController } from '../account/controller.ts';
import { Directory } from '../account/directory.ts';
import type { AccountInputs } from '../account/gather.ts';
import type { Gate } from '../account/gate/gate.ts';
import { AccountRegistry } from '../account/registry.ts';
import { SecretWatches } from '../account/secret-watches.ts';

type Resource = KubeObject & { spec: { endpoint: string } };
interface Account {
  gate: Gate;
  close(): Promise<void>;
}
interface Issuer {
  account: Account;
  /** Of the resource that it was found for. */
  uid: string | undefined;
}

const FAULT = { reason: 'Refused', message: 'The login is refused.' };
const NAMES = ['a', 'b', 'c'];

const steps = fc.array(
  fc.record({
    do: fc.constantFrom('create', 'delete', 'answer', 'answer', 'answer', 'secret', 'fault', 'time'),
    n: fc.nat(99),
  }),
  { minLength: 10, maxLength: 60 },
);

/** Everything that waits for an answer of the API server or of the CA. */
class Answers {
  #waiting: (() => void)[] = [];

  come(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  give(n: number): void {
    const [next] = this.#waiting.splice(n % Math.max(1, this.#waiting.length), 1);
    next?.();
  }

  get size(): number {
    return this.#waiting.length;
  }
}

function setup() {
  const clock = new VirtualClock();
  const answers = new Answers();
  const queue = new WorkQueue({ name: 'issuer', clock });
  const store = new Store<Resource>();
  const writer = store.openPart();
  const directory = new Directory<Issuer>(() => true);
  const written = new LastWritten<Resource>({ clock });
  const open = new Map<string, (version: string) => void>();
  const secretWatches = new SecretWatches((ref, onVersion) => {
    open.set(ref.name, onVersion);
    return () => open.delete(ref.name);
  });
  const accounts = new AccountRegistry<{ login: string }, Account>({
    clock,
    atOnce: 2,
    gateKey: ({ login }) => login,
    open: (_, gate) => ({ gate, close: () => answers.come() }),
  });
  const gone = (): ApiError =>
    new ApiError({ status: 404, reason: 'NotFound', message: 'gone', verb: 'patch', resource: 'issuers' });
  const { reconcile, stop } = accountController<
    Resource,
    AccountInputs<Resource>,
    { connection: { login: string } },
    { issuer: Issuer }
  >(
    {
      clock,
      resources: store,
      written,
      directory,
      accounts,
      secretWatches,
      holderOf: ({ metadata }) => `Issuer:${metadata.namespace}/${metadata.name}`,
      isKept: () => false,
      parse: (object) => ({ ok: true, object }),
      gather: async (resource) => {
        await answers.come();
        const ref = { namespace: 'ns', name: `login-${resource.metadata.name}` };
        const credentials = { ref, found: true, version: '1', text: {} } as const;
        return { resource, namespaced: true, allowedEndpoints: [], credentials, caBundle: undefined };
      },
      decide: ({ resource }) => ({ do: 'connect', connection: { login: resource.spec.endpoint } }),
      interval: { base: 900_000, max: 900_000 },
      rateLimited: FAULT,
      known: () => undefined,
      probe: async ({ metadata: { uid } }, account) => {
        await answers.come();
        return { issuer: { account, uid } };
      },
      faultOf: () => undefined,
      report: async (resource) => {
        await answers.come();
        const { uid, name, resourceVersion } = resource.metadata;
        if (store.get(`ns/${name}`)?.metadata.uid !== uid) throw gone();
        // The deletion may be seen before this answer.
        await answers.come();
        written.note(`ns/${name}`, resourceVersion, resource);
      },
    },
    queue,
  );
  return {
    clock,
    answers,
    queue,
    store,
    writer,
    directory,
    written,
    open,
    secretWatches,
    accounts,
    reconcile,
    stop,
  };
}

/** Lets promises settle. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

test('whatever comes in whatever order, an issuer that is gone leaves nothing, and nobody issues on its word', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const {
        clock,
        answers,
        queue,
        store,
        writer,
        directory,
        written,
        open,
        secretWatches,
        accounts,
        reconcile,
        stop,
      } = setup();
      const end = new AbortController();
      const controller = runController(
        {
          name: 'issuer',
          queue,
          concurrency: 2,
          reconcile,
          clock,
          log: silentLog,
          metrics: createMetrics().controller,
        },
        end.signal,
      );
      let count = 0;
      const create = (name: string, login: string): void => {
        count += 1;
        const metadata = {
          namespace: 'ns',
          name,
          uid: `uid-${count}`,
          resourceVersion: String(count),
          generation: 1,
        };
        const object = { metadata, spec: { endpoint: login } };
        writer.apply({
          key: `ns/${name}`,
          uid: metadata.uid,
          resourceVersion: metadata.resourceVersion,
          object,
        });
      };
      for (const { do: what, n } of list) {
        const name = NAMES[n % NAMES.length] ?? '';
        const state = directory.get(`Issuer:ns/${name}`);
        if (what === 'create') create(name, `login-${n % 2}`);
        else if (what === 'delete') writer.delete(`ns/${name}`);
        else if (what === 'answer') answers.give(n);
        else if (what === 'secret') open.get(`login-${name}`)?.(String(n));
        else if (what === 'fault' && state?.ready) directory.fault(state.issuer.account, FAULT);
        else await clock.advance(n * 1_000);
        await settled();
        const strangers = NAMES.filter((each) => {
          const found = directory.get(`Issuer:ns/${each}`);
          return found?.ready && store.get(`ns/${each}`)?.metadata.uid !== found.issuer.uid;
        });
        expect(strangers).toEqual([]);
      }
      for (const name of NAMES) writer.delete(`ns/${name}`);
      for (await settled(); answers.size > 0; await settled()) answers.give(0);
      expect(accounts.size).toEqual({ accounts: 0, gates: 0, holders: 0 });
      expect({
        states: directory.size,
        watches: secretWatches.size,
        written: written.size,
        queued: queue.depth + queue.delayed + queue.running,
      }).toEqual({ states: 0, watches: 0, written: 0, queued: 0 });
      end.abort();
      stop();
      await controller;
    }),
    { numRuns: 300 },
  );
});

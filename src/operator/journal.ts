import { GROUP } from '../api/names.ts';
import { cacertKind } from '../issuance/cacert/kind.ts';
import { tinycertKind } from '../issuance/tinycert/kind.ts';
import { quietAfter } from '../issuance/attempt/timing.ts';
import { Journal, type JournalOptions } from '../journal/journal.ts';
import type { KubeClient } from '../kube/client.ts';
import { isNotFound } from '../kube/errors.ts';
import type { KubeObject, ResourceType } from '../kube/objects.ts';
import { type Clock, deadline } from '../lib/clock.ts';
import { AppError } from '../lib/errors.ts';
import { caughtUp } from './caught-up.ts';
import type { AnyCertificates, Informers } from './kinds/informers.ts';
import { listAll } from './resources.ts';

/** The name of the Secret with the journal. `deploy/rbac.yaml` names it too. */
export const JOURNAL_NAME = 'tinycert-operator-journal';
/** The name of the Secret with its records. */
export const RECORDS_NAME = `${JOURNAL_NAME}-records`;
/** How long a cache may take to catch up with a list before the list is made again, in milliseconds. */
const CATCH_UP_MS = 30_000;

interface Options extends Omit<JournalOptions, 'client' | 'object' | 'quietMs' | 'isFirstUse'> {
  kube: KubeClient;
  clock: Clock;
  /** Of the operator. */
  namespace: string;
  /** The namespaces that the operator works in; undefined for all. */
  namespaces: readonly string[] | undefined;
  informers: Informers;
}

/** The journal of this operator, and what has to be listed after it is taken over. */
export function operatorJournal(options: Options): {
  journal: Journal;
  prepare: (signal: AbortSignal) => Promise<void>;
} {
  const { kube, namespace, namespaces, clock, informers } = options;
  const kinds = journalled(informers);
  const journal = new Journal({
    ...options,
    client: kube,
    object: {
      namespace,
      name: JOURNAL_NAME,
      recordsName: RECORDS_NAME,
      labels: { [`${GROUP}/journal`]: 'true' },
      type: `${GROUP}/journal`,
    },
    quietMs: Math.max(quietAfter(cacertKind.timing), quietAfter(tinycertKind.timing)),
    isFirstUse: async (signal) => {
      const all = await Promise.all(
        kinds.map(({ type }) => present(() => listAll(kube, type, namespaces, signal))),
      );
      return all.flat().every((resource) => !('status' in resource));
    },
  });
  return {
    journal,
    prepare: async (signal) => {
      await Promise.all(
        kinds.map(async ({ type, store }) => {
          const limit = deadline(clock, CATCH_UP_MS, () => new CacheBehind(), signal);
          try {
            await present(async () => {
              await caughtUp(store, (inner) => list(kube, type, namespaces, inner), limit.signal);
              return [];
            });
          } finally {
            limit.clear();
          }
        }),
      );
    },
  };
}

/** The kinds whose attempts are in the journal. */
function journalled({ certificates, cacertCertificates }: Informers): AnyJournalled[] {
  return cacertCertificates ? [certificates, cacertCertificates] : [certificates];
}

type AnyJournalled = Pick<AnyCertificates, 'type'> & { store: Parameters<typeof caughtUp>[0] };

/** The watch did not deliver what a list shows. */
class CacheBehind extends AppError {
  constructor() {
    super('CacheBehind', 'A cache did not catch up with a list in time; it is made again.');
  }
}

/** Nothing, for a kind that is not installed. */
async function present<T>(found: () => Promise<T[]>): Promise<T[]> {
  try {
    return await found();
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

/** The metadata of all objects of a kind. With several namespaces, the oldest of the lists counts. */
async function list(
  kube: KubeClient,
  type: ResourceType,
  namespaces: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<{ items: KubeObject[]; resourceVersion: string }> {
  const lists = await Promise.all(
    (namespaces ?? [undefined]).map((namespace) =>
      kube.listAll(type, { signal, metadataOnly: true, ...(namespace === undefined ? {} : { namespace }) }),
    ),
  );
  const versions = lists.map(({ resourceVersion }) => resourceVersion);
  const oldest = versions.toSorted((a, b) => (BigInt(a || 0) < BigInt(b || 0) ? -1 : 1))[0] ?? '';
  return { items: lists.flatMap(({ items }) => items), resourceVersion: oldest };
}

/** The operator's kinds on an API server that a test scripts kind by kind. */
import { onTestFinished } from 'vitest';
import { VirtualClock } from '../virtual-clock.ts';
import type { KubeClient, Selection } from '../../../src/kube/client.ts';
import { ApiError } from '../../../src/kube/errors.ts';
import type { KubeObject, ResourceType } from '../../../src/kube/objects.ts';
import { type Logger, silentLog } from '../../../src/lib/log.ts';
import { hasCAcert, startInformers, type WithCAcert } from '../../../src/operator/kinds/informers.ts';

export type Answer = 'served' | 'not installed' | 'forbidden' | 'unreachable' | 'hanging';

const faults = {
  'not installed': { status: 404, reason: 'NotFound' },
  forbidden: { status: 403, reason: 'Forbidden' },
  unreachable: { status: 0, reason: 'ConnectionFailed' },
} as const;

function refusal(answer: keyof typeof faults, resource: string): ApiError {
  return new ApiError({ ...faults[answer], message: `The API server: ${answer}`, verb: 'GET', resource });
}

/** Longer than an informer waits before it lists again. */
export const LIST_AGAIN = 60_000;

export interface Kinds {
  informers: WithCAcert;
  clock: VirtualClock;
  /** Answers the lists of a kind: the first argument is its plural, or plural and namespace as `plural/namespace`. */
  answer: (what: string, answer: Answer, objects?: readonly KubeObject[]) => void;
  /** Ends the watches of a kind, as the API server does when its CRD is deleted. */
  endWatches: (plural: string) => void;
  kube: KubeClient;
}

/** Starts the informers. Every kind is served and empty until `answer` says something else. */
export function startKinds(
  options: { namespaces?: readonly string[]; answers?: Readonly<Record<string, Answer>>; log?: Logger } = {},
): Kinds {
  const clock = new VirtualClock();
  const end = new AbortController();
  onTestFinished(() => end.abort());
  const answers = new Map<string, Answer>(Object.entries(options.answers ?? {}));
  const stored = new Map<string, readonly KubeObject[]>();
  const list = async ({ plural }: ResourceType, { namespace }: Selection) => {
    const answer = answers.get(`${plural}/${namespace}`) ?? answers.get(plural) ?? 'served';
    if (answer === 'hanging') await new Promise(() => undefined);
    if (answer !== 'served' && answer !== 'hanging') throw refusal(answer, plural);
    return { items: stored.get(plural) ?? [], resourceVersion: '1' };
  };
  const watches = new Map<string, Set<() => void>>();
  /** A watch in which nothing happens. It is refused as a list is. */
  const stream = async ({ path = '' }: { path?: string }): Promise<void> => {
    const plural = path.split('/').at(-1) ?? '';
    if (answers.get(plural) === 'not installed') throw refusal('not installed', plural);
    const open = watches.get(plural) ?? new Set();
    watches.set(plural, open);
    await new Promise<void>((resolve) => open.add(resolve));
  };
  const kube = { list, listAll: list, transport: { stream } } as unknown as KubeClient;
  const informers = startInformers({
    kube,
    namespaces: options.namespaces,
    cacert: true,
    clock,
    log: options.log ?? silentLog,
    signal: end.signal,
  });
  if (!hasCAcert(informers)) throw new Error('CAcert is off');
  return {
    informers,
    clock,
    kube,
    endWatches: (plural) => {
      for (const end of watches.get(plural) ?? []) end();
    },
    answer: (what, answer, objects = []) => {
      answers.set(what, answer);
      stored.set(what, objects);
    },
  };
}

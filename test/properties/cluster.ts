import { merge, refusal } from '../support/kube/stored-object.ts';
import type { KubeObject, ResourceType } from '../../src/kube/objects.ts';
import { collectionPath, objectPath } from '../../src/kube/paths.ts';
import type { KubeRequest, Transport } from '../../src/kube/transport/transport.ts';
import type { Clock } from '../../src/lib/clock.ts';

/** An object with whatever else its kind has. */
export type Stored = KubeObject & { spec?: unknown; status?: unknown; data?: Record<string, string> };

/** A write that arrived. */
export interface Write {
  /** On the monotonic clock. */
  at: number;
  method: string;
  path: string;
  /** `namespace/name` of the object. */
  key: string;
}

interface Change {
  version: number;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  collection: string;
  object: Stored;
  previous: Stored | undefined;
}

interface Watch {
  collection: string;
  selector: string | undefined;
  deliver: (change: Change) => void;
}

interface Place {
  /** The path of all objects of the kind, whatever their namespace. */
  collection: string;
  namespace: string | undefined;
  name: string | undefined;
  isStatus: boolean;
}

/** How long a request takes to arrive, and an answer or an event, in milliseconds: at most. */
const LATENCY_MS = 12;
const EVENT_LAG_MS = 60;
const NO_ANSWER = { status: 0, reason: 'Aborted' } as const;

/**
 * An API server in memory: versions, conflicts, merge patches with a status of its own, finalizers, owner references, lists and
 * watches with label selectors. Requests arrive, and answers and events come, after some virtual time, so that they overtake each
 * other as on a network; the events of one watch keep their order.
 */
export class Cluster {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #objects = new Map<string, Stored>();
  readonly #changes: Change[] = [];
  readonly #watches = new Set<Watch>();
  #version = 0;
  #uids = 0;
  /** Until when no watch delivers anything, on the monotonic clock. */
  #silentUntil = -Infinity;
  /** Every write of the operator that was carried out. */
  readonly writes: Write[] = [];
  /** From when to when each object was there, by kind and key. */
  readonly lives: { collection: string; key: string; from: number; to: number }[] = [];
  /** From when to when no watch delivered anything. */
  readonly silences: { from: number; to: number }[] = [];
  /** Every write of the operator that was refused because the object had changed, or was there already. */
  readonly conflicts: Write[] = [];

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** What an operator's client sends its requests by. */
  get transport(): Transport {
    const part: Pick<Transport, 'request' | 'stream' | 'close'> = {
      request: <T>(request: KubeRequest) => this.#request(request) as Promise<T>,
      stream: (request, onChunk) => this.#stream(request, onChunk),
      close: () => Promise.resolve(),
    };
    return part as Transport;
  }

  /** All objects of a kind as they are now. */
  all<T extends KubeObject>(type: ResourceType<T>): T[] {
    const collection = collectionPath(type);
    return [...this.#objects]
      .filter(([path]) => path.startsWith(`${collection} `))
      .map(([, object]) => object as unknown as T);
  }

  /** One object as it is now. */
  get<T extends KubeObject>(type: ResourceType<T>, ref: { namespace?: string; name: string }): T | undefined {
    const object = this.#objects.get(pathOf(placeOf(objectPath(type, ref))));
    return object as T | undefined;
  }

  /** Creates an object as a user does, at once. */
  create<T extends KubeObject>(type: ResourceType<T>, object: T): void {
    this.#create(placeOf(collectionPath(type, object.metadata.namespace)), object);
  }

  /** Changes an object as a user does, at once. */
  patch<T extends KubeObject>(
    type: ResourceType<T>,
    ref: { namespace?: string; name: string },
    patch: object,
    subresource?: string,
  ): void {
    this.#patch(placeOf(objectPath(type, ref, subresource)), patch);
  }

  /** Deletes an object as a user does, at once; one with finalizers stays until they are removed. */
  delete(type: ResourceType, ref: { namespace?: string; name: string }): void {
    this.#delete(placeOf(objectPath(type, ref)), {});
  }

  /** No watch delivers anything for so long. One silence does not follow another at once. */
  silence(ms: number): void {
    const now = this.#clock.monotonic();
    if (now <= this.#silentUntil + 10_000) return;
    this.#silentUntil = now + ms;
    this.silences.push({ from: now, to: now + ms });
  }

  async #request(request: KubeRequest): Promise<unknown> {
    const { signal } = request;
    // What is sent is what it was at that moment.
    const body: unknown = request.body === undefined ? undefined : structuredClone(request.body);
    await this.#pause(signal);
    let answer: unknown;
    let error: unknown;
    try {
      answer = structuredClone(this.#carryOut({ ...request, body }));
    } catch (refused) {
      error = refused;
    }
    await this.#pause(signal);
    if (error !== undefined) throw error;
    return answer;
  }

  async #pause(signal: AbortSignal | undefined): Promise<void> {
    await this.#clock
      .sleep(1 + Math.floor(this.#random() * LATENCY_MS), signal)
      .catch(() => Promise.reject(Object.assign(refusal(0, [], 'Aborted'), NO_ANSWER)));
  }

  #carryOut({ method, path, query, body, accept }: KubeRequest): unknown {
    const place = placeOf(path);
    const isMetadata = accept?.includes('PartialObjectMetadata') ?? false;
    const shown = (object: Stored): Stored =>
      isMetadata ? { apiVersion: '', kind: '', metadata: object.metadata } : object;
    if (method === 'GET' && place.name === undefined)
      return {
        metadata: { resourceVersion: String(this.#version) },
        items: this.#list(place, query?.['labelSelector']).map(shown),
      };
    if (method === 'GET') return shown(this.#present(place));
    const name = place.name ?? (body as Stored).metadata.name;
    const write = { at: this.#clock.monotonic(), method, path, key: `${place.namespace ?? ''}/${name}` };
    let answer: object;
    try {
      answer = this.#write(method, place, body);
    } catch (error) {
      if ((error as { status?: number }).status === 409) this.conflicts.push(write);
      throw error;
    }
    this.writes.push(write);
    return method === 'DELETE' ? answer : shown(answer as Stored);
  }

  #write(method: string, place: Place, body: unknown): object {
    if (method === 'POST') return this.#create(place, body as Stored);
    if (method === 'PATCH') return this.#patch(place, body as object);
    if (method === 'DELETE')
      return this.#delete(place, (body as { preconditions?: Preconditions }).preconditions ?? {});
    throw new Error(`The cluster in memory has no ${method}`);
  }

  #list({ collection, namespace }: Place, selector: string | undefined): Stored[] {
    return [...this.#objects].flatMap(([path, object]) => {
      const isListed =
        path.startsWith(`${collection} `) &&
        (namespace === undefined || object.metadata.namespace === namespace) &&
        isSelected(object, selector);
      return isListed ? [object] : [];
    });
  }

  #present(place: Place): Stored {
    const object = this.#objects.get(pathOf(place));
    if (!object) throw refusal(404);
    return object;
  }

  #create(place: Place, body: Stored): Stored {
    // Nobody reads what an event tells.
    if (place.collection.endsWith('/events')) return body;
    const path = pathOf({ ...place, name: body.metadata.name });
    if (this.#objects.has(path)) throw refusal(409, [], 'AlreadyExists');
    this.#uids += 1;
    const metadata = {
      ...body.metadata,
      uid: `uid-${this.#uids}`,
      creationTimestamp: new Date(this.#clock.now()).toISOString(),
      generation: 1,
    };
    this.lives.push({
      collection: place.collection,
      key: keyOf(metadata),
      from: this.#clock.monotonic(),
      to: Infinity,
    });
    // A status has a path of its own.
    const { status: _, ...rest } = body;
    // An owner may have gone before what it is to own arrives.
    for (const { uid } of metadata.ownerReferences ?? [])
      if (![...this.#objects.values()].some((each) => each.metadata.uid === uid)) this.#collect(uid);
    return this.#store(place, { ...structuredClone(rest), metadata });
  }

  #patch(place: Place, patch: { metadata?: { resourceVersion?: string; uid?: string } }): Stored {
    const before = this.#present(place);
    const version = patch.metadata?.resourceVersion;
    if (version !== undefined && version !== before.metadata.resourceVersion) throw refusal(409);
    if (patch.metadata?.uid !== undefined && patch.metadata.uid !== before.metadata.uid) throw refusal(409);
    const { status, ...rest } = patch as { status?: unknown };
    const hasStatus = !place.collection.endsWith('/secrets');
    const body = place.isStatus ? { status } : hasStatus ? rest : patch;
    const after = merge(structuredClone(before), structuredClone(body)) as Stored;
    after.metadata.resourceVersion = before.metadata.resourceVersion as string;
    if (JSON.stringify(after) === JSON.stringify(before)) return before;
    if (JSON.stringify(after.spec) !== JSON.stringify(before.spec))
      after.metadata.generation = (before.metadata.generation ?? 0) + 1;
    if (after.metadata.deletionTimestamp !== undefined && (after.metadata.finalizers ?? []).length === 0)
      return this.#remove(place, after);
    return this.#store(place, after);
  }

  #delete(place: Place, { uid, resourceVersion }: Preconditions): object {
    const object = this.#present(place);
    const { metadata } = object;
    if (uid !== undefined && uid !== metadata.uid) throw refusal(409);
    if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) throw refusal(409);
    if ((metadata.finalizers ?? []).length === 0) this.#remove(place, object);
    else if (metadata.deletionTimestamp === undefined) {
      const deletionTimestamp = new Date(this.#clock.now()).toISOString();
      const generation = (metadata.generation ?? 0) + 1;
      this.#store(place, { ...object, metadata: { ...metadata, deletionTimestamp, generation } });
    }
    return { kind: 'Status' };
  }

  #store(place: Place, object: Stored): Stored {
    const path = pathOf({ ...place, name: object.metadata.name });
    const previous = this.#objects.get(path);
    this.#version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.#objects.set(path, stored);
    this.#tell({ type: previous ? 'MODIFIED' : 'ADDED', object: stored, previous, place });
    return stored;
  }

  #remove(place: Place, object: Stored): Stored {
    this.#objects.delete(pathOf({ ...place, name: object.metadata.name }));
    const life = this.lives.findLast(
      ({ collection, key }) => collection === place.collection && key === keyOf(object.metadata),
    );
    if (life) life.to = this.#clock.monotonic();
    this.#version += 1;
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.#tell({ type: 'DELETED', object: last, previous: object, place });
    this.#collect(object.metadata.uid ?? '');
    return last;
  }

  /** The garbage collector: what a removed object owned goes a little later. */
  #collect(owner: string): void {
    this.#clock.timer(20 + this.#random() * 200, () => {
      for (const [path, { metadata }] of this.#objects) {
        if (!metadata.ownerReferences?.some(({ uid }) => uid === owner)) continue;
        const collection = path.split(' ')[0] ?? '';
        const { namespace, name } = metadata;
        this.#delete({ collection, namespace, name, isStatus: false }, {});
      }
    });
  }

  #tell({ type, object, previous, place }: Omit<Change, 'version' | 'collection'> & { place: Place }): void {
    const { collection } = place;
    const change: Change = { version: this.#version, type, collection, object, previous };
    this.#changes.push(change);
    for (const watch of this.#watches) if (watch.collection === collection) watch.deliver(change);
  }

  #stream(request: Parameters<Transport['stream']>[0], onChunk: (chunk: Buffer) => void): Promise<void> {
    const { path, query, accept, signal, onOpen } = request;
    const { collection } = placeOf(path);
    const isMetadata = accept?.includes('PartialObjectMetadata') ?? false;
    return new Promise((_, reject) => {
      let last = 0;
      const selector = query?.['labelSelector'];
      const deliver = (change: Change): void => {
        const type = seenAs(change, selector);
        if (!type) return;
        const now = this.#clock.monotonic();
        last = Math.max(last, now + 1 + this.#random() * EVENT_LAG_MS, this.#silentUntil);
        const object = isMetadata ? { metadata: change.object.metadata } : change.object;
        const line = Buffer.from(`${JSON.stringify({ type, object })}\n`);
        this.#clock.timer(last - now, () => {
          if (this.#watches.has(watch)) onChunk(line);
        });
      };
      const watch: Watch = { collection, selector, deliver };
      const end = (): void => {
        this.#watches.delete(watch);
        reject(Object.assign(refusal(0, [], 'Aborted'), NO_ANSWER));
      };
      if (signal?.aborted) return end();
      signal?.addEventListener('abort', end, { once: true });
      this.#watches.add(watch);
      onOpen?.();
      const since = Number(query?.['resourceVersion'] ?? 0);
      for (const change of this.#changes)
        if (change.collection === collection && change.version > since) deliver(change);
    });
  }
}

interface Preconditions {
  uid?: string;
  resourceVersion?: string;
}

/** How a watch with a label selector sees a change; undefined if it does not. */
function seenAs(
  { type, object, previous }: Change,
  selector: string | undefined,
): Change['type'] | undefined {
  const was = previous !== undefined && isSelected(previous, selector);
  const is = type !== 'DELETED' && isSelected(object, selector);
  if (is) return was ? 'MODIFIED' : 'ADDED';
  return was ? 'DELETED' : undefined;
}

function isSelected({ metadata: { labels } }: KubeObject, selector: string | undefined): boolean {
  if (selector === undefined) return true;
  const [key = '', value] = selector.split('=');
  return labels?.[key] === value;
}

function keyOf({ namespace = '', name }: { namespace?: string; name: string }): string {
  return `${namespace}/${name}`;
}

function pathOf({ collection, namespace, name }: Place): string {
  return `${collection} ${namespace ?? ''} ${name ?? ''}`;
}

/** Reads a path of the API: `/api/v1/…` and `/apis/<group>/<version>/…`. */
function placeOf(path: string): Place {
  const parts = path.split('/').slice(1).map(decodeURIComponent);
  const root = parts.splice(0, parts[0] === 'api' ? 2 : 3);
  const namespace = parts[0] === 'namespaces' ? parts.splice(0, 2)[1] : undefined;
  const [plural = '', name, subresource] = parts;
  return {
    collection: `/${[...root, plural].join('/')}`,
    namespace,
    name,
    isStatus: subresource === 'status',
  };
}

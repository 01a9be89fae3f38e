import type { KubeClient } from '../../../src/kube/client.ts';
import { ApiError, type ApiErrorCause } from '../../../src/kube/errors.ts';
import type { KubeObject } from '../../../src/kube/objects.ts';

const REASONS: Record<number, string> = { 404: 'NotFound', 409: 'Conflict', 422: 'Invalid' };

/** The answer of an API server that refuses a request. */
export function refusal(
  status: number,
  causes: readonly ApiErrorCause[] = [],
  reason = REASONS[status] ?? 'Unknown',
): ApiError {
  return new ApiError({
    status,
    reason,
    message: 'refused',
    verb: 'PATCH',
    resource: 'things',
    causes,
  });
}

/** One object at an API server: its versions, conflicts and JSON merge patches. */
export class StoredObject<T extends KubeObject> {
  object: T | undefined;
  /** The bodies of all accepted writes. */
  readonly writes: unknown[] = [];
  /** Runs once before the next write: changes the object, or throws the answer of the API server. */
  beforeWrite: (() => void) | undefined;
  /** Whether the API server stores a field of status; an older CRD drops fields. */
  storesField: (name: string) => boolean = () => true;
  #version = 100;

  constructor(object?: T) {
    this.object = object;
  }

  /** The part of a client that reads and writes this object. */
  get kube(): KubeClient {
    const verbs = {
      get: () => this.#answer(() => this.#present()),
      find: () => this.#answer(() => this.object),
      findMetadata: () => this.#answer(() => this.object && { metadata: this.object.metadata }),
      create: (_: unknown, body: T) => this.#answer(() => this.#create(body)),
      mergePatch: (_: unknown, __: unknown, patch: object, options: { subresource?: string } = {}) =>
        this.#answer(() => this.#patch(patch, options)),
    };
    return verbs as unknown as KubeClient;
  }

  /** Changes the object as another client would. */
  change(patch: object): void {
    const merged = merge(this.#present(), patch) as T;
    this.object = { ...merged, metadata: { ...merged.metadata, resourceVersion: this.#next() } };
  }

  #create(body: T): T {
    this.#before();
    if (this.object) throw refusal(409, [], 'AlreadyExists');
    this.writes.push(body);
    const metadata = { uid: 'new-uid', ...body.metadata, resourceVersion: this.#next() };
    return (this.object = { ...body, metadata });
  }

  #patch(patch: { metadata?: { resourceVersion?: string } }, { subresource }: { subresource?: string }): T {
    this.#before();
    const present = this.#present();
    const version = patch.metadata?.resourceVersion;
    if (version !== undefined && version !== present.metadata.resourceVersion) throw refusal(409);
    this.writes.push(patch);
    const body = subresource === undefined ? patch : { [subresource]: patch[subresource as keyof object] };
    this.change(body);
    const { status } = this.#present() as { status?: object };
    if (status) {
      const stored = Object.entries(status).filter(([name]) => this.storesField(name));
      this.object = { ...this.#present(), status: Object.fromEntries(stored) };
    }
    return this.#present();
  }

  #before(): void {
    const run = this.beforeWrite;
    this.beforeWrite = undefined;
    run?.();
  }

  #present(): T {
    if (!this.object) throw refusal(404);
    return this.object;
  }

  #next(): string {
    this.#version += 1;
    return String(this.#version);
  }

  async #answer<R>(work: () => R): Promise<R> {
    return work();
  }
}

/** JSON merge patch (RFC 7396). */
export function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else if (value !== undefined) result[name] = merge(result[name], value);
  }
  return result;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import { ApiError } from '../../../src/kube/errors.ts';
import type { Lease, LeaseClient } from '../../../src/kube/lease.ts';
import type { ProcessClock } from '../world/process-clock.ts';
import type { VirtualClock } from '../virtual-clock.ts';

/** What happens to one request. The server executes it even if the client gave up. */
export interface Fate {
  /** Until the server acts. */
  thereMs: number;
  /** Until the reply arrives. */
  backMs: number;
  lost?: 'request' | 'reply';
}

const PROMPT: Fate = { thereMs: 0, backMs: 0 };

/** An API server with one Lease, with resourceVersions and conflicts, behind a bad network. */
export class LeaseApi {
  lease: Lease | undefined;
  /** Called whenever the server acted. */
  onAct: () => void = () => undefined;
  /** Decides what happens to the next request. */
  fate: () => Fate = () => PROMPT;
  /** How many writes succeeded, and how many requests arrived. */
  writes = 0;
  requests = 0;
  readonly #world: VirtualClock;
  #version = 0;
  #uid = 0;

  constructor(world: VirtualClock) {
    this.#world = world;
  }

  /** The client of one process. */
  client(process: ProcessClock): LeaseClient {
    const call = <T>(act: () => T, signal: AbortSignal): Promise<T> => this.#call(process, act, signal);
    return {
      find: (_type, _ref, { signal }) => call(() => structuredClone(this.lease), signal),
      create: (_type, object, { signal }) => call(() => this.#create(structuredClone(object)), signal),
      update: (_type, object, { signal }) => call(() => this.#update(structuredClone(object)), signal),
    };
  }

  #call<T>(process: ProcessClock, act: () => T, signal: AbortSignal): Promise<T> {
    const { thereMs, backMs, lost } = this.fate();
    this.requests += 1;
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      if (lost === 'request') return;
      this.#world.timer(thereMs, () => {
        const deliver = attempt(act, resolve, reject);
        this.onAct();
        if (lost !== 'reply') this.#world.timer(backMs, () => process.run(deliver));
      });
    });
  }

  #create(lease: Lease): Lease {
    if (this.lease) throw refusal(409, 'AlreadyExists', 'POST');
    this.#uid += 1;
    return this.#store({ ...lease, metadata: { ...lease.metadata, uid: `uid-${this.#uid}` } });
  }

  #update(lease: Lease): Lease {
    if (!this.lease) throw refusal(404, 'NotFound', 'PUT');
    if (lease.metadata.resourceVersion !== this.lease.metadata.resourceVersion)
      throw refusal(409, 'Conflict', 'PUT');
    return this.#store(lease);
  }

  #store(lease: Lease): Lease {
    this.#version += 1;
    this.writes += 1;
    this.lease = { ...lease, metadata: { ...lease.metadata, resourceVersion: String(this.#version) } };
    return structuredClone(this.lease);
  }
}

function attempt<T>(act: () => T, resolve: (value: T) => void, reject: (error: unknown) => void): () => void {
  try {
    const value = act();
    return () => resolve(value);
  } catch (error) {
    return () => reject(error);
  }
}

function refusal(status: number, reason: string, verb: string): ApiError {
  return new ApiError({ status, reason, message: reason, verb, resource: 'leases' });
}

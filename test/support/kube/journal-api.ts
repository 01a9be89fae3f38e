import type { JournalClient } from '../../../src/journal/store.ts';
import type { CallOptions } from '../../../src/kube/client.ts';
import type { Secret } from '../../../src/kube/objects.ts';
import { refusal } from './stored-object.ts';

/** What happens to a request. The API server may carry out one whose answer is lost. */
export type JournalFate =
  | 'answered'
  /** It never arrives. */
  | 'request lost'
  /** It is carried out, and the answer never arrives. */
  | 'reply lost'
  /** No answer; it is carried out when the test says so. */
  | 'late'
  /** It is refused with this status, and nothing is changed. */
  | { refused: number };

/** The writes of one process: under way now, and the most at once. */
export interface Traffic {
  underWay: number;
  most: number;
}

interface Request {
  kind: 'read' | 'write' | 'create';
  carryOut: () => Secret | undefined;
  resolve: (answer: Secret | undefined) => void;
  reject: (error: unknown) => void;
}

/** The names of the journal, and of the object that holds the records. */
export const JOURNAL = 'journal';
export const RECORDS = 'journal-records';

/**
 * An API server with two Secrets, the journal and its records: versions, conflicts, merge patches of its data, and a patch that changes nothing keeps the version.
 * Requests wait until the test lets them go on, or are answered at once while `isPrompt`.
 */
export class JournalApi {
  readonly #objects = new Map<string, Secret>();
  /** Called with the data of each version of the journal that is stored. */
  onStored: (data: Record<string, string>) => void = () => undefined;
  /** Writes that were sent. */
  sent = 0;
  isPrompt = true;
  /** Decides about the next request, in the moment in which it arrives. */
  fate: (kind: Request['kind']) => JournalFate = () => 'answered';
  readonly #waiting: Request[] = [];
  readonly #late: Request[] = [];
  readonly #name: string;
  readonly #recordsName: string;
  #version = 0;

  /** The names of the journal, and of the object that holds its records. */
  constructor({ name, recordsName } = { name: JOURNAL, recordsName: RECORDS }) {
    this.#name = name;
    this.#recordsName = recordsName;
  }

  /** The client of a process; it hears nothing once `isDead` tells so. */
  client(isDead: () => boolean = () => false, own: Traffic = { underWay: 0, most: 0 }): JournalClient {
    const call = (
      kind: Request['kind'],
      carryOut: Request['carryOut'],
      signal?: AbortSignal,
    ): Promise<never> => this.#call(kind, carryOut, isDead, own, signal) as Promise<never>;
    const client = {
      find: (_type: unknown, { name }: { name: string }, options?: CallOptions) =>
        call('read', () => structuredClone(this.#objects.get(name)), options?.signal),
      create: (_type: unknown, object: Secret, options?: CallOptions) => {
        const body = structuredClone(object);
        return call('create', () => this.#create(body), options?.signal);
      },
      mergePatch: (_type: unknown, { name }: { name: string }, patch: object, options?: CallOptions) => {
        const body = structuredClone(patch) as Patch;
        return call('write', () => this.#patch(name, body), options?.signal);
      },
    };
    return client;
  }

  /** The journal itself. */
  get secret(): Secret | undefined {
    return this.#objects.get(this.#name);
  }

  set secret(secret: Secret | undefined) {
    if (secret) this.#objects.set(this.#name, secret);
    else this.#objects.delete(this.#name);
  }

  /** What the journal holds, decoded. */
  get data(): Record<string, string> {
    return decoded(this.secret);
  }

  /** What the object of its records holds, decoded. */
  get recordData(): Record<string, string> {
    return decoded(this.#objects.get(this.#recordsName));
  }

  /** The keys of all entries. */
  get entryKeys(): string[] {
    return Object.keys(this.data).filter((key) => key.includes('.entry.'));
  }

  /** Answers the next request that waits. */
  next(): void {
    const request = this.#waiting.shift();
    if (request) this.#act(request);
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Carries out what is late. */
  carryOutLate(): void {
    for (const { carryOut } of this.#late.splice(0)) {
      try {
        carryOut();
      } catch {
        // Nobody hears of the refusal.
      }
    }
  }

  /** Changes the object as somebody else would. */
  change(data: Record<string, string | null>, name = this.#name): void {
    const patch = Object.entries(data).map(([key, text]) => [key, text === null ? null : base64(text)]);
    this.#patch(name, { data: Object.fromEntries(patch) as Record<string, string | null> });
  }

  /** Deletes an object as somebody else would. */
  remove(name: string): void {
    this.#objects.delete(name);
  }

  /** Puts an earlier version of the object back. */
  putBack(secret: Secret): void {
    this.#store(structuredClone(secret));
  }

  #call(
    kind: Request['kind'],
    carryOut: Request['carryOut'],
    isDead: () => boolean,
    own: Traffic,
    signal?: AbortSignal,
  ): Promise<Secret | undefined> {
    const isWrite = kind !== 'read';
    if (isWrite) {
      this.sent += 1;
      own.underWay += 1;
      own.most = Math.max(own.most, own.underWay);
    }
    return new Promise((resolve, reject) => {
      let isOver = false;
      const end = (settle: () => void): void => {
        if (isOver) return;
        isOver = true;
        signal?.removeEventListener('abort', onAbort);
        if (isWrite) own.underWay -= 1;
        if (!isDead()) settle();
      };
      const onAbort = (): void => end(() => reject(signal?.reason as Error));
      signal?.addEventListener('abort', onAbort);
      const request: Request = {
        kind,
        carryOut,
        resolve: (answer) => end(() => resolve(answer)),
        reject: (error) => end(() => reject(error)),
      };
      if (this.isPrompt) this.#act(request);
      else this.#waiting.push(request);
    });
  }

  #act(request: Request): void {
    const fate = this.fate(request.kind);
    const noAnswer = Object.assign(refusal(0, [], 'DeadlineExceeded'), { status: 0 });
    if (typeof fate === 'object') return request.reject(refusal(fate.refused));
    if (fate === 'request lost') return request.reject(noAnswer);
    if (fate === 'late') {
      this.#late.push(request);
      return request.reject(noAnswer);
    }
    try {
      const answer = request.carryOut();
      if (fate === 'reply lost') request.reject(noAnswer);
      else request.resolve(answer);
    } catch (error) {
      request.reject(error);
    }
  }

  #create(body: Secret): Secret {
    if (this.#objects.has(body.metadata.name)) throw refusal(409, [], 'AlreadyExists');
    return this.#store(body);
  }

  #patch(name: string, patch: Patch): Secret {
    const before = this.#objects.get(name);
    if (!before) throw refusal(404);
    const version = patch.metadata?.resourceVersion;
    if (version !== undefined && version !== before.metadata.resourceVersion) throw refusal(409);
    const data = { ...before.data };
    for (const [key, text] of Object.entries(patch.data ?? {})) {
      if (text === null) delete data[key];
      else data[key] = text;
    }
    if (JSON.stringify(sorted(data)) === JSON.stringify(sorted(before.data ?? {})))
      return structuredClone(before);
    return this.#store({ ...before, data });
  }

  #store(secret: Secret): Secret {
    this.#version += 1;
    const stored = { ...secret, metadata: { ...secret.metadata, resourceVersion: String(this.#version) } };
    this.#objects.set(secret.metadata.name, stored);
    if (secret.metadata.name === this.#name) this.onStored(decoded(stored));
    return structuredClone(stored);
  }
}

interface Patch {
  metadata?: { resourceVersion?: string };
  data?: Record<string, string | null>;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function decoded(secret: Secret | undefined): Record<string, string> {
  const entries = Object.entries(secret?.data ?? {});
  return Object.fromEntries(entries.map(([key, text]) => [key, Buffer.from(text, 'base64').toString()]));
}

function sorted(data: Record<string, string>): [string, string][] {
  return Object.entries(data).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

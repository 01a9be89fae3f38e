import { isApiError, isConflict, isNotFound } from '../kube/errors.ts';
import type { KubeClient, WriteOptions } from '../kube/client.ts';
import { type ObjectRef, type Secret, secrets } from '../kube/objects.ts';
import { asError, TerminalError } from '../lib/errors.ts';

/** The object that holds the journal. */
export interface JournalObject {
  namespace: string;
  name: string;
  /** Of the object beside it that holds the records. */
  recordsName: string;
  labels: Readonly<Record<string, string>>;
  /** The Secret's own type, which nobody can change: a Secret of another type is not the journal. */
  type: string;
}

/** The part of a client that the journal needs. */
export type JournalClient = Pick<KubeClient, 'find' | 'create' | 'mergePatch'>;

/** What the object holds: texts by key. */
export type Data = ReadonlyMap<string, string>;
/** New texts by key; undefined removes a key. */
export type Changes = ReadonlyMap<string, string | undefined>;

/** What became of a write. */
export type Outcome =
  | { is: 'written'; version: string }
  /** Refused, since the object is not the version that was written over. */
  | { is: 'changed' }
  /** Refused, since there is no such object. */
  | { is: 'missing' }
  /** Refused, and nothing was changed. */
  | { is: 'refused'; error: Error }
  /** No answer, or one that does not tell: it may have been carried out, or may be later. */
  | { is: 'unknown'; error: Error };

/** How long a write or read of the journal may take, in milliseconds. A later answer would be of no use to an attempt. */
export const REQUEST_DEADLINE_MS = 10_000;

/**
 * The journal at the API server. It is a Secret although nothing in it is secret: who writes it decides what a recovery may
 * adopt, and rights to write ConfigMaps are given away far more freely than rights to write Secrets. Whoever may write the
 * Secrets of this namespace holds the credentials of cluster issuers anyway.
 */
export class JournalStore {
  readonly #client: JournalClient;
  readonly #object: Omit<JournalObject, 'recordsName'>;

  constructor(client: JournalClient, object: Omit<JournalObject, 'recordsName'>) {
    this.#client = client;
    this.#object = object;
  }

  /** The object that holds the records. */
  static ofRecords(client: JournalClient, object: JournalObject): JournalStore {
    return new JournalStore(client, { ...object, name: object.recordsName });
  }

  /** The journal as it is now; undefined if there is none. Throws `JournalNameTaken` for an object that is not a journal. */
  async read(signal: AbortSignal): Promise<{ version: string; data: Data } | undefined> {
    const found = await this.#client.find(secrets, this.#ref(), this.#call(signal));
    if (!found) return undefined;
    if (found.type !== this.#object.type) {
      throw new TerminalError(
        'JournalNameTaken',
        `The Secret ${this.#object.namespace}/${this.#object.name} is not the operator’s journal (its type is not ${this.#object.type}): rename or delete it.`,
      );
    }
    const data = Object.entries(found.data ?? {}).map(([key, text]): [string, string] => [
      key,
      decoded(text),
    ]);
    return { version: found.metadata.resourceVersion ?? '', data: new Map(data) };
  }

  /** Writes changes over a version. */
  write(version: string, changes: Changes, signal: AbortSignal): Promise<Outcome> {
    const data = Object.fromEntries(
      [...changes].map(([key, text]) => [key, text === undefined ? null : encoded(text)]),
    );
    const patch = { metadata: { resourceVersion: version }, data };
    const options: WriteOptions = { ...this.#call(signal), metadataOnly: true };
    return outcomeOf(() => this.#client.mergePatch(secrets, this.#ref(), patch, options));
  }

  /** Creates the object. One that exists already counts as changed. */
  create(data: Data, signal: AbortSignal): Promise<Outcome> {
    const { namespace, name, labels, type } = this.#object;
    const secret: Secret = {
      metadata: { namespace, name, labels },
      type,
      data: Object.fromEntries([...data].map(([key, text]) => [key, encoded(text)])),
    };
    const options: WriteOptions = { ...this.#call(signal), metadataOnly: true };
    return outcomeOf(() => this.#client.create(secrets, secret, options));
  }

  #ref(): ObjectRef {
    return { namespace: this.#object.namespace, name: this.#object.name };
  }

  #call(signal: AbortSignal): { signal: AbortSignal; deadlineMs: number } {
    return { signal, deadlineMs: REQUEST_DEADLINE_MS };
  }
}

async function outcomeOf(send: () => Promise<Secret>): Promise<Outcome> {
  try {
    const { metadata } = await send();
    // Without its version the object cannot be written over, so it has to be read again.
    return metadata.resourceVersion === undefined
      ? { is: 'unknown', error: new Error('The API server answered without a resourceVersion.') }
      : { is: 'written', version: metadata.resourceVersion };
  } catch (thrown) {
    const error = asError(thrown);
    if (isNotFound(thrown)) return { is: 'missing' };
    if (isConflict(thrown) || (isApiError(thrown) && thrown.status === 409)) return { is: 'changed' };
    return { is: isRefusal(thrown) ? 'refused' : 'unknown', error };
  }
}

/** Whether nothing was changed for certain. An error of the server itself, such as etcd's timeout, does not tell. */
function isRefusal(thrown: unknown): boolean {
  return isApiError(thrown) && thrown.status >= 400 && thrown.status < 500 && thrown.status !== 408;
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64');
}

function decoded(text: string): string {
  return Buffer.from(text, 'base64').toString();
}

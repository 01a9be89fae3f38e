import { randomBytes } from 'node:crypto';
import { type Clock, deadline } from '../lib/clock.ts';
import { AppError, asError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { within } from '../lib/within.ts';
import type { KubeObject, ResourceType } from './objects.ts';

/** The object that an event is about. */
export interface EventSubject {
  apiVersion: string;
  kind: string;
  /** Absent for a cluster-scoped object; its events go into the namespace `default`. */
  namespace?: string;
  name: string;
  uid: string;
  resourceVersion?: string;
}

export interface EventRecord {
  object: EventSubject;
  type: 'Normal' | 'Warning';
  /** Why, as one word in UpperCamelCase. */
  reason: string;
  /** A sentence for people; cut to 1 KiB. */
  message: string;
  /** The caller limits the number of these events, so the limit per object does not apply. */
  isBounded?: true;
  /** What was done, as one word in UpperCamelCase. Default: `Reconcile`. */
  action?: string;
}

/** The fields of events.k8s.io/v1 `Event` that the recorder writes. */
export interface KubeEvent extends KubeObject {
  eventTime: string;
  type: string;
  reason: string;
  action: string;
  note: string;
  reportingController: string;
  reportingInstance: string;
  regarding: EventSubject;
}

export const events: ResourceType<KubeEvent> = {
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
};

/** The part of the client that the recorder needs. */
export interface EventClient {
  create(
    type: ResourceType<KubeEvent>,
    object: KubeEvent,
    options: { signal: AbortSignal },
  ): Promise<KubeEvent>;
}

export interface EventRecorderOptions {
  client: EventClient;
  clock: Clock;
  log: Logger;
  /** The reporting controller as a qualified name, such as `tinycert-operator.io/operator`. */
  controller: string;
  /** The reporting process: the pod's name. */
  instance: string;
}

/** The API server did not accept an event in time. */
export class EventTimeoutError extends AppError {
  constructor() {
    super('EventTimeout', 'The API server did not accept the event in time.');
  }
}

/** How long the same event about the same object is suppressed, in milliseconds. */
export const EVENT_REPEAT_MS = 600_000;
/** How many events about one object are written at once. */
export const EVENT_BURST = 10;
/** After a burst, one more event about the object is written per this time, in milliseconds. */
export const EVENT_REFILL_MS = 60_000;
/** Most events that wait to be written; further ones are dropped. */
const MAX_QUEUED = 256;
/** Most events, and most objects, that the recorder remembers. */
const MAX_REMEMBERED = 4096;
/** The API server's limit for `note`. */
const MAX_NOTE_BYTES = 1024;
/** Time limit for writing one event, in milliseconds. */
const WRITE_MS = 5000;
/** Time limit for writing the queued events at shutdown, in milliseconds. */
const DRAIN_MS = 5000;

interface Bucket {
  tokens: number;
  at: number;
}

/**
 * Writes events for people, one after the other, in the background. `record` never throws and never waits. The same event about the
 * same object is suppressed for ten minutes. One object gets ten events at once, then one a minute. An event that the API server
 * refuses is dropped, since it only repeats a condition or a log line.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #queue: { record: EventRecord; at: number; id: string }[] = [];
  /** When each event was last recorded, oldest first. */
  readonly #recent = new Map<string, number>();
  readonly #buckets = new Map<string, Bucket>();
  #wake: (() => void) | undefined;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  /** Queues an event, unless it repeats a recent one or its object has had too many. */
  record(record: EventRecord): void {
    const { clock, log } = this.#options;
    const { object, type, reason, message, isBounded = false } = record;
    const now = clock.monotonic();
    const id = JSON.stringify([object.uid, type, reason, message]);
    const last = this.#recent.get(id);
    if (last !== undefined && now - last < EVENT_REPEAT_MS) return;
    if (this.#queue.length >= MAX_QUEUED || !(isBounded || this.#mayWrite(object.uid, now))) {
      log.debug({ kind: object.kind, name: object.name, reason }, 'Event suppressed');
      return;
    }
    remember(this.#recent, id, now);
    this.#queue.push({ record, at: clock.now(), id });
    this.#wake?.();
  }

  /** Writes recorded events until `signal` aborts, then the queued rest, for at most 5 seconds. */
  async run(signal: AbortSignal): Promise<void> {
    const wake = (): void => this.#wake?.();
    signal.addEventListener('abort', wake, { once: true });
    while (!signal.aborted) {
      await this.#writeAll(() => signal.aborted);
      if (!signal.aborted && this.#queue.length === 0) await this.#woken();
    }
    const limit = deadline(this.#options.clock, DRAIN_MS, () => new EventTimeoutError());
    await this.#writeAll(() => limit.signal.aborted, limit.signal);
    limit.clear();
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }

  async #writeAll(stop: () => boolean, signal?: AbortSignal): Promise<void> {
    while (!stop()) {
      const next = this.#queue.shift();
      if (!next) return;
      const { record, at, id } = next;
      try {
        await this.#write(this.#eventOf(record, at), signal);
      } catch (thrown) {
        this.#recent.delete(id);
        const { kind, name } = record.object;
        this.#options.log.debug({ error: asError(thrown), kind, name }, 'Event not written');
      }
    }
  }

  async #write(event: KubeEvent, parent: AbortSignal | undefined): Promise<void> {
    const { client, clock } = this.#options;
    await within(
      clock,
      WRITE_MS,
      () => new EventTimeoutError(),
      (signal) => client.create(events, event, { signal }),
      parent,
    );
  }

  #eventOf({ object, type, reason, message, action = 'Reconcile' }: EventRecord, at: number): KubeEvent {
    const { controller, instance } = this.#options;
    const suffix = randomBytes(8).toString('hex');
    return {
      metadata: { name: `${object.name.slice(0, 200)}.${suffix}`, namespace: object.namespace ?? 'default' },
      eventTime: new Date(at).toISOString().replace('Z', '000Z'),
      type,
      reason,
      action,
      note: clipBytes(message, MAX_NOTE_BYTES),
      reportingController: controller,
      reportingInstance: instance.slice(0, 128),
      regarding: object,
    };
  }

  #mayWrite(uid: string, now: number): boolean {
    const known = this.#buckets.get(uid) ?? { tokens: EVENT_BURST, at: now };
    const tokens = Math.min(EVENT_BURST, known.tokens + (now - known.at) / EVENT_REFILL_MS);
    const may = tokens >= 1;
    remember(this.#buckets, uid, { tokens: may ? tokens - 1 : tokens, at: now });
    return may;
  }
}

/** Sets a value as the newest and drops the oldest beyond the bound. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.size > MAX_REMEMBERED ? map.keys() : [];
  if (oldest !== undefined) map.delete(oldest);
}

/** Cuts a text to `max` bytes at a whole character and ends it with an ellipsis. Shorter texts stay as they are. */
function clipBytes(text: string, max: number): string {
  if (Buffer.byteLength(text) <= max) return text;
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(max - 3));
  return `${text.slice(0, read)}…`;
}

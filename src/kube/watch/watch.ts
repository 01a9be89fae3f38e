import { cleaned, type Selection, selectors } from '../client.ts';
import { ApiError, statusError } from '../errors.ts';
import { LineSplitter } from './lines.ts';
import type { KubeObject, ResourceType } from '../objects.ts';
import { collectionPath } from '../paths.ts';
import type { Transport } from '../transport/transport.ts';

/** A change. BOOKMARK changes nothing: everything up to its resourceVersion has been sent. */
export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

/** Receives what happens on a watch. Both functions are called synchronously. */
export interface WatchListener<T> {
  /** The server has accepted the watch. */
  opened(): void;
  event(event: WatchEvent<T>): void;
}

export interface WatchOptions extends Selection {
  /** The version to start from: that of a list, an event or a bookmark. */
  resourceVersion: string;
  /** Seconds after which the server ends the watch. */
  timeoutSeconds: number;
  /** Milliseconds of silence after which the connection counts as dead. */
  idleMs: number;
  signal: AbortSignal;
}

/** How much longer than its own time limit the server may take, in milliseconds. */
const GRACE_MS = 10_000;
const METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';

/**
 * Watches one collection and passes each event to `listener` as soon as its line is complete. Resolves when the server ends the
 * watch. Throws an `ApiError`: that of the Status for an ERROR event (410: list again), a ProtocolError for a line that is not an
 * event, and what `stream` throws.
 */
export async function watchObjects<T extends KubeObject>(
  transport: Transport,
  type: ResourceType<T>,
  options: WatchOptions,
  listener: WatchListener<T>,
): Promise<void> {
  const { namespace, metadataOnly = false, resourceVersion, timeoutSeconds, idleMs, signal } = options;
  const splitter = new LineSplitter((line) => listener.event(parseEvent(type, line)));
  await transport.stream(
    {
      method: 'GET',
      path: collectionPath(type, namespace),
      query: {
        watch: '1',
        allowWatchBookmarks: 'true',
        ...selectors(options),
        resourceVersion,
        timeoutSeconds: timeoutSeconds.toString(),
      },
      ...(metadataOnly ? { accept: METADATA } : {}),
      resource: type.plural,
      deadlineMs: timeoutSeconds * 1000 + GRACE_MS,
      idleMs,
      onOpen: () => listener.opened(),
      signal,
    },
    (chunk) => {
      try {
        splitter.push(chunk);
      } catch (error) {
        throw error instanceof RangeError ? protocolError(type, error.message) : error;
      }
    },
  );
}

function parseEvent<T extends KubeObject>(type: ResourceType<T>, line: string): WatchEvent<T> {
  const event = parseLine(line);
  switch (event?.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      if (!isObject(event.object)) break;
      return { type: event.type, object: cleaned(type, event.object as T) };
    case 'BOOKMARK':
      if (!isObject(event.object)) break;
      return { type: 'BOOKMARK', resourceVersion: event.object.metadata.resourceVersion };
    case 'ERROR':
      throw statusError(event.object, { verb: 'WATCH', resource: type.plural, status: 500 });
    default:
  }
  // Neither the line nor the parser's message, which quotes it, is kept: it may contain a Secret.
  throw protocolError(type, 'A line of the watch is not an event.');
}

function parseLine(line: string): { type?: unknown; object?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is { metadata: { resourceVersion: string } } {
  if (typeof value !== 'object' || value === null || !('metadata' in value)) return false;
  const { metadata } = value;
  return (
    typeof metadata === 'object' &&
    metadata !== null &&
    'resourceVersion' in metadata &&
    typeof metadata.resourceVersion === 'string'
  );
}

function protocolError(type: ResourceType, message: string): ApiError {
  return new ApiError({
    status: 0,
    reason: 'ProtocolError',
    message,
    verb: 'WATCH',
    resource: type.plural,
  });
}

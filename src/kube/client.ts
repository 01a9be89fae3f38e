import { isExpired, isNotFound } from './errors.ts';
import type { KubeObject, ObjectRef, ResourceType } from './objects.ts';
import { apiVersionOf, collectionPath, objectPath } from './paths.ts';
import type { KubeRequest, Transport } from './transport/transport.ts';

export interface CallOptions {
  signal?: AbortSignal;
  /** Milliseconds. Default: 30 s for one object, 60 s for a page of a list. */
  deadlineMs?: number;
}

export interface WriteOptions extends CallOptions {
  /** `Strict` makes the server refuse unknown fields instead of dropping them. */
  fieldValidation?: 'Strict';
  /** Makes the server answer with the metadata alone, without spec, data or status. */
  metadataOnly?: boolean;
}

export interface Selection {
  /** Absent: all namespaces, or a cluster-scoped kind. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Returns metadata alone, without spec, data or status. */
  metadataOnly?: boolean;
}

export interface ListOptions extends Selection, CallOptions {
  limit?: number;
  continue?: string;
  resourceVersion?: string;
  resourceVersionMatch?: 'Exact' | 'NotOlderThan';
}

export interface Page<T> {
  items: T[];
  resourceVersion: string;
  continue?: string;
}

const METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
const MERGE_PATCH = 'application/merge-patch+json';
const LIST_DEADLINE_MS = 60_000;

/** Objects per page of a list, as in client-go and kube-rs. */
export const PAGE_SIZE = 500;
/** How often `listAll` starts if its continue token keeps expiring. */
export const MAX_LIST_STARTS = 3;

/** The API's verbs on typed objects. Every method throws `ApiError`. */
export class KubeClient {
  readonly transport: Transport;
  readonly #fieldManager: string;

  constructor(transport: Transport, options: { fieldManager: string }) {
    this.transport = transport;
    this.#fieldManager = options.fieldManager;
  }

  async get<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    options: CallOptions = {},
  ): Promise<T> {
    return this.transport.request<T>({
      method: 'GET',
      path: objectPath(type, ref),
      resource: type.plural,
      ...options,
    });
  }

  /** Like `get`, but returns undefined if the object does not exist. */
  async find<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    options: CallOptions = {},
  ): Promise<T | undefined> {
    return absentAsUndefined(this.get(type, ref, options));
  }

  /** The metadata of an object, or undefined if it does not exist. */
  async findMetadata(
    type: ResourceType,
    ref: ObjectRef,
    options: CallOptions = {},
  ): Promise<KubeObject | undefined> {
    const request = this.transport.request<KubeObject>({
      method: 'GET',
      path: objectPath(type, ref),
      accept: METADATA,
      resource: type.plural,
      ...options,
    });
    const found = await absentAsUndefined(request);
    return found && cleaned(type, found);
  }

  /** One page of a list. Its objects have apiVersion and kind, and no managedFields. */
  async list<T extends KubeObject>(type: ResourceType<T>, options: ListOptions = {}): Promise<Page<T>> {
    const { namespace, metadataOnly = false, signal, deadlineMs = LIST_DEADLINE_MS } = options;
    const list = await this.transport.request<ListBody<T>>({
      method: 'GET',
      path: collectionPath(type, namespace),
      query: {
        ...selectors(options),
        limit: options.limit?.toString(),
        continue: options.continue,
        resourceVersion: options.resourceVersion,
        resourceVersionMatch: options.resourceVersionMatch,
      },
      ...(metadataOnly ? { accept: METADATA_LIST } : {}),
      resource: type.plural,
      large: true,
      deadlineMs,
      ...(signal ? { signal } : {}),
    });
    const next = list.metadata.continue;
    return {
      items: (list.items ?? []).map((item) => cleaned(type, item)),
      resourceVersion: list.metadata.resourceVersion ?? '',
      ...(next === undefined || next === '' ? {} : { continue: next }),
    };
  }

  /** All pages of one consistent list. Starts over if the server can no longer continue the list. */
  async listAll<T extends KubeObject>(
    type: ResourceType<T>,
    options: Omit<ListOptions, 'limit' | 'continue'> = {},
  ): Promise<{ items: T[]; resourceVersion: string }> {
    for (let start = 1; ; start += 1) {
      try {
        return await this.#allPages(type, options);
      } catch (error) {
        if (!isExpired(error) || start >= MAX_LIST_STARTS) throw error;
      }
    }
  }

  async #allPages<T extends KubeObject>(
    type: ResourceType<T>,
    options: ListOptions,
  ): Promise<{ items: T[]; resourceVersion: string }> {
    const items: T[] = [];
    let page = await this.list(type, { ...options, limit: PAGE_SIZE });
    items.push(...page.items);
    const { resourceVersion: _, resourceVersionMatch: __, ...rest } = options;
    while (page.continue !== undefined) {
      page = await this.list(type, { ...rest, limit: PAGE_SIZE, continue: page.continue });
      items.push(...page.items);
    }
    return { items, resourceVersion: page.resourceVersion };
  }

  /** Returns the object as stored. Throws AlreadyExists if its name is taken. */
  async create<T extends KubeObject>(
    type: ResourceType<T>,
    object: T,
    options: WriteOptions = {},
  ): Promise<T> {
    const { fieldValidation, metadataOnly, ...call } = options;
    const { namespace } = object.metadata;
    if (type.namespaced && namespace === undefined)
      throw new TypeError(`Expected a namespace, since ${type.plural} are namespaced`);
    return this.#write<T>(type, metadataOnly, {
      method: 'POST',
      path: collectionPath(type, namespace),
      query: { fieldManager: this.#fieldManager, fieldValidation },
      body: { ...object, apiVersion: apiVersionOf(type), kind: type.kind },
      resource: type.plural,
      ...call,
    });
  }

  /** Applies a JSON merge patch (RFC 7386). If it contains `metadata.resourceVersion`, throws Conflict for a changed object. */
  async mergePatch<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    patch: object,
    options: WriteOptions & { subresource?: 'status' } = {},
  ): Promise<T> {
    const { fieldValidation, subresource, metadataOnly, ...call } = options;
    return this.#write<T>(type, metadataOnly, {
      method: 'PATCH',
      path: objectPath(type, ref, subresource),
      query: { fieldManager: this.#fieldManager, fieldValidation },
      body: patch,
      contentType: MERGE_PATCH,
      resource: type.plural,
      ...call,
    });
  }

  /** Replaces the whole object. If it has a resourceVersion, throws Conflict for a changed object. */
  async update<T extends KubeObject>(
    type: ResourceType<T>,
    object: T,
    options: WriteOptions = {},
  ): Promise<T> {
    const { fieldValidation, metadataOnly, ...call } = options;
    return this.#write<T>(type, metadataOnly, {
      method: 'PUT',
      path: objectPath(type, object.metadata),
      query: { fieldManager: this.#fieldManager, fieldValidation },
      body: { ...object, apiVersion: apiVersionOf(type), kind: type.kind },
      resource: type.plural,
      ...call,
    });
  }

  /** Deletes an object. Throws Conflict if its `uid` or `resourceVersion` is not the given one, NotFound if it does not exist. */
  async delete(
    type: ResourceType,
    ref: ObjectRef,
    options: CallOptions & { uid?: string; resourceVersion?: string } = {},
  ): Promise<void> {
    const { uid, resourceVersion, ...call } = options;
    await this.transport.request<unknown>({
      method: 'DELETE',
      path: objectPath(type, ref),
      body: {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: 'Background',
        preconditions: { uid, resourceVersion },
      },
      resource: type.plural,
      ...call,
    });
  }

  async #write<T extends KubeObject>(
    type: ResourceType<T>,
    metadataOnly: boolean | undefined,
    request: KubeRequest,
  ): Promise<T> {
    if (!metadataOnly) return this.transport.request<T>(request);
    return cleaned(type, await this.transport.request<T>({ ...request, accept: METADATA }));
  }
}

interface ListBody<T> {
  metadata: { resourceVersion?: string; continue?: string };
  items?: T[] | null;
}

/** The query parameters that select objects, for list and watch alike. */
export function selectors(selection: Selection): Record<string, string | undefined> {
  return { labelSelector: selection.labelSelector, fieldSelector: selection.fieldSelector };
}

/**
 * Sets apiVersion and kind, which items of typed lists lack and metadata-only items have wrong. Drops managedFields, which are half
 * the size of an object with three managers.
 */
export function cleaned<T extends KubeObject>(type: ResourceType<T>, object: T): T {
  const { managedFields: _, ...metadata } = object.metadata as T['metadata'] & { managedFields?: unknown };
  return { ...object, apiVersion: apiVersionOf(type), kind: type.kind, metadata };
}

async function absentAsUndefined<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

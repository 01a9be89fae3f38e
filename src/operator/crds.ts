import { FIELDS } from '../api/fields-of.ts';
import { cacertAccounts, cacertCertificates, certificates, clusterIssuers, issuers } from '../api/kinds.ts';
import { API_VERSION } from '../api/names.ts';
import { CRDS_AGAIN_MS, CrdsOutdated } from '../issuance/status/outdated-crds.ts';
import { isApiError } from '../kube/errors.ts';
import type { ResourceType } from '../kube/objects.ts';
import type { Transport } from '../kube/transport/transport.ts';
import type { Clock } from '../lib/clock.ts';
import { asError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { olderThanOperator } from './kinds/crd-sentences.ts';

/** A schema in the API server's OpenAPI document: only the parts that lead to a field. */
interface Schema {
  properties?: Record<string, Schema>;
  items?: Schema;
  'x-kubernetes-group-version-kind'?: { kind: string }[];
}

/** The kinds with a CRD of ours. */
const KINDS: readonly ResourceType[] = [
  certificates,
  issuers,
  clusterIssuers,
  cacertAccounts,
  cacertCertificates,
];

interface OpenApi {
  components?: { schemas?: Record<string, Schema> };
}

/** The fields of this release that the document lacks, as `Kind.path`. A kind that is not installed lacks none. */
export function missingFields(document: OpenApi): string[] {
  return Object.entries(FIELDS).flatMap(([kind, fields]) => {
    const schema = schemaOf(document, kind);
    return schema
      ? fields.filter((field) => !has(schema, field.split('.'))).map((field) => `${kind}.${field}`)
      : [];
  });
}

function schemaOf(document: OpenApi, kind: string): Schema | undefined {
  return Object.values(document.components?.schemas ?? {}).find((one) =>
    one['x-kubernetes-group-version-kind']?.some((gvk) => gvk.kind === kind),
  );
}

/** What a look at the API server showed. */
interface Found {
  /** The kinds that are not installed. */
  absent: ReadonlySet<string>;
  /** The fields that are missing. */
  missing: readonly string[];
}

/** A check is shared for this long: many resources may ask at once. */
const FRESH_MS = 2_000;

export interface InstalledCrdsOptions {
  transport: Transport;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
  /** Called when CRDs that did not fit have been replaced by ones that do. */
  onRenewed: () => void;
}

/**
 * Whether the installed CRDs know every field of this release. The API server drops fields that a CRD does not know. With
 * older CRDs a certificate could be bought whose result cannot be stored, so nothing is bought while they do not fit.
 * Objects that were read under older CRDs lack fields, so the process must restart once newer CRDs are installed.
 */
export class InstalledCrds {
  readonly #options: InstalledCrdsOptions;
  #fit = true;
  /** The kinds whose CRDs were found missing, and lacking fields. */
  #absent: ReadonlySet<string> = new Set();
  #old: ReadonlySet<string> = new Set();
  /** The kinds that were listed while a check is under way. */
  readonly #listed = new Set<string>();
  #last: { at: number; done: Promise<void> } | undefined;

  constructor(options: InstalledCrdsOptions) {
    this.#options = options;
  }

  get fit(): boolean {
    return this.#fit;
  }

  /** Whether the last check found that the API server does not serve the kind. */
  isAbsent({ kind }: ResourceType): boolean {
    return this.#absent.has(kind);
  }

  /** Reports that a list has just shown that the API server serves the kind: its OpenAPI document may be behind. */
  listed({ kind }: ResourceType): void {
    this.#listed.add(kind);
    this.#absent = without(this.#absent, this.#listed);
  }

  /** States what to do about each CRD that lacks fields. Empty if all fit. */
  complaints(): string[] {
    if (this.#fit) return [];
    const named = KINDS.filter(({ kind }) => this.#old.has(kind)).map(olderThanOperator);
    return named.length > 0 ? named : [new CrdsOutdated().message];
  }

  /** Checks the CRDs, unless that was done a moment ago. If they do not fit, logs it and checks again every minute. */
  check(freshMs = FRESH_MS): Promise<void> {
    const at = this.#options.clock.monotonic();
    if (this.#last === undefined || at - this.#last.at >= freshMs) this.#last = { at, done: this.#read() };
    return this.#last.done;
  }

  async #read(): Promise<void> {
    this.#listed.clear();
    const { absent, missing } = await this.#find();
    this.#absent = without(absent, this.#listed);
    if (missing.length > 0) this.doubt(missing);
  }

  /** Reports that CRDs do not fit, each in one sentence; without `missing`, as a write has shown it. */
  doubt(missing: readonly string[] = []): void {
    const { log, signal } = this.#options;
    const wasFit = this.#fit;
    this.#fit = false;
    const old = KINDS.filter(({ kind }) => missing.some((field) => field.startsWith(`${kind}.`)));
    for (const type of old.filter(({ kind }) => !this.#old.has(kind))) {
      const fields = missing.filter((field) => field.startsWith(`${type.kind}.`));
      log.error({ missing: fields.slice(0, 5) }, olderThanOperator(type));
    }
    if (old.length > 0) this.#old = new Set(old.map(({ kind }) => kind));
    if (!wasFit || signal.aborted) return;
    if (old.length === 0) log.error(new CrdsOutdated().message);
    this.#checkAgain();
  }

  #checkAgain(): void {
    const { clock, signal, onRenewed } = this.#options;
    // An armed timer would keep a process that has stopped from ending.
    if (signal.aborted) return;
    const cancel = clock.timer(CRDS_AGAIN_MS, () => {
      signal.removeEventListener('abort', cancel);
      void this.#find().then(({ missing }) => (missing.length === 0 ? onRenewed() : this.#checkAgain()));
    });
    signal.addEventListener('abort', cancel, { once: true });
  }

  async #find(): Promise<Found> {
    const { transport, log, signal } = this.#options;
    try {
      const path = `/openapi/v3/apis/${API_VERSION}`;
      const document = await transport.request<OpenApi>({
        method: 'GET',
        path,
        resource: 'openapi',
        large: true,
        signal,
      });
      const absent = KINDS.filter(({ kind }) => schemaOf(document, kind) === undefined);
      return { absent: new Set(absent.map(({ kind }) => kind)), missing: missingFields(document) };
    } catch (thrown) {
      const error = asError(thrown);
      const missing = this.#fit ? [] : ['unknown'];
      // Without any CRD there is no document. The informers report that.
      if (isApiError(error) && error.status === 404)
        return { absent: new Set(KINDS.map(({ kind }) => kind)), missing };
      // Without the right to read it, writes are still strict. What was found before stays.
      log.debug({ error }, 'The OpenAPI document cannot be read');
      return { absent: this.#absent, missing };
    }
  }
}

function without(kinds: ReadonlySet<string>, listed: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...kinds].filter((kind) => !listed.has(kind)));
}

function has(schema: Schema, path: readonly string[]): boolean {
  const [name, ...rest] = path;
  if (name === undefined) return true;
  const below = (schema.items ?? schema).properties?.[name];
  return below !== undefined && has(below, rest);
}

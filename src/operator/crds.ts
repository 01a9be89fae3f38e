import { FIELDS } from '../api/fields-of.ts';
import { API_VERSION } from '../api/names.ts';
import { CRDS_AGAIN_MS, CrdsOutdated } from '../issuance/status/outdated-crds.ts';
import { isApiError } from '../kube/errors.ts';
import type { Transport } from '../kube/transport/transport.ts';
import type { Clock } from '../lib/clock.ts';
import { asError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';

/** A schema in the API server's OpenAPI document: only the parts that lead to a field. */
interface Schema {
  properties?: Record<string, Schema>;
  items?: Schema;
  'x-kubernetes-group-version-kind'?: { kind: string }[];
}

interface OpenApi {
  components?: { schemas?: Record<string, Schema> };
}

/** The fields of this release that the document lacks, as `Kind.path`. A kind that is not installed lacks none. */
export function missingFields(document: OpenApi): string[] {
  const schemas = Object.values(document.components?.schemas ?? {});
  return Object.entries(FIELDS).flatMap(([kind, fields]) => {
    const schema = schemas.find((one) =>
      one['x-kubernetes-group-version-kind']?.some((gvk) => gvk.kind === kind),
    );
    return schema
      ? fields.filter((field) => !has(schema, field.split('.'))).map((field) => `${kind}.${field}`)
      : [];
  });
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
  #last: { at: number; done: Promise<void> } | undefined;

  constructor(options: InstalledCrdsOptions) {
    this.#options = options;
  }

  get fit(): boolean {
    return this.#fit;
  }

  /** Checks the CRDs, unless that was done a moment ago. If they do not fit, logs it and checks again every minute. */
  check(): Promise<void> {
    const at = this.#options.clock.monotonic();
    if (this.#last === undefined || at - this.#last.at >= FRESH_MS) this.#last = { at, done: this.#read() };
    return this.#last.done;
  }

  async #read(): Promise<void> {
    const missing = await this.#missing();
    if (missing.length > 0) this.doubt(missing);
  }

  /** Reports that a write has shown that the CRDs do not fit. */
  doubt(missing: readonly string[] = []): void {
    if (!this.#fit) return;
    this.#fit = false;
    this.#options.log.error({ missing: missing.slice(0, 5) }, new CrdsOutdated().message);
    this.#checkAgain();
  }

  #checkAgain(): void {
    const { clock, signal, onRenewed } = this.#options;
    // An armed timer would keep a process that has stopped from ending.
    if (signal.aborted) return;
    const cancel = clock.timer(CRDS_AGAIN_MS, () => {
      signal.removeEventListener('abort', cancel);
      void this.#missing().then((missing) => (missing.length === 0 ? onRenewed() : this.#checkAgain()));
    });
    signal.addEventListener('abort', cancel, { once: true });
  }

  async #missing(): Promise<string[]> {
    const { transport, log, signal } = this.#options;
    try {
      const path = `/openapi/v3/apis/${API_VERSION}`;
      return missingFields(
        await transport.request<OpenApi>({ method: 'GET', path, resource: 'openapi', large: true, signal }),
      );
    } catch (thrown) {
      const error = asError(thrown);
      // Without any CRD there is no document, and the informers report that. Without the right to read it, writes are
      // still strict.
      if (!isApiError(error) || error.status !== 404)
        log.debug({ error }, 'The OpenAPI document cannot be read');
      return this.#fit ? [] : ['unknown'];
    }
  }
}

function has(schema: Schema, path: readonly string[]): boolean {
  const [name, ...rest] = path;
  if (name === undefined) return true;
  const below = (schema.items ?? schema).properties?.[name];
  return below !== undefined && has(below, rest);
}

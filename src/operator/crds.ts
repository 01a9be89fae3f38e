import { FIELDS } from '../api/fields-of.ts';
import { API_VERSION } from '../api/names.ts';
import { CRDS_AGAIN_MS, CrdsOutdated } from '../issuance/status/outdated-crds.ts';
import { isApiError } from '../kube/errors.ts';
import type { Transport } from '../kube/transport/transport.ts';
import type { Clock } from '../lib/clock.ts';
import { asError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';

/** A schema of the API server's OpenAPI document, as far as fields are looked for. */
interface Schema {
  properties?: Record<string, Schema>;
  items?: Schema;
  'x-kubernetes-group-version-kind'?: { kind: string }[];
}

interface OpenApi {
  components?: { schemas?: Record<string, Schema> };
}

/** The fields of this release that the API server's document does not have. A kind that is absent misses none. */
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

/** For this long after a look nothing is asked again: many resources may want to know at once. */
const FRESH_MS = 2_000;

export interface InstalledCrdsOptions {
  transport: Transport;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
  /** They did not fit, and do now. */
  onRenewed: () => void;
}

/**
 * Whether the installed CRDs know every field of this release. The API server drops what a CRD does not know, so that
 * with older ones a certificate could be bought whose result nobody can store: nothing is bought as long as they do not
 * fit. What was read under them lacks fields for good, so that the process has to start anew once they are renewed.
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

  /** Looks, unless that was a moment ago. If they do not fit, says so and goes on looking. */
  check(): Promise<void> {
    const at = this.#options.clock.monotonic();
    if (this.#last === undefined || at - this.#last.at >= FRESH_MS) this.#last = { at, done: this.#look() };
    return this.#last.done;
  }

  async #look(): Promise<void> {
    const missing = await this.#missing();
    if (missing.length > 0) this.doubt(missing);
  }

  /** Somebody has seen that they did not fit. */
  doubt(missing: readonly string[] = []): void {
    if (!this.#fit) return;
    this.#fit = false;
    this.#options.log.error({ missing: missing.slice(0, 5) }, new CrdsOutdated().message);
    this.#lookAgain();
  }

  #lookAgain(): void {
    const { clock, signal, onRenewed } = this.#options;
    const cancel = clock.timer(CRDS_AGAIN_MS, () => {
      void this.#missing().then((missing) => (missing.length === 0 ? onRenewed() : this.#lookAgain()));
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
      // Without any CRD there is no document; the watches say so. Without the right to it each write is still strict.
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

import { latencyBounds, lifetimeSeconds, milliseconds } from '../duration.ts';
import type { Database } from './members.ts';
import type { CAcertRuntimeOptions } from './types.ts';

/** The runtime options in force, in fixed units. */
export interface Settings {
  /** Seconds; null for the lifetime that the member's points give. */
  validity: number | null;
  /** Milliseconds. */
  wait: number;
  signing: number;
  latency: { min: number; max: number };
  class3: boolean;
  /** Null for the names of the listener. */
  hosts: string[] | null;
  database: Database;
}

export function defaultSettings(): Settings {
  return {
    validity: null,
    wait: 0,
    signing: 0,
    latency: { min: 0, max: 0 },
    class3: false,
    hosts: null,
    database: 'utf8',
  };
}

/** The settings with the given options applied. Throws a RangeError for an invalid option and changes nothing then. */
export function withOptions(settings: Settings, options: CAcertRuntimeOptions): Settings {
  const { validity, wait, signing, latency, hosts } = options;
  const lifetime = validity === null || validity === undefined ? null : lifetimeSeconds(validity);
  return {
    validity: validity === undefined ? settings.validity : lifetime,
    wait: wait === undefined ? settings.wait : milliseconds(wait),
    signing: signing === undefined ? settings.signing : milliseconds(signing),
    latency: latency === undefined ? settings.latency : latencyBounds(latency),
    class3: options.class3 ?? settings.class3,
    hosts: hosts === undefined ? settings.hosts : hosts,
    database: options.database ?? settings.database,
  };
}

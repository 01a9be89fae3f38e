import { latencyBounds, lifetimeSeconds, milliseconds } from './duration.ts';
import type { SignatureRule } from './calls/signature.ts';
import type { RuntimeOptions } from './types.ts';

/** The runtime options in force, in fixed units. */
export interface Settings {
  /** Seconds. */
  validity: number;
  caValidity: number;
  /** Milliseconds. */
  latency: { min: number; max: number };
  sessionTtl: number;
  rateLimit: number | null;
  retryAfter: number | null;
  strictSignature: SignatureRule;
  otherCustomers: number;
  emptyFields: 'null' | 'empty' | 'absent';
  successBody: string;
}

export function defaultSettings(): Settings {
  return {
    validity: lifetimeSeconds('365d'),
    caValidity: lifetimeSeconds('3650d'),
    latency: { min: 0, max: 0 },
    sessionTtl: milliseconds('1h'),
    rateLimit: null,
    retryAfter: null,
    strictSignature: 'either',
    otherCustomers: 3,
    emptyFields: 'empty',
    successBody: '{}',
  };
}

/** The settings with the given options applied. Throws a RangeError for an invalid option and changes nothing then. */
export function withOptions(settings: Settings, options: RuntimeOptions): Settings {
  const { validity, caValidity, latency, sessionTtl } = options;
  return {
    validity: validity === undefined ? settings.validity : lifetimeSeconds(validity),
    caValidity: caValidity === undefined ? settings.caValidity : lifetimeSeconds(caValidity),
    latency: latency === undefined ? settings.latency : latencyBounds(latency),
    sessionTtl: sessionTtl === undefined ? settings.sessionTtl : milliseconds(sessionTtl),
    rateLimit: options.rateLimit === undefined ? settings.rateLimit : options.rateLimit,
    retryAfter: options.retryAfter === undefined ? settings.retryAfter : options.retryAfter,
    strictSignature: options.strictSignature ?? settings.strictSignature,
    otherCustomers: options.otherCustomers ?? settings.otherCustomers,
    emptyFields: options.emptyFields ?? settings.emptyFields,
    successBody: options.successBody ?? settings.successBody,
  };
}

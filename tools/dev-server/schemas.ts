/** Checks input: control requests, the command line, fault files. */
import { z } from 'zod';
import { CALL_NAMES } from './calls/router.ts';
import type { AuthorityPreset, Fault, ManualRequest, RuntimeOptions } from './types.ts';

export const duration = z.union([z.number().nonnegative(), z.string()]);
const milliseconds = z.number().nonnegative();
export const httpStatus = z.int().min(200).max(599);
const hashMethod = z.enum(['sha1', 'sha256']);
const alternativeName = z.strictObject({ type: z.enum(['DNS', 'IP', 'email', 'URI']), value: z.string() });

export const runtimeOptions = z.strictObject({
  validity: duration.exactOptional(),
  caValidity: duration.exactOptional(),
  latency: z.union([duration, z.strictObject({ min: duration, max: duration })]).exactOptional(),
  rateLimit: z.int().nonnegative().nullable().exactOptional(),
  retryAfter: z.int().nonnegative().nullable().exactOptional(),
  sessionTtl: duration.exactOptional(),
  strictSignature: z.enum(['raw', 'php', 'either']).exactOptional(),
  otherCustomers: z.int().nonnegative().exactOptional(),
  emptyFields: z.enum(['null', 'empty', 'absent']).exactOptional(),
  successBody: z.string().exactOptional(),
  listening: z.boolean().exactOptional(),
  passphrase: z.string().min(1).exactOptional(),
  apiKey: z.string().min(1).exactOptional(),
}) satisfies z.ZodType<RuntimeOptions>;

export const acts = z.boolean().exactOptional();

/** The rule of a fault except its calls. */
export const faultRule = {
  times: z.union([z.int().positive(), z.literal('forever')]).exactOptional(),
  match: z.record(z.string(), z.string()).exactOptional(),
  after: z.int().nonnegative().exactOptional(),
};

/** Returns a function that makes the schema of a fault with this rule. */
export function effectsWith<R extends z.ZodRawShape>(rule: R) {
  return <K extends string, S extends z.ZodRawShape>(kind: K, shape: S) =>
    z.strictObject({ ...rule, kind: z.literal(kind), ...shape });
}

/** The schemas of the faults that both services have. */
export function connectionFaults<R extends z.ZodRawShape>(rule: R) {
  const effect = effectsWith(rule);
  return [
    effect('hang', {}),
    effect('delay', { ms: milliseconds }),
    effect('hold', { when: z.enum(['before', 'after']).exactOptional() }),
    effect('late', { ms: milliseconds, cut: z.boolean().exactOptional() }),
    effect('reset-before', {}),
    effect('reset-after', {}),
    effect('huge', { bytes: z.int().positive().exactOptional(), acts }),
    effect('truncated', { bytes: z.int().nonnegative().exactOptional() }),
    effect('trickle', { bytes: z.int().positive().exactOptional(), ms: milliseconds.exactOptional() }),
  ] as const;
}

const rule = { call: z.enum(['*', ...CALL_NAMES]), ...faultRule };
const effect = effectsWith(rule);

export const fault = z.discriminatedUnion('kind', [
  effect('error', {
    code: z.string(),
    status: httpStatus.exactOptional(),
    text: z.string().exactOptional(),
    retryAfter: z.union([z.number(), z.string()]).exactOptional(),
    acts,
  }),
  effect('html', { status: httpStatus.exactOptional(), acts }),
  effect('not-json', { status: httpStatus.exactOptional(), body: z.string().exactOptional(), acts }),
  effect('redirect', { location: z.string(), status: httpStatus.exactOptional(), acts }),
  effect('replay', { acts }),
  effect('stray-line', { id: z.int().positive() }),
  ...connectionFaults(rule),
  effect('wrong-key', {}),
  effect('wrong-names', { names: z.array(alternativeName).exactOptional() }),
  effect('expired', {}),
  effect('future', { seconds: z.int() }),
  effect('foreign-chain', {}),
]) satisfies z.ZodType<Fault>;

const country = z.string().regex(/^[A-Z]{2}$/, 'a country is two capital letters, such as US');

export const authorityPreset = z.strictObject({
  organization: z.string().min(1).max(61),
  country,
  locality: z.string().min(1).exactOptional(),
  province: z.string().min(1).exactOptional(),
  hashMethod: hashMethod.exactOptional(),
}) satisfies z.ZodType<AuthorityPreset>;

export const manualRequest = z.strictObject({
  cn: z.string().min(1).max(64),
  caId: z.int().exactOptional(),
  subject: z
    .strictObject({
      C: country.exactOptional(),
      ST: z.string().exactOptional(),
      L: z.string().exactOptional(),
      O: z.string().exactOptional(),
      OU: z.string().exactOptional(),
    })
    .exactOptional(),
  names: z.array(alternativeName).exactOptional(),
  notBefore: z.int().exactOptional(),
  notAfter: z.int().exactOptional(),
}) satisfies z.ZodType<ManualRequest>;

export const statusChange = z.strictObject({ status: z.enum(['good', 'hold', 'revoked']) });

/** The checked value. Throws a RangeError that names each wrong field. */
export function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new RangeError(z.prettifyError(result.error));
}

/** Checks input: control requests, the command line, fault files. */
import { z } from 'zod';
import { acts, connectionFaults, duration, effectsWith, faultRule, httpStatus } from '../schemas.ts';
import type { CAcertCallName, CAcertFault, CAcertMemberPreset, CAcertRuntimeOptions } from './types.ts';

export const runtimeOptions = z.strictObject({
  validity: duration.nullable().exactOptional(),
  wait: duration.exactOptional(),
  signing: duration.exactOptional(),
  latency: z.union([duration, z.strictObject({ min: duration, max: duration })]).exactOptional(),
  class3: z.boolean().exactOptional(),
  hosts: z.array(z.string().min(1)).min(1).nullable().exactOptional(),
  database: z.enum(['utf8', 'latin1']).exactOptional(),
  listening: z.boolean().exactOptional(),
}) satisfies z.ZodType<CAcertRuntimeOptions>;

export const memberPreset = z.strictObject({
  username: z.email(),
  password: z.string().min(1),
  firstName: z.string().min(1),
  middleName: z.string().exactOptional(),
  lastName: z.string().min(1),
  suffix: z.string().exactOptional(),
  points: z.int().nonnegative().exactOptional(),
  codeSigning: z.boolean().exactOptional(),
  emails: z.array(z.string()).exactOptional(),
}) satisfies z.ZodType<CAcertMemberPreset>;

const CALLS: readonly CAcertCallName[] = ['ccsr', 'cemails'];
const rule = { call: z.enum(['*', ...CALLS]), ...faultRule };
const effect = effectsWith(rule);

export const fault = z.discriminatedUnion('kind', [
  ...connectionFaults(rule),
  effect('error', {
    error: z.enum([
      'username',
      'email',
      'csr',
      'no-request',
      'small-key',
      'debian-key',
      'small-exponent',
      'algorithm',
      'internal',
    ]),
    acts,
  }),
  effect('html', { status: httpStatus.exactOptional(), acts }),
  effect('redirect', { location: z.string().exactOptional(), status: httpStatus.exactOptional(), acts }),
  effect('body', { body: z.string(), status: httpStatus.exactOptional(), acts }),
  effect('blank-lines', { lines: z.int().positive().max(1000).exactOptional() }),
  effect('php-notice', {}),
  effect('crlf', {}),
  effect('raw-names', {}),
  effect('no-certificate', {}),
  effect('unsigned', { ms: z.number().nonnegative().exactOptional() }),
  effect('dropped-email', { email: z.string().exactOptional() }),
  effect('anonymous-name', {}),
  effect('ignored-codesign', {}),
  effect('no-client-auth', {}),
  effect('wrong-names', { cn: z.string().exactOptional(), emails: z.array(z.string()).exactOptional() }),
  effect('wrong-key', {}),
  effect('expired', {}),
  effect('future', { seconds: z.int() }),
  effect('class3', {}),
  effect('foreign-chain', {}),
]) satisfies z.ZodType<CAcertFault>;

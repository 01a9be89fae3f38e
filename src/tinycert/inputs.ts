import { z } from 'zod';
import { checkInput } from '../http/inputs.ts';
import { makeError } from './errors.ts';
import type { Parameters } from './signing.ts';
import type {
  AlternativeName,
  CertificatePemItem,
  CreateAuthorityInput,
  CreateCertificateInput,
  ListableStatus,
  SettableStatus,
  StatusFilter,
} from './types.ts';

/** Turns the input of a call into its parameters, or refuses the input. */
type InputSchema<In> = z.ZodType<Parameters, In>;

const id = z.int().positive();
const required = z.string().min(1);
/** An empty optional part is left out. TinyCert accepts both forms. */
const optional = z
  .string()
  .optional()
  .transform((text) => text || undefined);
const country = z.string().regex(/^[A-Za-z]{2}$/);

export const authorityId: InputSchema<number> = id.transform((value) => ({ ca_id: value }));

export const certificateId: InputSchema<number> = id.transform((value) => ({ cert_id: value }));

export const authorityCertificate: InputSchema<number> = id.transform((value) => ({
  ca_id: value,
  what: 'cert',
}));

export const newAuthority: InputSchema<CreateAuthorityInput> = z
  .object({
    country,
    organization: required,
    locality: optional,
    province: optional,
    hashAlgorithm: z.enum(['sha1', 'sha256']),
  })
  .transform((input) => ({
    C: input.country,
    L: input.locality,
    O: input.organization,
    ST: input.province,
    hash_method: input.hashAlgorithm,
  }));

const alternativeName: z.ZodType<AlternativeName, AlternativeName> = z.object({
  type: z.enum(['DNS', 'IP', 'email', 'URI']),
  value: required,
});

export const newCertificate: InputSchema<CreateCertificateInput> = z
  .object({
    authorityId: id,
    subject: z.object({
      commonName: required,
      country,
      organization: required,
      organizationalUnit: optional,
      locality: optional,
      province: optional,
    }),
    alternativeNames: z.array(alternativeName).readonly().optional(),
  })
  .transform(({ authorityId, subject, alternativeNames }) => ({
    C: subject.country,
    CN: subject.commonName,
    L: subject.locality,
    O: subject.organization,
    OU: subject.organizationalUnit,
    SANs: alternativeNames,
    ST: subject.province,
    ca_id: authorityId,
  }));

/** The bits of `what` in `cert/list`. */
const statusBits = {
  expired: 1,
  good: 2,
  revoked: 4,
  hold: 8,
} as const satisfies Record<ListableStatus, number>;
const allBits = 15;

const statuses = z.enum(['expired', 'good', 'revoked', 'hold']);
const filter: z.ZodType<number, StatusFilter | undefined> = z
  .union([z.int().min(1).max(allBits), z.array(statuses).min(1).readonly()])
  .optional()
  .transform((value) => {
    if (typeof value !== 'object') return value ?? allBits;
    let mask = 0;
    for (const status of value) mask |= statusBits[status];
    return mask;
  });

export const certificateList: InputSchema<{ authorityId: number; statuses: StatusFilter | undefined }> = z
  .object({ authorityId: id, statuses: filter })
  .transform(({ authorityId, statuses }) => ({ ca_id: authorityId, what: statuses }));

const items = ['cert', 'chain', 'csr', 'key.dec', 'key.enc', 'pkcs12'] as const satisfies (
  | CertificatePemItem
  | 'pkcs12'
)[];

export const certificateItem: InputSchema<{ certificateId: number; what: (typeof items)[number] }> = z
  .object({ certificateId: id, what: z.enum(items) })
  .transform(({ certificateId, what }) => ({ cert_id: certificateId, what }));

export const newStatus: InputSchema<{ certificateId: number; status: SettableStatus }> = z
  .object({ certificateId: id, status: z.enum(['good', 'hold', 'revoked']) })
  .transform(({ certificateId, status }) => ({ cert_id: certificateId, status }));

/** Turns an input into parameters. Throws `InvalidInput`, which names the field but never its value. */
export function check<In>(call: string, schema: InputSchema<In>, input: In): Parameters {
  return checkInput(makeError, call, schema, input, 'id');
}

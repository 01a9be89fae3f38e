import { z } from 'zod';
import { clip } from '../lib/errors.ts';
import type { TinyCertCertificate } from './kinds.ts';
import { compileRules } from './schema/rules.ts';
import { CertificateSpec } from './tinycert/certificate-spec.ts';
import { CertificateStatus } from './tinycert/certificate-status.ts';

/** Stands for a name that cannot be read: no object can have it, since RFC 1123 wants a letter or a digit at both ends. */
export const UNREADABLE_NAME = '-';

/** What can be read of a resource, and the paths of what cannot. */
export interface Readable<T> {
  object: T;
  unreadable: readonly string[];
}

/** The fields of a spec that finalizing needs. */
const NEEDED = CertificateSpec.pick({ secretName: true, issuerRef: true, revocation: true });

/**
 * Reads a certificate that `parseCertificate` refuses, so that its deletion can be finalized: each field by itself, and of
 * the spec only those that this needs. A field that cannot be read counts as absent. So does an `issuerRef` of which a part
 * cannot be read, since the rest could name another account. Never throws.
 */
export function readableCertificate(certificate: TinyCertCertificate): Readable<TinyCertCertificate> {
  const unreadable: string[] = [];
  const spec = (read(NEEDED, certificate.spec, 'spec', unreadable) ?? {}) as Partial<CertificateSpec>;
  const isReferenceWhole = !unreadable.some((path) => path.startsWith('spec.issuerRef'));
  const { secretName = UNREADABLE_NAME, issuerRef, ...others } = spec;
  const nobody = { kind: 'TinyCertIssuer', name: UNREADABLE_NAME } as const;
  const status = (read(CertificateStatus, certificate.status ?? {}, 'status', unreadable) ??
    {}) as CertificateStatus;
  const { apiVersion, kind, metadata } = certificate;
  return {
    object: {
      ...(apiVersion === undefined ? {} : { apiVersion }),
      ...(kind === undefined ? {} : { kind }),
      metadata,
      spec: { ...others, secretName, issuerRef: (isReferenceWhole ? issuerRef : undefined) ?? nobody },
      status,
    },
    unreadable: unreadable.map((path) => clip(path)),
  };
}

/** The value as its schema reads it. Of an object or a list it keeps what can be read, and notes the paths of the rest. */
function read(schema: z.core.$ZodType, value: unknown, path: string, unreadable: string[]): unknown {
  if (value === undefined && schema instanceof z.ZodExactOptional) return undefined;
  const parsed = valid(schema, value);
  if (parsed.ok) return parsed.value;
  const inner = unwrapped(schema);
  if (inner instanceof z.ZodObject && isFields(value)) {
    const fields = Object.entries(inner.def.shape).map(([name, field]) => [
      name,
      read(field, value[name], `${path}.${name}`, unreadable),
    ]);
    return Object.fromEntries(fields.filter(([, each]) => each !== undefined)) as unknown;
  }
  unreadable.push(path);
  if (inner instanceof z.ZodArray && Array.isArray(value)) {
    // An item is whole or absent.
    return value.flatMap((item) => {
      const each = valid(inner.def.element, item);
      return each.ok ? [each.value] : [];
    });
  }
  const absent = valid(schema, undefined);
  return absent.ok ? absent.value : undefined;
}

function valid(schema: z.core.$ZodType, value: unknown): { ok: true; value: unknown } | { ok: false } {
  const parsed = z.safeParse(schema, value);
  if (!parsed.success || compileRules(schema)(parsed.data)) return { ok: false };
  return { ok: true, value: parsed.data };
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  const isWrapper =
    schema instanceof z.ZodOptional || schema instanceof z.ZodExactOptional || schema instanceof z.ZodDefault;
  return isWrapper ? unwrapped(schema.def.innerType) : schema;
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

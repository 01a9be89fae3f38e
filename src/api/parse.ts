import { z } from 'zod';
import type { KubeObject, ObjectMeta } from '../kube/objects.ts';
import { clip } from '../lib/errors.ts';
import { CAcertAccountSpec } from './cacert/account-spec.ts';
import { CAcertAccountStatus } from './cacert/account-status.ts';
import { CAcertCertificateSpec } from './cacert/certificate-spec.ts';
import { CAcertCertificateStatus } from './cacert/certificate-status.ts';
import { CertificateSpec } from './tinycert/certificate-spec.ts';
import { CertificateStatus } from './tinycert/certificate-status.ts';
import { IssuerSpec } from './tinycert/issuer-spec.ts';
import { IssuerStatus } from './tinycert/issuer-status.ts';
import type {
  CAcertAccount,
  CAcertCertificate,
  TinyCertCertificate,
  TinyCertClusterIssuer,
  TinyCertIssuer,
} from './kinds.ts';
import { type Violation, compileRules } from './schema/rules.ts';
import { unusableWindow } from './usable-windows.ts';

/** The object, or a message that states what is wrong with it and where. */
export type Parsed<T> = { ok: true; object: T } | { ok: false; message: string };

type Parser<T> = (value: unknown) => Parsed<T>;

/**
 * Reads a certificate as the API server returned it. Fills in defaults, drops unknown fields (the CRD may be newer than
 * the operator), applies the rules of the CRD (it may also be older, or loosened) and the checks that no CEL rule can
 * make. Never throws.
 */
export const parseCertificate: Parser<TinyCertCertificate> = parser(
  z.object({ spec: CertificateSpec, status: CertificateStatus.exactOptional() }),
  ({ spec }) => unusableWindow(spec),
);

/** Like `parseCertificate`, for both issuer kinds, which share spec and status. */
export const parseIssuer: Parser<TinyCertIssuer & TinyCertClusterIssuer> = parser(
  z.object({ spec: IssuerSpec, status: IssuerStatus.exactOptional() }),
);

/** Like `parseCertificate`, for a CAcertCertificate. */
export const parseCAcertCertificate: Parser<CAcertCertificate> = parser(
  z.object({ spec: CAcertCertificateSpec, status: CAcertCertificateStatus.exactOptional() }),
  ({ spec }) => unusableWindow(spec),
);

/** Like `parseCertificate`, for a CAcertAccount. */
export const parseCAcertAccount: Parser<CAcertAccount> = parser(
  z.object({ spec: CAcertAccountSpec, status: CAcertAccountStatus.exactOptional() }),
);

function parser<S extends z.ZodType<object>>(
  schema: S,
  beyondRules: (object: z.output<S>) => Violation | undefined = () => undefined,
): Parser<KubeObject & z.output<S>> {
  const firstViolation = compileRules(schema);
  return (value) => {
    if (!isKubeObject(value)) return { ok: false, message: 'the object has no metadata with a name' };
    const parsed = schema.safeParse(value);
    if (!parsed.success) return { ok: false, message: issueMessage(parsed.error) };
    const violation = firstViolation(parsed.data) ?? beyondRules(parsed.data);
    if (violation) return { ok: false, message: violationMessage(violation) };
    const { apiVersion, kind, metadata } = value;
    return {
      ok: true,
      object: {
        ...(apiVersion === undefined ? {} : { apiVersion }),
        ...(kind === undefined ? {} : { kind }),
        metadata,
        ...parsed.data,
      },
    };
  };
}

function isKubeObject(value: unknown): value is KubeObject {
  const metadata = (value as { metadata?: Partial<ObjectMeta> } | null | undefined)?.metadata;
  return typeof metadata?.name === 'string';
}

function issueMessage(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue ? clip(`${issue.path.join('.')}: ${issue.message}`) : 'the object does not match the schema';
}

function violationMessage({ path, message }: Violation): string {
  return `${path.slice(1)}: ${message}`;
}

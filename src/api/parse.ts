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

/** An object that was read, or a sentence that says what is wrong with it. */
export type Parsed<T> = { ok: true; object: T } | { ok: false; message: string };

type Parser<T> = (value: unknown) => Parsed<T>;

/**
 * Reads a certificate as the cluster holds it: fills in defaults, drops unknown fields (a CRD may be newer than the
 * operator) and applies the rules of the CRD (it may also be older, or loosened), and what no rule can tell. Never throws.
 */
export const parseCertificate: Parser<TinyCertCertificate> = parser(
  z.object({ spec: CertificateSpec, status: CertificateStatus.exactOptional() }),
  ({ spec }) => unusableWindow(spec),
);

/** As `parseCertificate`, for both issuer kinds, which share spec and status. */
export const parseIssuer: Parser<TinyCertIssuer & TinyCertClusterIssuer> = parser(
  z.object({ spec: IssuerSpec, status: IssuerStatus.exactOptional() }),
);

/** As `parseCertificate`, for CAcert's certificates. */
export const parseCAcertCertificate: Parser<CAcertCertificate> = parser(
  z.object({ spec: CAcertCertificateSpec, status: CAcertCertificateStatus.exactOptional() }),
  ({ spec }) => unusableWindow(spec),
);

/** As `parseCertificate`, for CAcert's accounts. */
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
  return issue ? clip(`${issue.path.join('.')}: ${issue.message}`) : 'the object does not fit the schema';
}

function violationMessage({ path, message }: Violation): string {
  return `${path.slice(1)}: ${message}`;
}

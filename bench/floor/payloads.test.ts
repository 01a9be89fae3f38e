import { describe, expect, test } from 'vitest';
import { CertificateStatus } from '../../src/api/tinycert/certificate-status.ts';
import { parseCertificate } from '../../src/api/parse.ts';
import {
  attemptPatch,
  certificateBody,
  certificateNames,
  commonNameOf,
  issuedStatus,
  resourceVersionOf,
  resultPatch,
  secretBody,
  secretVersionOf,
} from './payloads.ts';

const secret = { uid: '11111111-2222-4333-8444-555555555555', resourceVersion: '77' };
const leaf = '-----BEGIN CERTIFICATE-----\nbGVhZg==\n-----END CERTIFICATE-----\n';
const root = '-----BEGIN CERTIFICATE-----\ncm9vdA==\n-----END CERTIFICATE-----\n';

/** The status of a patch. Throws if the CRD lacks one of its fields. */
function statusOf(patch: string): unknown {
  const { status } = JSON.parse(patch) as { status: unknown };
  expect(CertificateStatus.strict().safeParse(status).error).toBeUndefined();
  return status;
}

test('the certificates are valid and their common names differ', () => {
  const bodies = certificateNames(3).map((name) => certificateBody('round-1', name));
  expect(bodies.map((body) => parseCertificate(body).ok)).toEqual([true, true, true]);
  const names = new Set(bodies.map((body) => body.spec.dnsNames?.[0]));
  expect(names).toEqual(new Set(certificateNames(3).map((name) => commonNameOf('round-1', name))));
});

describe('a patch has the version it is based on and a status that fits the CRD', () => {
  test('for the attempt', () => {
    const patch = attemptPatch('41');
    expect(JSON.parse(patch)).toMatchObject({ metadata: { resourceVersion: '41' } });
    expect(statusOf(patch)).toMatchObject({ attemptId: expect.any(String) as string });
  });

  test('for the result', () => {
    const patch = resultPatch('42', 1234, secret);
    expect(JSON.parse(patch)).toMatchObject({ metadata: { resourceVersion: '42' } });
    expect(statusOf(patch)).toEqual(issuedStatus(1234, secret));
  });
});

test('the Secret has the leaf, the key and the root in fields of their own', () => {
  const { data = {} } = secretBody('round-1', 'c00001', 1234, { chain: leaf + root, key: 'KEY' });
  const text = (name: string): string => Buffer.from(data[name] ?? '', 'base64').toString();
  expect([text('tls.crt'), text('tls.key'), text('ca.crt')]).toEqual([leaf, 'KEY', root]);
});

describe('the version of an answer', () => {
  const answer = Buffer.from(
    JSON.stringify({
      kind: 'TinyCertCertificate',
      metadata: { name: 'a', uid: secret.uid, resourceVersion: '99' },
      status: { secretResourceVersion: '7' },
    }),
  );

  test('is found without parsing it', () => {
    expect(resourceVersionOf(answer)).toBe('99');
    expect(secretVersionOf(answer)).toEqual({ uid: secret.uid, resourceVersion: '99' });
  });

  test('is refused if it is no object of the API', () => {
    expect(() => resourceVersionOf(Buffer.from('{"status":{"secretResourceVersion":"7"}}'))).toThrow(
      TypeError,
    );
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { crds } from '../../src/api/generate/crds.ts';
import type { StructuralSchema } from '../../src/api/generate/structural.ts';
import {
  cacertAccounts,
  cacertCertificates,
  certificates,
  clusterIssuers,
  issuers,
} from '../../src/api/kinds.ts';
import { collectionPath, objectPath } from '../../src/kube/paths.ts';
import type { ResourceType } from '../../src/kube/objects.ts';
import { ClusterApi } from '../support/world/cluster-api.ts';
import { golden } from '../support/world/golden.ts';

/** What kubectl shows of the kinds. */

const namespace = 'api-kubectl';
const kinds = [certificates, issuers, clusterIssuers, cacertAccounts, cacertCertificates];

let api: ClusterApi;
beforeAll(async () => {
  api = new ClusterApi();
  await api.installCrds();
  await api.createNamespace(namespace);
  await create(certificates, 'shop', certificateSpec, certificateStatus);
  await create(certificates, 'young', { ...certificateSpec, secretName: 'young' }, undefined);
  await create(issuers, 'acme', issuerSpec, issuerStatus);
  await create(clusterIssuers, 'acme', issuerSpec, issuerStatus);
  await create(cacertAccounts, 'jane', accountSpec, accountStatus);
  await create(cacertCertificates, 'mail', clientSpec, clientStatus);
});
afterAll(async () => {
  await api.send('DELETE', objectPath(clusterIssuers, { name: 'acme' }));
  // Nothing empties a namespace here, and an operator in another test would find what is left in it.
  for (const type of kinds.filter(({ namespaced }) => namespaced))
    await api.send('DELETE', collectionPath(type, namespace));
  await api.send('DELETE', `/api/v1/namespaces/${namespace}`);
  api.close();
});

const condition = {
  type: 'Ready',
  status: 'True',
  reason: 'Ready',
  message: 'The certificate is up to date.',
  lastTransitionTime: '2026-01-01T00:00:00Z',
  observedGeneration: 1,
};
const certificateSpec = {
  secretName: 'shop-tls',
  issuerRef: { name: 'acme' },
  dnsNames: ['shop.example.com', 'www.shop.example.com'],
  subject: { organization: 'ACME, Inc.' },
};
const AUTHORITY = { account: '0123456789abcdef0123456789abcdef', authorityId: 12754 };
const certificateStatus = {
  conditions: [condition],
  ...AUTHORITY,
  certificateId: 33332,
  certificateStatus: 'good',
  serialNumber: '8234',
  notBefore: '2099-01-01T00:00:00Z',
  notAfter: '2100-01-01T00:00:00Z',
  renewalTime: '2099-09-01T08:00:00Z',
  revision: 1,
  specHash: `v1:${'0'.repeat(64)}`,
  attemptId: '0f8fad5b-d9cb-469f-a165-70867728950e',
  attemptTime: '2099-01-01T00:00:00.000Z',
  secretUID: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
  secretResourceVersion: '4711',
  formerCertificates: [{ ...AUTHORITY, certificateId: 31000 }],
  pendingRevocations: [
    { ...AUTHORITY, certificateId: 31000, action: 'Revoke', notBefore: '2099-01-01T01:00:00Z' },
  ],
};
const issuerSpec = { credentialsSecretRef: { name: 'account' }, authority: { name: 'ACME, Inc.' } };
const issuerStatus = {
  conditions: [{ ...condition, message: 'The account and its authority can issue certificates.' }],
  authority: {
    id: 12754,
    account: AUTHORITY.account,
    name: 'ACME, Inc.',
    subject: { country: 'NL', organization: 'ACME, Inc.', commonName: 'ACME, Inc. CA' },
    hashAlgorithm: 'SHA256',
    notAfter: '2100-01-01T00:00:00Z',
    fingerprint: '0'.repeat(64),
  },
  session: { state: 'Connected', since: '2026-01-01T00:00:00Z' },
  certificates: { good: 12, hold: 0, revoked: 1, expired: 3, observedTime: '2026-01-01T00:00:00Z' },
  limits: { requestsLastMinute: 4, certificatesToday: 2, observedTime: '2026-01-01T00:00:00Z' },
  orphanCount: 1,
  orphans: [{ ...AUTHORITY, certificateId: 33000, commonName: 'lost.example.com', serialNumber: '80e8' }],
  foreignCount: 2,
};

const accountSpec = {
  credentialsSecretRef: { name: 'jane-login' },
  caBundleSecretRef: { name: 'cacert-roots' },
  rootFingerprints: ['AB'.repeat(32)],
};
const accountStatus = {
  conditions: [{ ...condition, message: 'CAcert accepts the login.' }],
  names: ['Jane Doe'],
  emails: ['jane.doe@example.org', 'jane@example.org'],
  codeSigning: false,
  authorities: [
    { subject: 'CA Cert Signing Authority', fingerprint: 'ab'.repeat(32), notAfter: '2100-01-01T00:00:00Z' },
  ],
};
const clientSpec = {
  secretName: 'mail-tls',
  accountRef: { name: 'jane' },
  emailAddresses: ['jane@example.org'],
  commonName: 'Jane Doe',
};
const clientStatus = {
  conditions: [condition],
  serialNumber: '14e229',
  issuer: 'CA Cert Signing Authority',
  fingerprint: '0'.repeat(64),
  notBefore: '2099-01-01T00:00:00Z',
  notAfter: '2100-01-01T00:00:00Z',
  renewalTime: '2099-09-01T08:00:00Z',
  revision: 1,
  specHash: `v1:${'0'.repeat(64)}`,
  attemptId: '0f8fad5b-d9cb-469f-a165-70867728950e',
  attemptTime: '2099-01-01T00:00:00.000Z',
  attemptTimes: ['2099-01-01T00:00:00.000Z'],
  secretUID: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
  secretResourceVersion: '4711',
};

async function create(
  type: ResourceType,
  name: string,
  spec: object,
  status: object | undefined,
): Promise<void> {
  const ref = type.namespaced ? { name, namespace } : { name };
  const created = await api.kubectl(
    ['create', '-f', '-'],
    JSON.stringify({
      apiVersion: `${type.group}/${type.version}`,
      kind: type.kind,
      metadata: { ...ref, labels: { test: namespace } },
      spec,
    }),
  );
  expect(created).toMatchObject({ code: 0 });
  if (!status) return;
  const path = `${objectPath(type, ref, 'status')}?fieldValidation=Strict`;
  const { status: code, body } = await api.send('PATCH', path, { status }, 'application/merge-patch+json');
  expect([code, body]).toMatchObject([200, { status }]);
}

/** The output of kubectl, without the parts that differ from run to run. */
async function shown(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await api.kubectl([...args, '-n', namespace]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout
    .replaceAll(/^( *(?:Creation Timestamp|Resource Version|UID): +).*$/gm, '$1<varies>')
    .replaceAll(/ \d+[smh\d]+(?=\n)/g, ' <age>')
    .replaceAll(/[ \t]+$/gm, '');
}

describe('kubectl get', () => {
  test.each([
    ['get.txt', ['get', 'tcc', '-l', 'test=api-kubectl']],
    ['get-wide.txt', ['get', 'tcc', '-l', 'test=api-kubectl', '-o', 'wide']],
    ['get-issuers.txt', ['get', 'tci', '-l', 'test=api-kubectl']],
    ['get-issuers-wide.txt', ['get', 'tci', '-l', 'test=api-kubectl', '-o', 'wide']],
    ['get-cluster-issuers-wide.txt', ['get', 'tcci', '-l', 'test=api-kubectl', '-o', 'wide']],
    ['get-cacert.txt', ['get', 'cacert', '-l', 'test=api-kubectl']],
    ['get-cacert-wide.txt', ['get', 'cac,caa', '-l', 'test=api-kubectl', '-o', 'wide']],
    ['get-category.txt', ['get', 'tinycert', '-l', 'test=api-kubectl']],
  ])('shows %s', async (file, args) => {
    const text = await shown(...args);

    expect(text).toBe(golden(file, text));
  });
});

describe('kubectl describe', () => {
  test.each([
    ['describe-certificate.txt', ['describe', 'tcc', 'shop']],
    ['describe-issuer.txt', ['describe', 'tci', 'acme']],
    ['describe-cluster-issuer.txt', ['describe', 'tcci', 'acme']],
    ['describe-cacert-account.txt', ['describe', 'caa', 'jane']],
    ['describe-cacert-certificate.txt', ['describe', 'cac', 'mail']],
  ])('shows %s', async (file, args) => {
    const text = await shown(...args);

    expect(text).toBe(golden(file, text));
  });
});

describe('kubectl explain', () => {
  test.each(kinds.map((type) => [type.kind, type.plural]))(
    'shows the fields of a %s',
    async (kind, plural) => {
      const text = await shown('explain', plural, '--recursive');

      expect(text).toBe(golden(`explain-${kind.toLowerCase()}.txt`, text));
    },
  );

  test.each(kinds.map((type) => [type.kind, type.plural]))(
    'has a description for every field of a %s',
    async (kind, plural) => {
      const paths = objectPaths(kind, plural);
      for (const path of paths)
        expect([path, await shown('explain', path)]).not.toContain('<no description>');

      expect(paths).toContain(`${plural}.status.conditions`);
    },
  );
});

describe('kubectl apply', () => {
  test('refuses a misspelt field and names it', async () => {
    const spec = { ...certificateSpec, duration: '720h' };
    const object = {
      apiVersion: 'tinycert-operator.io/v1alpha1',
      kind: 'TinyCertCertificate',
      metadata: { name: 'x' },
      spec,
    };

    const { code, stderr } = await api.kubectl(['apply', '-n', namespace, '-f', '-'], JSON.stringify(object));

    expect(code).toBe(1);
    expect(stderr).toContain('unknown field "spec.duration"');
  });

  test('shows all errors of a certificate at once', async () => {
    const spec = {
      secretName: 'Shop',
      issuerRef: { name: 'acme' },
      dnsNames: ['shop.example.com.', '10.0.0.1'],
      renewBefore: '30d',
    };
    const object = {
      apiVersion: 'tinycert-operator.io/v1alpha1',
      kind: 'TinyCertCertificate',
      metadata: { name: 'x' },
      spec,
    };

    const { code, stderr } = await api.kubectl(['apply', '-n', namespace, '-f', '-'], JSON.stringify(object));

    expect(code).toBe(1);
    const text = `${stderr.trim().split('\n').sort().join('\n')}\n`;
    expect(text).toBe(golden('apply-refused.txt', text));
  });
});

/** The paths of all objects in a kind that have fields, in the form for kubectl explain. */
function objectPaths(kind: string, plural: string): string[] {
  const crd = crds().find(({ metadata }) => metadata.name.startsWith(`${plural}.`));
  const spec = crd?.['spec'] as { versions: { schema: { openAPIV3Schema: StructuralSchema } }[] } | undefined;
  const schema = spec?.versions[0]?.schema.openAPIV3Schema;
  if (!schema) throw new Error(`no schema of ${kind}`);
  return below(schema, plural);
}

function below(schema: StructuralSchema, path: string): string[] {
  const object = schema.items ?? schema;
  if (!object.properties) return [];
  const deeper = Object.entries(object.properties).flatMap(([name, field]) =>
    below(field, `${path}.${name}`),
  );
  return [path, ...deeper];
}

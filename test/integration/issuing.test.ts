import { X509Certificate, createPrivateKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { CertificateSpec } from '../../src/api/tinycert/certificate-spec.ts';
import { accountDigest } from '../../src/api/tinycert/identity.ts';
import { certificates, clusterIssuers } from '../../src/api/kinds.ts';
import { SHOW_AFTER_MS } from '../../src/issuance/status/show-later.ts';
import { FLUSH_MS } from '../../src/journal/term.ts';
import { secrets } from '../../src/kube/objects.ts';
import { journalOf } from '../support/world/journal.ts';
import { filesOf, handshake, opensslVerify } from '../support/x509/openssl.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { aWorld } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

/** What a certificate costs beside its share in the journal's writes: two writes and three calls. */
const COST = {
  calls: { 'cert/new': 1, 'cert/get': 2 },
  writes: { 'PATCH tinycertcertificates/status': 1, 'POST secrets': 1 },
};

interface Case {
  spec: Partial<CertificateSpec>;
  cn: string;
  san: string | undefined;
  /** Hosts for which a client accepts it. */
  hosts?: string[];
  annotations: Record<string, string>;
}

const cases: Record<string, Case> = {
  'DNS names': {
    spec: { dnsNames: ['www.example.com', 'Example.com'] },
    cn: 'www.example.com',
    san: 'DNS:www.example.com, DNS:example.com',
    hosts: ['www.example.com', 'example.com'],
    annotations: { 'common-name': 'www.example.com', 'alt-names': 'www.example.com,example.com' },
  },
  'a wildcard': {
    spec: { dnsNames: ['*.example.com'] },
    cn: '*.example.com',
    san: 'DNS:*.example.com',
    hosts: ['any.example.com'],
    annotations: { 'common-name': '*.example.com', 'alt-names': '*.example.com' },
  },
  'IPv4 and IPv6 addresses': {
    spec: { dnsNames: [], ipAddresses: ['192.0.2.1', '2001:DB8:0::1'] },
    cn: '192.0.2.1',
    san: 'IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1',
    hosts: ['192.0.2.1', '2001:db8::1'],
    annotations: { 'common-name': '192.0.2.1', 'ip-sans': '192.0.2.1,2001:db8::1' },
  },
  'a URI beside a common name': {
    spec: { dnsNames: [], commonName: 'web server', uris: ['spiffe://example.org/ns/web'] },
    cn: 'web server',
    san: 'URI:spiffe://example.org/ns/web',
    annotations: { 'common-name': 'web server', 'uri-sans': 'spiffe://example.org/ns/web' },
  },
  'an e-mail address': {
    spec: { dnsNames: [], emailAddresses: ['admin@example.com'] },
    cn: 'admin@example.com',
    san: 'email:admin@example.com',
    annotations: { 'common-name': 'admin@example.com', 'email-sans': 'admin@example.com' },
  },
  'a common name that is a host': {
    spec: { dnsNames: [], commonName: 'host.example.com' },
    cn: 'host.example.com',
    san: 'DNS:host.example.com',
    hosts: ['host.example.com'],
    annotations: { 'common-name': 'host.example.com', 'alt-names': 'host.example.com' },
  },
  'a common name that is no host': {
    spec: { dnsNames: [], commonName: 'Zoë, Ltd.' },
    cn: 'Zoë, Ltd.',
    san: undefined,
    annotations: { 'common-name': 'Zoë, Ltd.' },
  },
};

describe('a certificate for', () => {
  test.each(Object.entries(cases))(
    '%s costs two writes, a share in the journal’s, and three calls, and serves',
    async (_, wanted) => {
      const world = await aWorld(stage);
      await world.account();
      const operator = await world.operator();
      await world.settled();
      const since = world.tally(operator);
      const mark = operator.traffic.mark();

      await world.certificate('web', wanted.spec);
      const { status } = await world.ready('web');
      await world.settled();

      expect(since()).toEqual(COST);
      expect(operator.traffic.journalWrites(mark)).toBe(1);
      const secret = await world.get(secrets, 'web-tls');
      const { crt, key, ca } = filesOf(secret);
      const leaf = new X509Certificate(crt);
      expect(leaf.toLegacyObject().subject).toEqual({ C: 'US', O: 'Example Org', CN: wanted.cn });
      expect(leaf.subjectAltName).toBe(wanted.san);
      expect(leaf.checkPrivateKey(createPrivateKey(key))).toBe(true);
      expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
      // The service signs with the root, so there is no intermediate.
      expect(crt).toBe(stage.dev.certificatePem(status?.certificateId ?? 0));
      expect(ca).toBe(stage.dev.authorities()[0]?.pem);
      expect(secret).toMatchObject({ type: 'kubernetes.io/tls' });
      expect(Object.keys(secret.data ?? {}).sort()).toEqual(['ca.crt', 'tls.crt', 'tls.key']);
      expect(secret.metadata.labels).toEqual({ 'tinycert-operator.io/managed': 'true' });
      const annotations = {
        'certificate-name': 'web',
        'issuer-kind': 'TinyCertIssuer',
        'issuer-name': 'ca',
        account: accountDigest(stage.dev.endpoint, stage.dev.email),
        'authority-id': String(stage.dev.authorityId),
        'certificate-id': String(status?.certificateId),
        'alt-names': '',
        'ip-sans': '',
        'uri-sans': '',
        'email-sans': '',
        ...wanted.annotations,
      };
      expect(secret.metadata.annotations).toEqual(
        Object.fromEntries(
          Object.entries(annotations).map(([name, text]) => [`tinycert-operator.io/${name}`, text]),
        ),
      );
      expect(await opensslVerify(secret)).toBe('tls.crt: OK');
      for (const host of wanted.hosts ?? [])
        expect(await handshake(secret, host)).toEqual({ authorized: true });
    },
  );
});

test('the subject comes from the spec, then from the issuer, then from the authority', async () => {
  const world = await aWorld(stage);
  await world.account({ subject: { country: 'NL', organizationalUnit: 'Issuer', locality: 'Maastricht' } });
  await world.operator();
  await world.certificate('web', { subject: { organizationalUnit: 'Spec', province: 'Limburg' } });
  await world.ready('web');

  const leaf = new X509Certificate(filesOf(await world.get(secrets, 'web-tls')).crt);
  expect(leaf.subject.split('\n')).toEqual([
    'C=NL',
    'ST=Limburg',
    'L=Maastricht',
    'O=Example Org',
    'OU=Spec',
    'CN=web.example.com',
  ]);
});

test('a cluster issuer reads its credentials in the operator’s own namespace and serves all others', async () => {
  const [own, tenant] = [await aWorld(stage), await aWorld(stage)];
  await own.credentials();
  const name = `issuer-${own.namespace}`;
  const { endpoint, caPem } = stage.dev;
  await stage.kube.create(clusterIssuers, {
    metadata: { name },
    spec: {
      endpoint,
      caBundle: caPem,
      credentialsSecretRef: { name: 'account' },
      authority: { name: 'Example Org' },
    },
  });
  onTestFinished(() => stage.kube.delete(clusterIssuers, { name }));
  await own.operator({ namespaces: undefined, allowedEndpoints: [] });

  await tenant.certificate('web', { issuerRef: { kind: 'TinyCertClusterIssuer', name } });
  await tenant.ready('web');

  const secret = await tenant.get(secrets, 'web-tls');
  expect(secret.metadata.annotations).toMatchObject({
    'tinycert-operator.io/issuer-kind': 'TinyCertClusterIssuer',
    'tinycert-operator.io/issuer-name': name,
  });
  expect(await opensslVerify(secret)).toBe('tls.crt: OK');
});

/** Time is skipped from here on: OpenSSL, whose clock is the real one, takes later certificates for not yet valid. */

test('an attempt whose certificate is Ready leaves the journal within a second, without any other write', async () => {
  const world = await aWorld(stage);
  await world.account();
  const operator = await world.operator();
  await world.certificate('web');
  const { metadata, status } = await world.ready('web');
  await world.settled();
  expect((await journalOf(world)).attempts).toMatchObject([{ id: status?.attemptId, uid: metadata.uid }]);
  const since = world.tally(operator);
  const mark = operator.traffic.mark();

  await world.pass(FLUSH_MS);

  expect(await journalOf(world)).toEqual({ attempts: [], released: [], abandoned: [] });
  expect(operator.traffic.journalWrites(mark)).toBe(1);
  expect(since()).toEqual({ calls: {}, writes: {} });
});

test('a certificate for which the CA takes long reports that until it is there, in one more write', async () => {
  const world = await aWorld(stage);
  await world.account();
  const operator = await world.operator();
  await world.settled();
  const since = world.tally(operator);
  stage.dev.addFault({ call: 'cert/new', kind: 'hold' });
  await world.certificate('web');
  await world.call(({ call, fault }) => call === 'cert/new' && fault === 'hold');
  await world.settled();
  expect(await world.says(certificates, 'web')).toEqual([]);

  await world.pass(SHOW_AFTER_MS);

  const why = 'DoesNotExist: No certificate has been issued yet.';
  expect(await world.says(certificates, 'web')).toEqual([`Ready=False ${why}`, `Issuing=True ${why}`]);
  stage.dev.release();
  await world.ready('web');
  await world.settled();
  expect(await world.says(certificates, 'web')).toEqual([
    'Ready=True Ready: The Secret holds a valid certificate for this spec.',
  ]);
  expect(since()).toEqual({
    ...COST,
    writes: { ...COST.writes, 'PATCH tinycertcertificates/status': 2 },
  });
});

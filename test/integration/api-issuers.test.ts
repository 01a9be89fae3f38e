import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { crds } from '../../src/api/generate/crds.ts';
import { clusterIssuers, issuers } from '../../src/api/kinds.ts';
import { parseIssuer } from '../../src/api/parse.ts';
import { ClusterApi, refused } from '../support/world/cluster-api.ts';

let api: ClusterApi;
beforeAll(async () => {
  api = new ClusterApi();
  await api.installCrds();
});
afterAll(() => api.close());

const notEndpoint =
  'is not an endpoint: write https://, a host and optionally a port and a path, such as https://www.tinycert.org/api/v1/, without user, query, fragment or ..; http:// works for localhost, 127.0.0.1 and [::1] only';

const issuer = { credentialsSecretRef: { name: 'account' }, authority: { id: 123 } };
const PEM = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n';

describe('an issuer', () => {
  test.each<[string, object]>([
    ['of an authority by its id', issuer],
    ['of an authority by its name', { ...issuer, authority: { name: 'ACME, Inc.' } }],
    ['at a private endpoint', { ...issuer, endpoint: 'https://ca.example.com:8443/api/v1', caBundle: PEM }],
    [
      'at an endpoint by address',
      {
        ...issuer,
        endpoint: 'https://[2001:db8::1]:8443',
        caBundleSecretRef: { name: 'ca', key: 'root.pem' },
      },
    ],
    [
      'at a development endpoint',
      { ...issuer, endpoint: 'http://127.0.0.1:8080/api/v1/', subject: { country: 'NL' } },
    ],
  ])('%s is accepted', async (_, spec) => {
    expect(await api.complaints(issuers, spec)).toEqual([]);
    expect(await api.complaints(clusterIssuers, spec)).toEqual([]);
    expect(parseIssuer({ metadata: { name: 'x' }, spec })).toMatchObject({ ok: true });
  });

  test.each<[string, object, string[]]>([
    [
      'no authority',
      { ...issuer, authority: {} },
      ['spec.authority: Invalid value: must name one authority: set exactly one of id and name'],
    ],
    [
      'two authorities',
      { ...issuer, authority: { id: 1, name: 'x' } },
      ['spec.authority: Invalid value: must name one authority: set exactly one of id and name'],
    ],
    [
      'an id of 0',
      { ...issuer, authority: { id: 0 } },
      [
        'spec.authority.id: Invalid value: 0: must be 1 or more: write the id that TinyCert shows for the authority',
      ],
    ],
    [
      'plain HTTP',
      { ...issuer, endpoint: 'http://ca.example.com/' },
      [refused('spec.endpoint', 'http://ca.example.com/', notEndpoint)],
    ],
    [
      'a host that only looks local',
      { ...issuer, endpoint: 'http://localhost.example.com/' },
      [refused('spec.endpoint', 'http://localhost.example.com/', notEndpoint)],
    ],
    [
      'a user in the endpoint',
      { ...issuer, endpoint: 'https://a:b@ca.example.com/' },
      [refused('spec.endpoint', 'https://a:b@ca.example.com/', notEndpoint)],
    ],
    [
      'a query in the endpoint',
      { ...issuer, endpoint: 'https://a/?b' },
      [refused('spec.endpoint', 'https://a/?b', notEndpoint)],
    ],
    [
      'a way up in the endpoint',
      { ...issuer, endpoint: 'https://a/api/../v1' },
      [refused('spec.endpoint', 'https://a/api/../v1', notEndpoint)],
    ],
    [
      'a bundle that is no PEM',
      { ...issuer, caBundle: 'MIIB' },
      [
        'spec.caBundle: Invalid value: "MIIB": must contain PEM certificates: paste the text from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----, without encoding it in base64 again',
      ],
    ],
    [
      'two bundles',
      { ...issuer, caBundle: PEM, caBundleSecretRef: { name: 'ca' } },
      [
        'spec.caBundleSecretRef: Invalid value: caBundle and caBundleSecretRef cannot both be set: remove one of them',
      ],
    ],
    [
      'a marker if the subject has a unit of its own',
      { ...issuer, ownershipMarker: 'OrganizationalUnit', subject: { organizationalUnit: 'IT' } },
      [
        'spec.subject.organizationalUnit: Invalid value: ownershipMarker OrganizationalUnit needs the organizational unit for the mark: remove subject.organizationalUnit',
      ],
    ],
    [
      'a key that no Secret has',
      { ...issuer, caBundleSecretRef: { name: 'ca', key: 'a/b' } },
      [
        refused(
          'spec.caBundleSecretRef.key',
          'a/b',
          'is not a key of a Secret: write at most 253 letters, digits, -, _ and .',
        ),
      ],
    ],
  ])('with %s is refused, with advice on what to write instead', async (_, spec, want) => {
    expect(await api.complaints(issuers, spec)).toEqual(want);
    expect(await api.complaints(clusterIssuers, spec)).toEqual(want);
    expect(parseIssuer({ metadata: { name: 'x' }, spec })).toMatchObject({ ok: false });
  });
});

describe('the CRDs', () => {
  test('are served as generated, without losses', async () => {
    for (const crd of crds()) {
      const { status, body } = await api.send(
        'GET',
        `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`,
      );

      expect(status).toBe(200);
      expect(body).toMatchObject({
        spec: crd['spec'] as object,
        status: {
          conditions: expect.arrayContaining([
            expect.objectContaining({ type: 'Established', status: 'True' }),
          ]) as unknown,
        },
      });
    }
  });
});

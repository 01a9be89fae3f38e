import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cacertAccounts, cacertCertificates, certificates, issuers } from '../../src/api/kinds.ts';
import {
  parseCAcertAccount,
  parseCAcertCertificate,
  parseCertificate,
  parseIssuer,
} from '../../src/api/parse.ts';
import type { ResourceType } from '../../src/kube/objects.ts';
import { ClusterApi } from '../support/world/cluster-api.ts';

/**
 * The rules exist twice: as CEL in the CRDs and as functions in the operator. Random specs, valid, invalid and nearly valid,
 * show that both agree.
 */

let api: ClusterApi;
beforeAll(async () => {
  api = new ClusterApi();
  await api.installCrds();
});
afterAll(() => api.close());

const RUNS = 500;

/** Texts made of the characters that the rules check. */
const scrap = fc.string({
  unit: fc.constantFrom(...Array.from('aZ09-_.*@:/%[]#?~\' "\\éKſ\n\u0000\u00a0😀')),
  maxLength: 12,
});

/** Mostly a valid one, since a spec is accepted only if all its fields are. */
function mostly<T>(good: fc.Arbitrary<T>, odd: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ weight: 40, arbitrary: good }, { weight: 1, arbitrary: odd });
}

const label = (length: number): string => 'a'.repeat(length);
const longDns = [label(63), label(63), label(63), label(61)].join('.');

const dnsName = mostly(
  fc.oneof(
    fc.domain(),
    fc.constantFrom('a', 'A.b', '*.a.b', '_x.a', 'x--y', '1.2.3.4.5', longDns, '0x1.a', '10.1'),
  ),
  fc.oneof(
    scrap,
    fc.ipV4(),
    fc.constantFrom(
      '',
      '*',
      '*.',
      'a..b',
      '-a',
      'a-',
      'a.b.',
      'a_',
      'a_.b',
      '*.*.a',
      `${longDns}b`,
      label(64),
      '::1',
      'K.com',
    ),
  ),
);
const ip = mostly(
  fc.oneof(
    fc.ipV4(),
    fc.ipV6().filter((text) => !text.toLowerCase().includes('::ffff:')),
  ),
  fc.oneof(
    scrap,
    fc.ipV4Extended(),
    fc.ipV6(),
    fc.string({ unit: fc.constantFrom('0', '1', 'f', ':', ':', '.', 'g'), maxLength: 20 }),
    fc.constantFrom(
      '',
      '1.2.3',
      '01.2.3.4',
      '::ffff:1.2.3.4',
      '::ffff:0:1',
      'fe80::1%a',
      '1::2::3',
      '1:2:3:4:5:6:7::8',
      '::1.2.3.4',
      '1.2.3.4::',
      '[::1]',
    ),
  ),
);
const uri = mostly(
  fc.oneof(
    fc.webUrl({ withFragments: true, withQueryParameters: true }),
    fc.constantFrom('urn:a', 'spiffe://a/b', "a:'()"),
  ),
  fc.oneof(scrap, fc.constantFrom('', 'a', ':a', 'a:', '1a:b', '//a/b', 'a:b c', 'a:\\', 'http://é')),
);
const email = mostly(
  fc.emailAddress(),
  fc.oneof(
    scrap,
    fc.constantFrom(
      '',
      'a',
      'a@',
      '@a',
      'a@b@c',
      'a@b.',
      'a b@c',
      `${label(65)}@a`,
      `a@${longDns}`,
      'a@*.b',
      'ſ@a',
    ),
  ),
);
const plain = mostly(
  fc.oneof(
    fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 20 }).map((text) => `x${text}y`),
    fc.constantFrom('A', 'Zoë', label(64)),
  ),
  fc.oneof(
    scrap,
    fc.constantFrom(
      '',
      ' a',
      'a ',
      'a\nb',
      label(65),
      '😀'.repeat(64),
      '😀'.repeat(65),
      label(129),
      'tinycert-operator:x',
      '\u007f',
    ),
  ),
);
const objectName = mostly(
  fc.constantFrom('a', 'a-b.c', '0', label(253), 'a.b.c'),
  fc.oneof(scrap, fc.constantFrom('', 'A', 'a_b', '-a', 'a-', 'a..b', 'a.', label(254), 'a/b')),
);
const duration = mostly(
  fc.constantFrom('5m', '300s', '8640h', '1h30m', '0h5m', '8639h59m60s', '999s'),
  fc.oneof(
    fc.string({ unit: fc.constantFrom('0', '1', '5', '9', 'h', 'm', 's'), maxLength: 8 }),
    fc.constantFrom(
      '',
      '4m59s',
      '8640h1s',
      '1d',
      '1.5h',
      '-5m',
      '999999h',
      '1000000h',
      '5m5m',
      '1m1h',
      ' 5m',
      '5',
      'h',
      '0',
    ),
  ),
);
const oddNumber = fc.oneof(fc.integer({ min: -1000, max: 1000 }), fc.constantFrom(0, 100, 1.5, -1, 2 ** 40));
const enumOf = (...values: string[]) => mostly(fc.constantFrom(...values), fc.constantFrom('', 'never', 'x'));
const list = <T>(item: fc.Arbitrary<T>) => fc.array(item, { maxLength: 3 });
const subject = fc.record(
  {
    country: mostly(
      fc.constantFrom('NL', 'DE'),
      fc.oneof(scrap, fc.constantFrom('nl', 'NLD', 'N', '', 'ÄÖ', 'N\n')),
    ),
    organization: plain,
    organizationalUnit: plain,
    locality: plain,
    province: plain,
  },
  { requiredKeys: [] },
);

const certificateSpec = fc.record(
  {
    secretName: objectName,
    issuerRef: fc.record(
      { kind: enumOf('TinyCertIssuer', 'TinyCertClusterIssuer'), name: objectName },
      { requiredKeys: ['name'] },
    ),
    commonName: plain,
    dnsNames: list(dnsName),
    ipAddresses: list(ip),
    uris: list(uri),
    emailAddresses: list(email),
    subject,
    renewBefore: duration,
    renewBeforePercentage: mostly(fc.integer({ min: 1, max: 99 }), oddNumber),
    privateKey: fc.record({ rotationPolicy: enumOf('Never', 'Always') }, { requiredKeys: [] }),
  },
  { requiredKeys: ['secretName', 'issuerRef'] },
);

const endpoint = mostly(
  fc.constantFrom(
    'https://a',
    'https://a.b:8443/api/v1/',
    'https://[::1]:1/',
    'http://localhost',
    'http://127.0.0.1:80/a',
    'http://[::1]/',
    'https://a/~b/%'.replace('%', ''),
  ),
  fc.oneof(
    scrap,
    scrap.map((text) => `https://${text}`),
    scrap.map((text) => `http://localhost${text}`),
    scrap.map((text) => `https://a/${text}`),
    fc.constantFrom(
      '',
      'http://a',
      'http://localhost.a/',
      'https://a@b/',
      'https://a?b',
      'https://a/..',
      'https://a:123456',
      'https://a//b',
      'HTTPS://a',
      'https://',
      'https://-a',
      'http://127.0.0.2',
    ),
  ),
);
const pem = '-----BEGIN CERTIFICATE-----';
const issuerSpec = fc.record(
  {
    endpoint,
    caBundle: mostly(fc.constant(`x\n${pem}\n`), fc.oneof(scrap, fc.constant(pem.toLowerCase()))),
    caBundleSecretRef: fc.record(
      { name: objectName, key: mostly(fc.constantFrom('ca.crt', 'a_b-c'), scrap) },
      { requiredKeys: ['name'] },
    ),
    credentialsSecretRef: fc.record({ name: objectName }),
    authority: mostly(
      fc.oneof<fc.Arbitrary<{ id?: number; name?: string }>[]>(
        fc.record({ id: fc.integer({ min: 1 }) }),
        fc.record({ name: plain }),
      ),
      fc.record({ id: oddNumber, name: plain }, { requiredKeys: [] }),
    ),
    subject,
  },
  { requiredKeys: ['credentialsSecretRef', 'authority'] },
);

const accountSpec = fc.record(
  {
    endpoint,
    caBundle: mostly(fc.constant(`x\n${pem}\n`), fc.oneof(scrap, fc.constant(pem.toLowerCase()))),
    caBundleSecretRef: fc.record({ name: objectName }),
    rootFingerprints: fc.array(
      mostly(
        fc.constantFrom('0f'.repeat(32), Array.from({ length: 32 }, () => 'AB').join(':')),
        fc.oneof(scrap, fc.constantFrom('0f'.repeat(31), '0f:'.repeat(32), 'xy'.repeat(32))),
      ),
      { maxLength: 3 },
    ),
    credentialsSecretRef: fc.record({ name: objectName }),
  },
  { requiredKeys: ['credentialsSecretRef'] },
);

const clientSpec = fc.record(
  {
    secretName: objectName,
    accountRef: fc.record({ name: objectName }),
    emailAddresses: fc.array(email, { maxLength: 3 }),
    commonName: mostly(plain, fc.constantFrom('n'.repeat(200), 'n'.repeat(201), ' n')),
    codeSigning: fc.boolean(),
    privateKey: fc.record(
      {
        size: mostly(fc.constantFrom(2048, 3072, 4096), oddNumber),
        rotationPolicy: enumOf('Never', 'Always'),
      },
      { requiredKeys: [] },
    ),
    renewBefore: duration,
    renewBeforePercentage: mostly(fc.integer({ min: 1, max: 99 }), oddNumber),
    secretDeletionPolicy: enumOf('Retain', 'Delete'),
  },
  { requiredKeys: ['secretName', 'accountRef', 'emailAddresses'] },
);

interface Verdicts {
  accepted: number;
  refused: number;
}

/** Compares both on random specs, and counts the valid ones so a generator of only invalid specs fails. */
async function compare(
  type: ResourceType,
  specs: fc.Arbitrary<object>,
  parse:
    | typeof parseCertificate
    | typeof parseIssuer
    | typeof parseCAcertAccount
    | typeof parseCAcertCertificate,
): Promise<Verdicts> {
  const verdicts: Verdicts = { accepted: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(specs, async (spec) => {
      const { status, body } = await api.dryRun(type, spec);
      const parsed = parse({ metadata: { name: 'x' }, spec });
      const stored = status === 201 ? (body as { spec: unknown }).spec : undefined;
      verdicts[parsed.ok ? 'accepted' : 'refused'] += 1;

      expect([201, 422]).toContain(status);
      // If both accept a spec, they also agree on its defaults.
      expect({ spec: parsed.ok ? parsed.object.spec : undefined, parsed, body }).toMatchObject({
        spec: stored,
      });
    }),
    { numRuns: RUNS },
  );
  return verdicts;
}

test.each<[string, ResourceType, fc.Arbitrary<object>, Parameters<typeof compare>[2]]>([
  ['certificates', certificates, certificateSpec, parseCertificate],
  ['issuers', issuers, issuerSpec, parseIssuer],
  ['CAcert accounts', cacertAccounts, accountSpec, parseCAcertAccount],
  ['CAcert certificates', cacertCertificates, clientSpec, parseCAcertCertificate],
])(
  'the operator and the API server accept the same %s, with the same defaults',
  async (_, type, specs, parse) => {
    const { accepted, refused } = await compare(type, specs, parse);

    expect(accepted).toBeGreaterThan(RUNS / 10);
    expect(refused).toBeGreaterThan(RUNS / 10);
  },
);

import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTinyCertClient } from '../../../src/tinycert/index.ts';
import { type DevServer, startDevServer } from '../../../tools/dev-server/index.ts';
import type { Authority, Issued } from '../ca.ts';
import { AUTHORITIES, type CaName, CAS, ISSUERS, type IssuerName } from '../issuers.ts';
import type { Tag } from '../names.ts';
import type { SecretVersion } from './history.ts';
import { judgeSecrets } from './secret-versions.ts';
import { Scene } from './verdict-scene.ts';

/** The same authorities and ids at each. */
const servers = new Map<CaName, DevServer>();
const authorities: Authority[] = [];
beforeAll(async () => {
  for (const ca of CAS) {
    const server = await startDevServer({
      validity: '1h',
      otherCustomers: 0,
      authorities: AUTHORITIES.map((organization) => ({ organization, country: 'NL' })),
    });
    servers.set(ca, server);
    authorities.push(...server.authorities().map((one) => ({ ...one, ca, account: ca })));
  }
});
afterAll(async () => {
  for (const server of servers.values()) await server.stop();
});

function at(issuer: IssuerName): { server: DevServer; authority: Authority } {
  const { ca, authority } = ISSUERS[issuer];
  const server = servers.get(ca);
  const found = authorities.find((one) => one.ca === ca && one.name === authority);
  if (!server || !found) throw new Error(`There is no ${issuer}.`);
  return { server, authority: found };
}

/** Buys what a wish asks for, of any issuer, and returns the Secret with it. */
async function bought(tag: Tag, issuer = tag.issuer): Promise<Record<string, string>> {
  const { server, authority } = at(issuer);
  const { endpoint, caPem: ca, email, passphrase, apiKey } = server;
  const client = createTinyCertClient({ endpoint, ca, credentials: { email, passphrase, apiKey } });
  const id = await client.createCertificate({
    authorityId: authority.id,
    subject: { commonName: tag.commonName, country: 'NL', organization: 'O' },
    alternativeNames: tag.names.map((value) => ({ type: 'DNS' as const, value })),
  });
  const files = {
    'tls.crt': await client.getCertificate(id, 'cert'),
    'tls.key': await client.getCertificate(id, 'key.dec'),
    'ca.crt': authority.pem,
  };
  await client.close();
  return Object.fromEntries(
    Object.entries(files).map(([file, text]) => [file, Buffer.from(text).toString('base64')]),
  );
}

/** What the witness finds in these versions of the Secret of `n/web`. */
function findings(scene: Scene, ...versions: Record<string, string>[]): ReturnType<typeof judgeSecrets> {
  const certificates: Issued[] = [...servers].flatMap(([ca, server]) =>
    server.certificates().map((one) => ({ ...one, ca, account: ca })),
  );
  const secrets = versions.map((data, i): SecretVersion => ({
    place: 'n/web',
    revision: i + 1,
    at: Date.now(),
    data,
  }));
  const evidence = scene.evidence();
  return judgeSecrets({
    ...evidence,
    certificates,
    authorities,
    history: { ...evidence.history, secrets },
  });
}

const nothing = { wrongOwner: [], invalidSecretVersions: [], secretRegressions: [] };

test('a certificate of each of two issuers that number alike is no finding, whichever comes first', async () => {
  const scene = new Scene();
  const first = await bought(scene.wish('web'));
  const away = await bought(scene.wish('web', 'web', { issuer: 'far' }));
  const second = await bought(scene.wish('web'));

  expect(findings(scene, second, away)).toEqual(nothing);
  expect(findings(scene, away, first)).toEqual(nothing);
});

test('an older certificate of the same issuer is a regression', async () => {
  const scene = new Scene();
  const [first, second] = [await bought(scene.wish('web')), await bought(scene.wish('web'))];

  expect(findings(scene, second, first).secretRegressions).toHaveLength(1);
});

test('a certificate of the issuer of the same ids at the other CA is invalid', async () => {
  const scene = new Scene();

  const { invalidSecretVersions } = findings(scene, await bought(scene.wish('web'), 'far'));

  expect(invalidSecretVersions).toEqual([expect.stringContaining('not signed')]);
});

test('a certificate that the CA knows with another key is invalid', async () => {
  const scene = new Scene();
  const tag = scene.wish('web');
  const data = await bought(tag);
  const { server } = at('plain');
  const known = server.certificates().at(-1);
  const evidence = scene.evidence();
  const certificates: Issued[] = known
    ? [{ ...known, ca: 'near', account: 'near', keyFingerprint: 'another' }]
    : [];
  const secrets = [{ place: 'n/web', revision: 1, at: Date.now(), data }];

  const result = judgeSecrets({
    ...evidence,
    certificates,
    authorities,
    history: { ...evidence.history, secrets },
  });

  expect(result.invalidSecretVersions).toEqual([expect.stringContaining('did not issue with this key')]);
});

test.each<[string, Partial<Tag>, string]>([
  ['another resource', { name: 'other' }, 'n/other'],
  ['a person', { name: '', namespace: '', party: 'person' }, 'a person'],
])('a certificate of %s has the wrong owner', async (_, whose, name) => {
  const scene = new Scene();

  const { wrongOwner } = findings(scene, await bought(scene.wish('web', 'web', whose)));

  expect(wrongOwner).toEqual([expect.stringContaining(name)]);
});

test('a certificate whose names nobody requested is invalid', async () => {
  const scene = new Scene();
  const tag = { ...scene.wish('web'), names: ['x', 'y'] };

  expect(findings(scene, await bought(tag)).invalidSecretVersions).toHaveLength(1);
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { certificates, issuers, type TinyCertCertificate } from '../../src/api/kinds.ts';
import type { CertificateSpec } from '../../src/api/tinycert/certificate-spec.ts';
import { accountDigest } from '../../src/api/tinycert/identity.ts';
import { secrets } from '../../src/kube/objects.ts';
import type { CertificateView, DevServer, Fault } from '../../tools/dev-server/types.ts';
import { events } from '../support/world/crds.ts';
import { journalOf } from '../support/world/journal.ts';
import { complaints } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { type Twins, twins } from '../support/world/twins.ts';
import type { World } from '../support/world/world.ts';
import { filesOf } from '../support/x509/openssl.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

/** After which an attempt can have no further effect, and its recovery has run. */
const QUIET_MS = 60_000;
const HOUR = 3_600_000;
const CN = 'www.example.com';

type Spec = Partial<Record<keyof CertificateSpec, unknown>>;

/** The certificate `web` of the issuer `a`. */
function wanted(world: World, spec: Spec = {}): Promise<TinyCertCertificate> {
  return world.certificate('web', { issuerRef: { name: 'a' }, dnsNames: [CN], ...spec });
}

/** Lets the certificate `web` refer to another issuer. */
async function moveTo(world: World, name: string): Promise<void> {
  await world.patch(certificates, 'web', { spec: { issuerRef: { name } } });
}

/** Gives the issuer `a` the endpoint and the credentials of the other CA. */
async function switchIssuer({ world, b }: Twins): Promise<void> {
  const { email, passphrase, apiKey, endpoint } = b;
  await world.patch(secrets, 'a-login', { stringData: { email, passphrase, apiKey } });
  await world.patch(issuers, 'a', { spec: { endpoint } });
}

const changes: [string, (scene: Twins) => Promise<void>][] = [
  ['the certificate refers to another issuer', ({ world }) => moveTo(world, 'b')],
  ['the issuer has the endpoint and credentials of another account', switchIssuer],
];

function bought(ca: DevServer): CertificateView[] {
  return ca.certificates().filter(({ cn }) => cn === CN);
}

function statusesAt(ca: DevServer): string[] {
  return bought(ca).map(({ status }) => status);
}

/** The certificates of a CA that are on record as those of deleted resources. */
async function deletedAt({ endpoint, email }: DevServer, world: World): Promise<number[]> {
  const { released } = await journalOf(world);
  const account = accountDigest(endpoint, email);
  return released
    .filter((each) => each.cause === 'Deleted' && each.account === account)
    .map(({ certificateId }) => certificateId);
}

/** Waits until the Secret holds the newest certificate of a CA. */
async function servedBy(world: World, ca: DevServer): Promise<void> {
  await world.ready('web');
  const { crt } = filesOf(await world.get(secrets, 'web-tls'));
  expect(crt).toBe(ca.certificatePem(bought(ca).at(-1)?.id ?? 0));
}

async function notes(world: World): Promise<string[]> {
  const { items } = await stage.kube.listAll(events, { namespace: world.namespace });
  return items.map(({ reason, note }) => `${reason}: ${note}`);
}

describe.each(changes)('when %s', (_, change) => {
  test('an open attempt is concluded at its own account, and the new certificate does not wait for that', async () => {
    const scene = await twins(stage);
    const { world, a, b, operator } = scene;
    a.addFault({ call: 'cert/new', kind: 'reset-after' });
    const running = await operator();
    await wanted(world);
    await world.settled();
    expect(bought(a)).toHaveLength(1);

    await change(scene);
    await world.pass(5_000);
    await servedBy(world, b);
    await world.pass(QUIET_MS);

    const { status } = await world.get(certificates, 'web');
    expect(status?.formerAccounts).toMatchObject([
      { formerCertificates: [{ certificateId: bought(a)[0]?.id }] },
    ]);
    expect((await journalOf(world)).attempts).toEqual([]);
    expect([bought(a).length, bought(b).length]).toEqual([1, 1]);
    expect(complaints(running)).toEqual([]);
  });

  test('what was promised is done at its own account, and so is what onReplace asks for', async () => {
    const scene = await twins(stage);
    const { world, a, b, operator } = scene;
    const running = await operator();
    await wanted(world, { revocation: { onReplace: 'Revoke', delay: '2h' } });
    await world.ready('web');
    await world.patch(certificates, 'web', { spec: { dnsNames: [CN, 'b.example.com'] } });
    await world.ready('web');
    // Somebody else has the same ids at the other account.
    for (let i = 0; i < 2; i += 1) await b.issueByHand({ cn: CN, names: [{ type: 'DNS', value: CN }] });

    await change(scene);
    await world.pass(5_000);
    await servedBy(world, b);
    expect(statusesAt(a)).toEqual(['good', 'good']);
    await world.pass(2 * HOUR + 10_000);

    expect(statusesAt(a)).toEqual(['revoked', 'revoked']);
    expect(statusesAt(b)).toEqual(['good', 'good', 'good']);
    expect(complaints(running)).toEqual([]);
  });

  test('onDelete applies to what the resource had there, and to nobody else’s of the same id', async () => {
    const scene = await twins(stage);
    const { world, a, b, operator } = scene;
    a.addFault({ call: 'cert/get', kind: 'error', code: 'AccessDenied', times: 'forever' });
    await operator();
    await wanted(world, { revocation: { onDelete: 'Revoke' } });
    await world.settled();
    expect((await journalOf(world)).attempts).toMatchObject([{ certificateId: bought(a)[0]?.id }]);
    const foreign = await b.issueByHand({ cn: CN, names: [{ type: 'DNS', value: CN }] });
    expect(foreign.id).toBe(bought(a)[0]?.id);

    await change(scene);
    await world.pass(5_000);
    await servedBy(world, b);
    await world.delete(certificates, 'web');
    await world.settled();

    expect([statusesAt(a), statusesAt(b)]).toEqual([['revoked'], ['good', 'revoked']]);
  });
});

test.each<[string, Fault]>([
  ['refused for good', { call: 'cert/new', kind: 'error', code: 'InputFailure', times: 'forever' }],
  ['bought and not served', { call: 'cert/get', kind: 'error', code: 'AccessDenied', times: 'forever' }],
])('what one account %s is asked for at once at the next one', async (_, fault) => {
  const scene = await twins(stage);
  const { world, a, b, operator } = scene;
  a.addFault(fault);
  await operator();
  const { metadata } = await wanted(world);
  await world.until(certificates, 'web', ({ status }) => status?.failedAttempts === 1);

  await switchIssuer(scene);
  await world.pass(5_000);

  expect(await world.says(certificates, 'web')).toEqual([
    'Ready=True Ready: The Secret holds a valid certificate for this spec.',
  ]);
  await servedBy(world, b);
  const { status, metadata: now } = await world.get(certificates, 'web');
  // Nobody has changed the spec, which would end the wait too.
  expect(now.generation).toBe(metadata.generation);
  expect(status).not.toHaveProperty('failedAttempts');
});

test('a resource that comes back to its account before another certificate was issued buys nothing', async () => {
  const { world, a, b, operator } = await twins(stage);
  b.addFault({ call: 'cert/new', kind: 'error', code: 'UnknownError', status: 500, times: 'forever' });
  await operator();
  await wanted(world);
  await world.ready('web');
  await moveTo(world, 'b');
  await world.pass(5_000);

  await moveTo(world, 'a');
  await world.pass(QUIET_MS);

  await servedBy(world, a);
  expect([bought(a).length, bought(b).length]).toEqual([1, 0]);
  expect((await world.get(certificates, 'web')).status).not.toHaveProperty('formerAccounts');
});

test('what cannot be done at an account that nobody reaches any more is named, and stays in status', async () => {
  const { world, a, b, operator } = await twins(stage);
  const first = await operator();
  await wanted(world, { revocation: { onReplace: 'Revoke', delay: '1h' } });
  await world.ready('web');
  await world.settled();
  await first.stop();
  await world.patch(issuers, 'a', { metadata: { finalizers: [] } });
  await world.delete(issuers, 'a');
  await moveTo(world, 'b');

  await operator();
  await world.pass(2 * HOUR);

  await servedBy(world, b);
  expect(statusesAt(a)).toEqual(['good']);
  const [{ id } = { id: 0 }] = bought(a);
  expect((await notes(world)).filter((note) => note.startsWith('FormerAccountUnavailable'))).toEqual([
    expect.stringContaining(`certificate ${id}`),
  ]);
  expect((await world.get(certificates, 'web')).status?.formerAccounts).toMatchObject([
    { certificateId: id },
  ]);
});

test('a deleted resource waits ten minutes for an account that nobody reaches, and then names what is not done', async () => {
  const { world, a, b, operator } = await twins(stage);
  const first = await operator();
  await wanted(world, { revocation: { onDelete: 'Revoke' } });
  await world.ready('web');
  await world.settled();
  await first.stop();
  await world.patch(issuers, 'a', { metadata: { finalizers: [] } });
  await world.delete(issuers, 'a');
  await moveTo(world, 'b');
  const second = await operator();
  await world.ready('web');

  await stage.kube.delete(certificates, world.ref('web'));
  await world.until(certificates, 'web', ({ status }) =>
    (status?.conditions ?? []).some(({ reason }) => reason === 'FormerAccountUnavailable'),
  );
  await world.pass(9 * 60_000);
  expect(statusesAt(b)).toEqual(['good']);
  await world.get(certificates, 'web');
  await world.pass(2 * 60_000);

  await expect(world.get(certificates, 'web')).rejects.toThrow('not found');
  expect([statusesAt(a), statusesAt(b)]).toEqual([['good'], ['revoked']]);
  expect(second.log.map(({ msg }) => msg)).toContain(
    'Certificates are given up without the hold or revocation that was due',
  );
  expect(await deletedAt(a, world)).toEqual(bought(a).map(({ id }) => id));
});

test('a deleted resource waits as long for an account whose last session TinyCert no longer accepts', async () => {
  const { world, a, b, operator } = await twins(stage);
  await operator();
  await wanted(world, { revocation: { onDelete: 'Revoke' } });
  await world.ready('web');
  await moveTo(world, 'b');
  await world.ready('web');
  await world.settled();
  await world.patch(issuers, 'a', { metadata: { finalizers: [] } });
  await world.delete(issuers, 'a');
  await world.settled();
  a.addFault({ call: 'connect', kind: 'error', code: 'SignatureFailure', status: 403, times: 100 });
  a.expireSessions();

  await stage.kube.delete(certificates, world.ref('web'));
  await world.until(certificates, 'web', ({ status }) =>
    (status?.conditions ?? []).some(({ reason }) => reason === 'FormerAccountUnavailable'),
  );
  await world.pass(9 * 60_000);
  await world.get(certificates, 'web');
  await world.pass(2 * 60_000);

  await expect(world.get(certificates, 'web')).rejects.toThrow('not found');
  expect([statusesAt(a), statusesAt(b)]).toEqual([['good'], ['revoked']]);
  expect(await deletedAt(a, world)).toEqual(bought(a).map(({ id }) => id));
});

describe('the account is the same one', () => {
  /** A resource with a promise, and its issuer at another URL of the same CA; `spelled` makes that from the endpoint. */
  async function atUrl(spelled: (endpoint: string) => string): Promise<Twins> {
    const scene = await twins(stage);
    const { world, a } = scene;
    const endpoint = spelled(a.endpoint);
    await world.operator({ allowedEndpoints: [a.endpoint, endpoint] });
    await wanted(world, { revocation: { onReplace: 'Revoke', delay: '2h' } });
    await world.ready('web');
    await world.patch(certificates, 'web', { spec: { dnsNames: [CN, 'b.example.com'] } });
    await world.ready('web', ({ status }) => status?.revision === 2);
    await world.settled();
    await world.patch(issuers, 'a', { spec: { endpoint } });
    await world.pass(5_000);
    return scene;
  }

  test.each<[string, (endpoint: string) => string]>([
    ['its endpoint is spelled in another way', (endpoint) => endpoint.replace(/\/$/, '')],
    ['it has moved, and still has the certificate', (endpoint) => endpoint.replace('127.0.0.1', 'localhost')],
  ])('if %s: nothing is bought, and no promise lost', async (_, spelled) => {
    const { world, a } = await atUrl(spelled);
    const [, second] = bought(a);
    const { status } = await world.ready('web');
    expect(status?.certificateId).toBe(second?.id);
    expect(status?.pendingRevocations).toMatchObject([
      { account: status?.account, authorityId: a.authorityId },
    ]);
    expect(status).not.toHaveProperty('formerAccounts');
    await world.pass(2 * HOUR + 10_000);
    expect(statusesAt(a)).toEqual(['revoked', 'good']);
  });
});

test('another CA is another account, although it has the same API key and the same ids', async () => {
  const { world, a, b, operator } = await twins(stage);
  await b.setOptions({ apiKey: a.apiKey });
  await world.patch(secrets, 'b-login', { stringData: { apiKey: a.apiKey } });
  await operator();
  await wanted(world);
  await world.ready('web');
  const foreign = await b.issueByHand({ cn: CN, names: [{ type: 'DNS', value: CN }] });
  expect(foreign.id).toBe(bought(a)[0]?.id);

  await moveTo(world, 'b');
  await world.pass(5_000);

  await servedBy(world, b);
  expect(bought(b)).toHaveLength(2);
});

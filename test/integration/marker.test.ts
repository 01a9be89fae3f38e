import { afterAll, beforeAll, expect, test } from 'vitest';
import { certificates, issuers } from '../../src/api/kinds.ts';
import { secrets } from '../../src/kube/objects.ts';
import { quietAfter } from '../../src/issuance/attempt/timing.ts';
import { cacertKind } from '../../src/issuance/cacert/kind.ts';
import { markerOf } from '../../src/issuance/tinycert/marker.ts';
import { JOURNAL_NAME } from '../../src/operator/journal.ts';
import { readCertificate } from '../../src/x509/certificate.ts';
import type { CertificateView } from '../../tools/dev-server/types.ts';
import { journalOf } from '../support/world/journal.ts';
import { filesOf } from '../support/x509/openssl.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { type World, aWorld } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

const QUIET_MS = 45_000;
/** How long a leader waits that finds no journal: CAcert’s requests take longest. */
const JOURNAL_QUIET_MS = quietAfter(cacertKind.timing) + 5_000;
const marked = { ownershipMarker: 'OrganizationalUnit' } as const;

/** All certificates for a name. */
function all(name: string): CertificateView[] {
  return stage.dev.certificates().filter(({ cn }) => cn === `${name}.example.com`);
}

async function unitOf(world: World, name: string): Promise<string | undefined> {
  const { status } = await world.ready(name);
  return stage.dev.certificates().find(({ id }) => id === status?.certificateId)?.subject.OU;
}

async function markerIn(world: World, name: string): Promise<string> {
  const [issuer, certificate] = [await world.get(issuers, 'ca'), await world.get(certificates, name)];
  return markerOf(issuer.metadata.uid ?? '', certificate.metadata.uid ?? '');
}

test('a certificate of a marked issuer has its marker, and is published', async () => {
  const world = await aWorld(stage);
  await world.account(marked);
  await world.operator();
  await world.certificate('plain');

  expect(await unitOf(world, 'plain')).toBe(await markerIn(world, 'plain'));
  const { crt } = filesOf(await world.get(secrets, 'plain-tls'));
  expect(readCertificate(crt).names.dns).toEqual(['plain.example.com']);
});

test('two installations with the same request under one authority each find their own certificate', async () => {
  const [a, b] = [await aWorld(stage), await aWorld(stage)];
  for (const world of [a, b]) await world.account(marked);
  stage.dev.addFault({ call: 'cert/new', kind: 'reset-after', times: 2 });
  const operators = [await a.operator(), await b.operator()];
  for (const world of [a, b]) await world.certificate('shared');
  await stage.dev.issueByHand({
    cn: 'shared.example.com',
    names: [{ type: 'DNS', value: 'shared.example.com' }],
  });

  await a.settled();
  await b.settled();
  const sent = operators.map(({ traffic }) => traffic.requests.length);
  await b.pass(QUIET_MS + 5_000);

  const units = [await unitOf(a, 'shared'), await unitOf(b, 'shared')];
  expect(units).toEqual([await markerIn(a, 'shared'), await markerIn(b, 'shared')]);
  expect(all('shared').filter(({ origin }) => origin !== 'manual')).toHaveLength(2);
  const lists = operators.flatMap(({ traffic }, index) =>
    traffic.requests
      .slice(sent[index])
      .filter(
        ({ method, resource, name }) =>
          method === 'GET' && resource === 'tinycertcertificates' && name === undefined,
      ),
  );
  expect(lists).toEqual([]);
});

test('an organizational unit of one’s own is refused before anything is bought', async () => {
  const world = await aWorld(stage);
  await world.account(marked);
  await world.operator();
  await world.certificate('unit', { subject: { organizationalUnit: 'IT' } });
  await world.settled();

  expect(await world.says(certificates, 'unit')).toContainEqual(
    'Ready=False OrganizationalUnitReserved: TinyCertIssuer ca marks its certificates in the organizational unit (OU), so subject.organizationalUnit cannot be "IT": leave it out, or use another issuer.',
  );
  expect(all('unit')).toEqual([]);

  await world.patch(certificates, 'unit', { spec: { subject: { organizationalUnit: null } } });
  expect(await unitOf(world, 'unit')).toBe(await markerIn(world, 'unit'));
});

test('enabling the marker reissues nothing, and a renewal with the same key keeps its subject', async () => {
  await stage.dev.setOptions({ validity: '1h' });
  const world = await aWorld(stage);
  await world.account();
  const operator = await world.operator();
  await world.certificate('before', { subject: { organizationalUnit: 'IT' } });
  await world.ready('before');
  const tally = world.tally(operator);

  await world.patch(issuers, 'ca', { spec: marked });
  await world.pass(60_000);
  expect(tally().writes).not.toHaveProperty('PATCH tinycertcertificates/status');
  expect(tally().calls).not.toHaveProperty('cert/new');
  await world.pass(45 * 60_000);

  expect(world.calls()).toMatchObject({ 'cert/new': 1, 'cert/reissue': 1 });
  expect(await unitOf(world, 'before')).toBe('IT');
});

test.each([
  ['is found by its marker and adopted', 'lost-marked', marked, 1],
  ['without a marker is bought again, since nothing proves whose it is', 'lost-plain', {}, 2],
] as const)('what was bought by an attempt that went with the journal %s', async (_, name, issuer, count) => {
  const world = await aWorld(stage);
  await world.account(issuer);
  stage.dev.addFault({ call: 'cert/new', kind: 'reset-after' });
  const first = await world.operator();
  await world.certificate(name);
  // Status says that it was asked for, so this is no first use.
  await world.pass(5_000);
  expect(all(name)).toHaveLength(1);
  await first.stop('by force').catch(() => undefined);
  await world.delete(secrets, JOURNAL_NAME);

  await world.operator();
  await world.pass(JOURNAL_QUIET_MS);

  const { status } = await world.ready(name);
  const bought = all(name);
  expect(bought).toHaveLength(count);
  expect(status?.certificateId).toBe(Math.max(...bought.map(({ id }) => id)));
  expect(status).toMatchObject({ revision: 1 });
  expect(world.calls()).toMatchObject({ 'cert/new': count });
});

test('what was lost with the journal stays known if the process dies once it has found that', async () => {
  const name = 'lost-twice';
  const world = await aWorld(stage);
  await world.account(marked);
  stage.dev.addFault({ call: 'cert/new', kind: 'reset-after' });
  const first = await world.operator();
  await world.certificate(name);
  await world.pass(5_000);
  await first.stop('by force').catch(() => undefined);
  await world.delete(secrets, JOURNAL_NAME);

  const second = await world.operator();
  let dead: Promise<void> | undefined;
  second.traffic.onAnswer = ({ method, name: of }) => {
    if (method === 'PATCH' && of === JOURNAL_NAME) dead ??= second.stop('by force').catch(() => undefined);
  };
  await world.pass(JOURNAL_QUIET_MS);
  await dead;
  expect((await journalOf(world)).attempts).toMatchObject([{ certificateId: all(name)[0]?.id }]);
  await world.operator();
  await world.pass(JOURNAL_QUIET_MS);

  const { status } = await world.ready(name);
  expect(all(name).map(({ id }) => id)).toEqual([status?.certificateId]);
  expect(world.calls()).toMatchObject({ 'cert/new': 1 });
});

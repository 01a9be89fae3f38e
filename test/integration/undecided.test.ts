import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { certificates, issuers } from '../../src/api/kinds.ts';
import { nameHash, placeHash } from '../../src/issuance/tinycert/attempt.ts';
import { FLUSH_MS } from '../../src/journal/term.ts';
import { secrets } from '../../src/kube/objects.ts';
import { journalOf, leaveAttempt } from '../support/world/journal.ts';
import {
  bought,
  byHand,
  expectBoughtOnce,
  expectServed,
  QUIET_MS,
  wanted,
} from '../support/world/lost-answers.ts';
import { filesOf } from '../support/x509/openssl.ts';
import type { TestOperator } from '../support/world/operator.ts';
import { issuedAsIs } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { aWorld, type World } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

/** Why an operator has left certificates alone that an attempt may have bought. */
function ambiguities({ log }: TestOperator): unknown[] {
  return log.flatMap(({ ambiguity }) => (ambiguity === undefined ? [] : [ambiguity]));
}

describe('if the owner of a certificate cannot be known, nothing is adopted:', () => {
  test('two namespaces request the same, and neither gets the other’s key', async () => {
    const [a, b] = [await aWorld(stage), await aWorld(stage)];
    stage.dev.addFault({ call: 'cert/new', kind: 'reset-after' });
    for (const world of [a, b]) await world.account();
    const operator = await a.operator({ namespaces: [a.namespace, b.namespace] });
    await a.certificate('twin');
    await a.settled();
    await b.certificate('twin');

    await b.pass(QUIET_MS * 2);

    const ids = [await a.ready('twin'), await b.ready('twin')].map(
      ({ status }) => status?.certificateId ?? 0,
    );
    const [lost, ...served] = bought(stage, 'twin.example.com').map(({ id }) => id);
    expect(new Set(ids)).toEqual(new Set(served));
    expect(served).toHaveLength(2);
    expect(ids).not.toContain(lost);
    const keys = [a, b].map(async (world) => filesOf(await world.get(secrets, 'twin-tls')).key);
    expect(new Set(await Promise.all(keys)).size).toBe(2);
    expect(operator.log.map(({ msg }) => msg)).toContain(
      'Certificates that this attempt may have bought cannot be distinguished from others and are left alone',
    );
  });

  test('a person made the same by hand in between', async () => {
    const { world } = await wanted(stage, 'hand', { call: 'cert/new', kind: 'reset-after' });
    const manual = await byHand(stage, 'hand');

    await world.pass(QUIET_MS + 5_000);

    const [lost, again, ...others] = bought(stage, 'hand.example.com');
    expect(others).toEqual([]);
    await expectServed(world, 'hand', again);
    expect([lost, manual].map((certificate) => certificate?.status)).toEqual(['good', 'good']);
    const { released, abandoned } = await journalOf(world);
    expect(released).toMatchObject([
      { certificateId: lost?.id, cause: 'Undecided' },
      { certificateId: manual.id, cause: 'Undecided' },
    ]);
    expect(abandoned).toMatchObject([
      {
        nameHash: nameHash('hand.example.com'),
        resource: placeHash(`${world.namespace}/hand`),
        issuer: placeHash(`TinyCertIssuer:${world.namespace}/ca`),
      },
    ]);
  });

  test('windowStart: a person made the same by hand a minute before, and our own request was lost', async () => {
    const name = 'minute';
    const manual = await byHand(stage, name);
    await stage.clock.skip(60_000);
    // The issuer's list was read before, so its id is no bound.
    const { world } = await wanted(stage, name, { call: 'cert/new', kind: 'reset-before' });

    await world.pass(QUIET_MS + 5_000);

    const [own, ...others] = bought(stage, `${name}.example.com`);
    expect(others).toEqual([]);
    await expectServed(world, name, own);
    expect(own?.id).toBeGreaterThan(manual.id);
  });

  test('foreignSeen: another installation has one with these names', async () => {
    await byHand(stage, 'foreign');
    const { world } = await wanted(stage, 'foreign', { call: 'cert/new', kind: 'reset-after' });

    await world.pass(QUIET_MS + 5_000);

    const [, again, ...others] = bought(stage, 'foreign.example.com');
    expect(others).toEqual([]);
    await expectServed(world, 'foreign', again);
  });

  test.each(['Hold', 'Revoke'] as const)(
    'but what the operator itself reissued for a resource that is gone (%s) leaves no doubt about the next certificate',
    async (onDelete) => {
      const spec = { dnsNames: [`${onDelete}.example.com`.toLowerCase()], revocation: { onDelete } };
      const [cn = ''] = spec.dnsNames;
      await stage.dev.setOptions({ validity: '1h' });
      const { world, id } = await issuedAsIs(stage, spec);
      stage.dev.addFault({ call: 'cert/reissue', kind: 'reset-after' });
      await world.pass(40 * 60_000 + 5_000);
      await world.delete(certificates, 'web');
      await world.pass(QUIET_MS + 5_000);
      expect(bought(stage, cn)[1]?.previousId).toBe(id);
      await world.delete(secrets, 'web-tls');
      stage.dev.addFault({ call: 'cert/new', kind: 'reset-after' });
      await world.certificate('web', spec);

      await world.pass(QUIET_MS + 5_000);

      const [, , lost, ...others] = bought(stage, cn);
      expect(others).toEqual([]);
      await expectServed(world, 'web', lost);
    },
  );

  /**
   * The same name in two namespaces. While the request of `a` is lost, a person reissues the certificate of `b`, which adopts that: only
   * one of them may ask TinyCert for the same at a time, and still `b` has a certificate that `a` may have bought.
   */
  async function adoptedNextTo(
    name: string,
  ): Promise<{ a: World; b: World; operator: TestOperator; theirs: number }> {
    const [a, b] = [await aWorld(stage), await aWorld(stage)];
    for (const world of [a, b]) await world.account();
    const operator = await a.operator({ namespaces: [a.namespace, b.namespace] });
    await b.certificate(name);
    const first = (await b.ready(name)).status?.certificateId ?? 0;
    await b.pass(FLUSH_MS);
    stage.dev.addFault({ call: 'cert/new', kind: 'reset-before' });
    await a.certificate(name);
    await a.settled();
    const theirs = stage.dev.reissueByHand(first).id;
    // Changes of the issuers cause a list of the authority at once.
    for (const locality of ['Utrecht', null])
      for (const world of [a, b]) await world.patch(issuers, 'ca', { spec: { subject: { locality } } });
    await b.pass(5_000);
    await b.ready(name, ({ status }) => status?.certificateId === theirs);
    return { a, b, operator, theirs };
  }

  test('skipClaimed: the only candidate is a former certificate of a neighbour', async () => {
    const { a, b, operator, theirs } = await adoptedNextTo('claimed');
    await b.patch(certificates, 'claimed', { spec: { dnsNames: ['elsewhere.example.com'] } });
    const { status } = await b.ready('claimed', (now) => now.status?.certificateId !== theirs);
    expect(status?.formerCertificates).toContainEqual(b.named(theirs));

    await a.pass(QUIET_MS + 5_000);

    expect(ambiguities(operator)).toEqual(['claimed']);
    await expectServed(a, 'claimed', bought(stage, 'claimed.example.com').at(-1));
    const keys = [a, b].map(async (world) => filesOf(await world.get(secrets, 'claimed-tls')).key);
    expect(new Set(await Promise.all(keys)).size).toBe(2);
    expect((await a.get(certificates, 'claimed')).status?.certificateId).toBeGreaterThan(theirs);
  });

  test('skipClaimed: it belonged to a neighbour that was deleted while no operator ran and left its Secret', async () => {
    const { a, b, operator, theirs } = await adoptedNextTo('left');
    await operator.stop();
    await b.delete(certificates, 'left');
    const next = await a.operator({ namespaces: [a.namespace, b.namespace] });

    await a.pass(QUIET_MS + 5_000);

    expect(ambiguities(next)).toEqual(['claimed']);
    const { status } = await a.ready('left');
    expect(status?.certificateId).toBeGreaterThan(theirs);
    await expectServed(a, 'left', bought(stage, 'left.example.com').at(-1));
  });

  test('recordAbandoned: a neighbour with the same request is gone, and TinyCert acts on that far too late', async () => {
    const [a, b] = [await aWorld(stage), await aWorld(stage)];
    for (const world of [a, b]) await world.account();
    stage.dev.addFault({ call: 'cert/new', kind: 'hold' });
    stage.dev.addFault({ call: 'cert/new', kind: 'reset-before' });
    const operator = await a.operator({ namespaces: [a.namespace, b.namespace] });
    await b.certificate('gone');
    await b.call(({ call }) => call === 'cert/new');
    await b.delete(certificates, 'gone');
    await b.pass(QUIET_MS + 5_000);
    expect(await journalOf(a)).toMatchObject({ attempts: [], abandoned: [{}] });
    await a.certificate('gone');
    await a.call(({ call, fault }) => call === 'cert/new' && fault === 'reset-before');
    await a.settled();
    stage.dev.release();
    await a.call(({ call, late }) => call === 'cert/new' && late === true);
    const [lost] = bought(stage, 'gone.example.com');

    await a.pass(QUIET_MS + 5_000);

    expect(ambiguities(operator)).toEqual(['asked for by another']);
    const { status } = await a.ready('gone');
    expect(status?.certificateId).not.toBe(lost?.id);
    expect(bought(stage, 'gone.example.com')).toHaveLength(2);
  });

  test('skipReissued: a person reissued a neighbour’s certificate', async () => {
    const [a, b] = [await aWorld(stage), await aWorld(stage)];
    for (const world of [a, b]) await world.account();
    const operator = await a.operator({ namespaces: [a.namespace, b.namespace] });
    await b.certificate('again');
    const first = (await b.ready('again')).status?.certificateId ?? 0;
    await b.settled();
    stage.dev.addFault({ call: 'cert/new', kind: 'reset-before' });
    await a.certificate('again');
    await a.settled();
    const theirs = stage.dev.reissueByHand(first);
    await b.patch(certificates, 'again', { spec: { dnsNames: ['quite-another.example.com'] } });
    await b.ready('again', ({ status }) => status?.certificateId !== first);

    await a.pass(QUIET_MS + 5_000);

    expect(ambiguities(operator)).toEqual(['reissued by hand']);
    const { status } = await a.ready('again');
    expect(status?.certificateId).toBeGreaterThan(theirs.id);
    const own = stage.dev.certificates().find(({ id }) => id === status?.certificateId);
    expect(own?.keyFingerprint).not.toBe(theirs.keyFingerprint);
  });
});

test('a certificate that expired before its reissue is not foreign later', async () => {
  await stage.dev.setOptions({ validity: '1h' });
  const world = await aWorld(stage);
  await world.account();
  const first = await world.operator();
  await world.certificate('aged', { revocation: { onExternalRevocation: 'Replace' } });
  const { status } = await world.ready('aged');
  await first.stop();
  await stage.clock.skip(2 * 3_600_000);
  await stage.dev.setOptions({ validity: '365d' });
  await world.operator();
  const again = await world.ready('aged', (now) => now.status?.certificateId !== status?.certificateId);
  expect(again.status).toMatchObject({ formerCertificates: [world.named(status?.certificateId ?? 0)] });
  stage.dev.setStatusByHand(again.status?.certificateId ?? 0, 'revoked');
  stage.dev.addFault({ call: 'cert/new', kind: 'reset-after' });

  await world.pass(20 * 60_000);

  const [, , own, ...others] = bought(stage, 'aged.example.com');
  expect(others).toEqual([]);
  await expectServed(world, 'aged', own);
});

test('a certificate bought for an earlier resource of the same name is not bought again', async () => {
  const { world } = await wanted(stage, 'anew', { call: 'cert/new', kind: 'reset-before' });
  await world.delete(certificates, 'anew');
  stage.dev.addFault({ call: 'cert/new', kind: 'reset-after' });
  await world.certificate('anew');

  await world.pass(QUIET_MS * 2);

  await expectBoughtOnce(world, 'anew', 2);
  const resource = placeHash(`${world.namespace}/anew`);
  expect((await journalOf(world)).abandoned).toMatchObject([{ resource }]);
});

describe('a certificate with other names is no rival:', () => {
  test('a resource with the same common name whose issuer is not ready', async () => {
    const [a, b] = [await aWorld(stage), await aWorld(stage)];
    await a.account();
    await b.issuer();
    stage.dev.addFault({ call: 'cert/new', kind: 'reset-after' });
    await a.operator({ namespaces: [a.namespace, b.namespace] });
    await b.certificate('shared', { commonName: 'shared.example.com', dnsNames: ['b.example.com'] });
    await a.certificate('shared', { commonName: 'shared.example.com', dnsNames: ['a.example.com'] });

    await a.pass(QUIET_MS * 2);

    const [own, ...others] = bought(stage, 'shared.example.com');
    expect(others).toEqual([]);
    await expectServed(a, 'shared', own);
  });

  test('a person’s reissue of a deleted resource’s certificate', async () => {
    const world = await aWorld(stage);
    await world.account();
    await world.operator();
    await world.certificate('past');
    const past = (await world.ready('past')).status?.certificateId ?? 0;
    await world.settled();
    await world.delete(certificates, 'past');
    await world.settled();
    stage.dev.reissueByHand(past);
    stage.dev.addFault({ call: 'cert/new', kind: 'reset-after' });
    await world.certificate('future');

    await world.pass(QUIET_MS * 2);

    await expectBoughtOnce(world, 'future', 2);
  });

  test('a renewal of a certificate with the same common name, while its result is unknown', async () => {
    const [a, b] = [await aWorld(stage), await aWorld(stage)];
    for (const world of [a, b]) await world.account();
    const first = await a.operator({ namespaces: [a.namespace, b.namespace] });
    stage.dev.addFault({ call: 'cert/new', kind: 'hold' });
    await b.certificate('open', { commonName: 'open.example.com', dnsNames: ['b.example.com'] });
    await b.call(({ call }) => call === 'cert/new');
    const [attempt = expect.unreachable('There is no attempt')] = (await journalOf(a)).attempts;
    stage.dev.release();
    const { certificateId: previousId = 0 } = (await b.ready('open')).status ?? {};
    await first.stop();
    await leaveAttempt(a, { ...attempt, id: 'open', operation: 'Reissue', previousId, revision: 2 });
    // Without an account its result stays unknown.
    await b.patch(issuers, 'ca', { spec: { credentialsSecretRef: { name: 'nowhere' } } });
    stage.dev.addFault({ call: 'cert/new', kind: 'reset-after' });
    await a.operator({ namespaces: [a.namespace, b.namespace] });
    await a.certificate('open', { commonName: 'open.example.com', dnsNames: ['a.example.com'] });

    await a.pass(QUIET_MS * 2);

    const own = bought(stage, 'open.example.com').filter(({ id }) => id !== previousId);
    expect(own).toHaveLength(1);
    await expectServed(a, 'open', own[0]);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { certificates } from '../../src/api/kinds.ts';
import { secrets } from '../../src/kube/objects.ts';
import type { CertificateView, Fault, FaultEffect } from '../../tools/dev-server/types.ts';
import { filesOf } from '../support/openssl.ts';
import type { TestOperator } from '../support/operator.ts';
import { complaints, issued } from '../support/scenario.ts';
import { type Stage, openStage } from '../support/stage.ts';
import { type World, aWorld } from '../support/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

/** How long after an attempt without a result nothing of it can happen any more. */
const QUIET_MS = 45_000;
/** After this a call is given up. */
const CALL_MS = 20_000;

/** The certificates of the operator's account for this name. */
function bought(cn: string): CertificateView[] {
  return stage.dev
    .certificates()
    .filter((certificate) => certificate.cn === cn && certificate.origin !== 'manual');
}

/** Checks that `name` serves exactly this certificate. */
async function expectServed(
  world: World,
  name: string,
  certificate: CertificateView | undefined,
): Promise<void> {
  const { status } = await world.ready(name);
  expect(status).toMatchObject({
    certificateId: certificate?.id,
    attempt: { certificateId: certificate?.id },
  });
  const { crt } = filesOf(await world.get(secrets, `${name}-tls`));
  expect(crt).toBe(stage.dev.certificatePem(certificate?.id ?? 0));
}

/** A world with a certificate of its own name that is wanted, and an operator that meets `faults` over it. */
async function wanted(name: string, ...faults: Fault[]): Promise<{ world: World; operator: TestOperator }> {
  const world = await aWorld(stage);
  for (const fault of faults) stage.dev.addFault(fault);
  await world.account();
  const operator = await world.operator();
  await world.certificate(name);
  await world.settled();
  return { world, operator };
}

describe('a certificate whose purchase got no answer is found and adopted, not bought twice:', () => {
  test.each<[string, string, FaultEffect]>([
    ['the connection broke', 'broke', { kind: 'reset-after' }],
    ['half an answer came', 'half', { kind: 'truncated' }],
    ['a proxy answered for the CA', 'proxy', { kind: 'html', acts: true }],
    ['what came was no JSON', 'no-json', { kind: 'not-json', acts: true }],
    ['what came had no end', 'endless', { kind: 'huge', acts: true }],
  ])('%s', async (_, name, effect) => {
    const { world, operator } = await wanted(name, { call: 'cert/new', ...effect });
    expect(bought(`${name}.example.com`)).toHaveLength(1);

    await world.pass(QUIET_MS + 5_000);

    const [only, ...others] = bought(`${name}.example.com`);
    expect(others).toEqual([]);
    await expectServed(world, name, only);
    expect(world.calls()).toMatchObject({ 'cert/new': 1 });
    expect(complaints(operator)).toEqual([]);
  });

  test('the CA acted only after the call was given up', async () => {
    const { world } = await wanted('late', { call: 'cert/new', kind: 'late', ms: 10 });
    expect(bought('late.example.com')).toEqual([]);
    await world.pass(CALL_MS);
    await world.call(({ call, late }) => call === 'cert/new' && late === true);

    await world.pass(QUIET_MS + 5_000);

    const [only, ...others] = bought('late.example.com');
    expect(others).toEqual([]);
    await expectServed(world, 'late', only);
    expect(world.calls()).toMatchObject({ 'cert/new': 1 });
  });

  test('several at once, each to the one that asked for it', async () => {
    const names = ['one', 'two', 'three'];
    const world = await aWorld(stage);
    stage.dev.addFault({ call: 'cert/new', times: 3, kind: 'reset-after' });
    await world.account();
    await world.operator();
    await Promise.all(names.map((name) => world.certificate(name)));

    await world.pass(QUIET_MS * 3);

    for (const name of names) {
      const [only, ...others] = bought(`${name}.example.com`);
      expect(others).toEqual([]);
      await expectServed(world, name, only);
    }
    expect(world.calls()).toMatchObject({ 'cert/new': 3 });
  });
});

test('a purchase that the CA never made is made again once it is certain', async () => {
  const { world } = await wanted('never', { call: 'cert/new', kind: 'hang' });
  await world.pass(QUIET_MS - 1_000);
  expect(world.calls()).toMatchObject({ 'cert/new': 1 });

  await world.pass(10_000 + CALL_MS);

  const [only, ...others] = bought('never.example.com');
  expect(others).toEqual([]);
  await expectServed(world, 'never', only);
  expect(world.calls()).toMatchObject({ 'cert/new': 2 });
});

describe('an operator that was ended', () => {
  test('before the answer came is followed by one that adopts, after the waiting time', async () => {
    const { world, operator } = await wanted('answer', { call: 'cert/new', kind: 'hold', when: 'after' });
    await world.call(({ call, held }) => call === 'cert/new' && held === true);
    await operator.stop('by force').catch(() => undefined);
    stage.dev.release();

    const mark = world.mark();
    const next = await world.operator();
    await world.pass(QUIET_MS - 5_000);
    expect(await world.says(certificates, 'answer')).toEqual([
      'Ready=False Recovering: An attempt has no result; what came of it is looked up before another one is made.',
      'Issuing=True Recovering: An attempt has no result; what came of it is looked up before another one is made.',
    ]);
    await world.pass(10_000);

    const [only, ...others] = bought('answer.example.com');
    expect(others).toEqual([]);
    await expectServed(world, 'answer', only);
    expect(world.calls(mark)).toEqual({
      connect: 1,
      'ca/list': 1,
      'cert/list': 2,
      'ca/details': 1,
      'ca/get': 1,
      'cert/details': 1,
      // The candidate's certificate, then chain and key.
      'cert/get': 3,
    });
    expect(next.traffic.writes()).toEqual({
      'PATCH tinycertcertificates/status': 2,
      'POST secrets': 1,
    });
  });

  test('before the CA acted is followed by one that waits long enough to see it', async () => {
    const { world, operator } = await wanted('acted', { call: 'cert/new', kind: 'hold' });
    await world.call(({ call, held }) => call === 'cert/new' && held === true);
    await operator.stop('by force').catch(() => undefined);
    await world.operator();
    await world.pass(QUIET_MS - 5_000);
    stage.dev.release();
    await world.call(({ call, late }) => call === 'cert/new' && late === true);

    await world.pass(10_000);

    const [only, ...others] = bought('acted.example.com');
    expect(others).toEqual([]);
    await expectServed(world, 'acted', only);
    expect(world.calls()).toMatchObject({ 'cert/new': 1 });
  });

  test('before it fetched what it bought is followed by one that does', async () => {
    const { world, operator } = await wanted('fetch', { call: 'cert/get', kind: 'hold', times: 2 });
    await world.call(({ call, held }) => call === 'cert/get' && held === true);
    await operator.stop('by force').catch(() => undefined);
    stage.dev.release();
    await world.operator();

    await world.pass(QUIET_MS + 5_000);

    const [only, ...others] = bought('fetch.example.com');
    expect(others).toEqual([]);
    await expectServed(world, 'fetch', only);
    expect(world.calls()).toMatchObject({ 'cert/new': 1 });
  });

  test('between the Secret and the status is followed by one that believes the Secret', async () => {
    const world = await aWorld(stage);
    await world.account();
    const operator = await world.operator();
    let stopped: Promise<void> | undefined;
    operator.traffic.onAnswer = ({ method, resource }) => {
      if (method === 'POST' && resource === 'secrets')
        stopped ??= operator.stop('by force').catch(() => undefined);
    };
    await world.certificate('between');
    await world.until(secrets, 'between-tls', () => true);
    await stopped;
    expect((await world.get(certificates, 'between')).status?.certificateId).toBeUndefined();
    await world.operator();

    await world.pass(QUIET_MS + 5_000);

    const [only, ...others] = bought('between.example.com');
    expect(others).toEqual([]);
    await expectServed(world, 'between', only);
    expect(world.calls()).toMatchObject({ 'cert/new': 1 });
  });
});

describe('a reissue without an answer', () => {
  test.each<[string, FaultEffect, number]>([
    ['that the CA made is adopted by its key', { kind: 'reset-after' }, 1],
    ['that the CA did not make is made again', { kind: 'reset-before' }, 2],
  ])('%s', async (_, effect, calls) => {
    const { world, id } = await issued(stage, '1h');
    stage.dev.addFault({ call: 'cert/reissue', ...effect });

    await world.pass(45 * 60_000);

    const successors = stage.dev.certificates().filter(({ previousId }) => previousId === id);
    expect(successors).toHaveLength(1);
    await expectServed(world, 'web', successors[0]);
    expect(world.calls()).toMatchObject({ 'cert/new': 1, 'cert/reissue': calls });
  });
});

describe('where it cannot be told whose a certificate is, nothing is adopted:', () => {
  test('two namespaces ask for the same, and neither gets the other’s key', async () => {
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
    const [lost, ...served] = bought('twin.example.com').map(({ id }) => id);
    expect(new Set(ids)).toEqual(new Set(served));
    expect(served).toHaveLength(2);
    expect(ids).not.toContain(lost);
    const keys = [a, b].map(async (world) => filesOf(await world.get(secrets, 'twin-tls')).key);
    expect(new Set(await Promise.all(keys)).size).toBe(2);
    expect(operator.log.map(({ msg }) => msg)).toContain(
      'Certificates that this attempt may have bought cannot be told from others and are left alone',
    );
  });

  test('a person made the same by hand in between', async () => {
    const { world } = await wanted('hand', { call: 'cert/new', kind: 'reset-after' });
    const manual = await stage.dev.issueByHand({
      cn: 'hand.example.com',
      names: [{ type: 'DNS', value: 'hand.example.com' }],
    });

    await world.pass(QUIET_MS + 5_000);

    const [lost, again, ...others] = bought('hand.example.com');
    expect(others).toEqual([]);
    await expectServed(world, 'hand', again);
    expect([lost, manual].map((certificate) => certificate?.status)).toEqual(['good', 'good']);
  });
});

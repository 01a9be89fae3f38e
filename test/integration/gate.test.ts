import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { certificates, issuers } from '../../src/api/kinds.ts';
import { secrets } from '../../src/kube/objects.ts';
import type { TestOperator } from '../support/world/operator.ts';
import { complaints } from '../support/world/scenario.ts';
import { openStage, type Stage } from '../support/world/stage.ts';
import { aWorld, type World } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ keyPool: 16, keyPoolReuse: true });
});
afterAll(() => stage.close());

const MINUTE = 60_000;
const NAMES = Array.from({ length: 60 }, (_, i) => `gone-${i}`);

/** The purchases that are under way at the CA. */
function underWay(): number {
  return stage.dev.journal().filter(({ call, endedAt }) => call === 'cert/new' && endedAt === undefined)
    .length;
}

async function deleteAll(world: World, names: readonly string[]): Promise<void> {
  for (const name of names) await world.delete(certificates, name);
}

describe('certificates that are deleted while their account is stopped', () => {
  test.each([
    ['by a rate limit', { kind: 'error', code: 'RateLimitExceeded', retryAfter: 300 }],
    ['by faults of its CA', { kind: 'error', code: 'UnknownError', times: 20 }],
  ] as const)('%s keep no place from the one that is left', async (_, effect) => {
    const world = await aWorld(stage);
    await world.account();
    const operator = await world.operator();
    await world.until(issuers, 'ca', ({ status }) => status?.session?.state === 'Connected');
    stage.dev.addFault({ call: 'cert/new', ...effect });
    await world.certificate('first');
    await world.pass(2_000);
    await world.certificates(NAMES);
    await world.certificate('left');
    await world.pass(10_000);
    await deleteAll(world, [...NAMES, 'first']);

    stage.dev.clearFaults();
    await world.pass(6 * MINUTE);

    expect((await world.says(certificates, 'left'))[0]).toContain('Ready=True');
    expect(complaints(operator)).toEqual([]);
  });
});

describe('certificates with one common name', () => {
  /** A world in which the purchase for `a`, one of some certificates with one common name, hangs at the CA. */
  async function held(
    others: readonly string[],
    prepare: (world: World) => Promise<unknown> = () => Promise.resolve(),
  ): Promise<{ world: World; operator: TestOperator }> {
    const world = await aWorld(stage);
    await world.account();
    await prepare(world);
    const operator = await world.operator();
    await world.until(issuers, 'ca', ({ status }) => status?.session?.state === 'Connected');
    stage.dev.addFault({ call: 'cert/new', kind: 'hold', times: 1 });
    await world.certificate('a', { dnsNames: ['one.example.com'] });
    await world.call(({ call, endedAt }) => call === 'cert/new' && endedAt === undefined);
    for (const name of others) await world.certificate(name, { dnsNames: ['one.example.com'] });
    await world.settled();
    return { world, operator };
  }

  test('wait for one that buys without a worker, so others are issued meanwhile', async () => {
    const others = Array.from({ length: 12 }, (_, i) => `b${i}`);
    const { world, operator } = await held(others);

    await world.certificate('other');
    await world.ready('other');

    expect(underWay()).toBe(1);
    stage.dev.release();
    for (const name of ['a', ...others]) await world.ready(name);
    expect(world.calls()['cert/new']).toBe(others.length + 2);
    expect(complaints(operator)).toEqual([]);
  });

  test('have their Secrets read once, and not before their turn', async () => {
    const { world, operator } = await held(['b', 'c']);
    const reads = (): string[] =>
      operator.traffic.requests
        .filter(({ method, resource }) => method === 'GET' && resource === 'secrets')
        .map(({ name = '' }) => name)
        .filter((name) => name.endsWith('-tls'));

    expect(reads()).toEqual(['a-tls']);
    stage.dev.release();
    for (const name of ['a', 'b', 'c']) await world.ready(name);
    expect(reads().toSorted((a, b) => a.localeCompare(b))).toEqual(['a-tls', 'b-tls', 'c-tls']);
  });

  test('ask again, after the wait, whether their Secret is free', async () => {
    const { world } = await held(['b']);
    await world.create(secrets, 'b-tls', { stringData: { precious: 'data' } });

    stage.dev.release();
    await world.ready('a');
    await world.settled();

    expect((await world.says(certificates, 'b'))[0]).toContain('Ready=False SecretNotOwned');
    expect(world.calls()['cert/new']).toBe(1);
  });

  test('ask again, after the wait, what their spec is', async () => {
    const { world } = await held(['b']);
    await world.patch(certificates, 'b', { spec: { suspend: true } });

    stage.dev.release();
    await world.ready('a');
    await world.settled();

    expect(world.calls()['cert/new']).toBe(1);
  });

  test('are bought one after the other at one account, however the way to it is written', async () => {
    const caBundle = `${stage.dev.caPem}\n`;
    const { credentialsSecretRef, endpoint, authority } = {
      credentialsSecretRef: { name: 'account' },
      endpoint: stage.dev.endpoint,
      authority: { id: stage.dev.authorityId },
    };
    const { world } = await held([], (each) =>
      each.create(issuers, 'ca2', {
        spec: { endpoint, authority, credentialsSecretRef, caBundle },
      }),
    );
    await world.until(issuers, 'ca2', ({ status }) => status?.session?.state === 'Connected');

    await world.certificate('b', { dnsNames: ['one.example.com'], issuerRef: { name: 'ca2' } });
    await world.pass(1_000);

    expect(underWay()).toBe(1);
    expect(world.calls()['cert/new']).toBe(1);
    stage.dev.release();
    await world.ready('a');
    await world.ready('b');
  });
});

/** How often certificates were reconciled. */
function reconciles({ log }: TestOperator): number {
  return log.filter(({ msg, controller }) => msg === 'Reconciling' && controller === 'certificate').length;
}

test('certificates that need nothing are not reconciled whenever the check of their issuer fails again', async () => {
  const names = NAMES.slice(0, 40);
  const world = await aWorld(stage);
  await world.account();
  const operator = await world.operator();
  await world.certificates(names);
  await world.untilAll(names.length, ({ status }) => status?.certificateId !== undefined);
  await world.settled();
  const before = reconciles(operator);
  const { passphrase, apiKey } = stage.dev;

  for (let i = 0; i < 10; i += 1) {
    const wrong = { passphrase, apiKey, ...(i % 2 === 0 ? { passphrase: 'wrong' } : { apiKey: 'wrong' }) };
    await world.patch(secrets, 'account', { stringData: wrong });
    await world.until(issuers, 'ca', ({ status }) => {
      const [ready] = status?.conditions ?? [];
      return ready?.reason === (i % 2 === 0 ? 'PassphraseFailure' : 'ApiKeyMismatch');
    });
    await world.pass(MINUTE);
  }
  await world.patch(secrets, 'account', { stringData: { passphrase, apiKey } });
  await world.until(issuers, 'ca', ({ status }) => status?.session?.state === 'Connected');
  await world.settled();

  // Once when the issuer was first found not ready, and once when there was one to be sure with.
  expect(reconciles(operator) - before).toBeLessThanOrEqual(2 * names.length);
});

test('a certificate whose Secret is taken during a revocation of its own is not bought', async () => {
  const world = await aWorld(stage);
  await world.account();
  await world.operator();
  await world.certificate('web', { revocation: { onReplace: 'Revoke', delay: '1h' } });
  const { status } = await world.ready('web');
  await world.patch(certificates, 'web', { spec: { dnsNames: ['two.example.com'] } });
  await world.ready('web', (web) => web.status?.certificateId !== status?.certificateId);
  await world.patch(certificates, 'web', { spec: { suspend: true } });
  await world.pass(61 * MINUTE);
  const mark = world.mark();

  stage.dev.addFault({ call: 'cert/status', kind: 'hold', times: 1 });
  await world.patch(certificates, 'web', { spec: { suspend: false, dnsNames: ['three.example.com'] } });
  await world.call(({ call, endedAt }) => call === 'cert/status' && endedAt === undefined);
  await world.delete(secrets, 'web-tls');
  await world.create(secrets, 'web-tls', { stringData: { precious: 'data' } });
  stage.dev.release();
  await world.pass(MINUTE);

  expect(world.calls(mark)).not.toHaveProperty('cert/new');
  expect((await world.says(certificates, 'web'))[0]).toContain('SecretNotOwned');
});

import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { issuers } from '../../src/api/kinds.ts';
import type { Fault, FaultEffect } from '../../tools/dev-server/types.ts';
import { endure, unmet } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { aWorld } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => {
  // Delays without their random part, so ten minutes always have the same number of tries.
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

const LOOK = { connect: 1, 'ca/list': 1, 'cert/list': 1, 'ca/details': 1, 'ca/get': 1 };
const ISSUER_NOT_READY = unmet(
  'IssuerNotReady',
  'TinyCertIssuer ca is not ready; its own conditions say why. The operator continues by itself as soon as it is.',
);

function forever(call: Fault['call'], effect: FaultEffect): Fault[] {
  return [{ call, times: 'forever', ...effect }];
}

/**
 * Checks how often an issuer's status was written. What it shows of the inventory comes with the first write, or by itself if the
 * journal was not ready at that moment.
 */
function expectIssuerWrites(writes: Record<string, number>, wanted: number): void {
  expect(writes['PATCH tinycertissuers/status']).toBeOneOf([wanted, wanted + 1]);
}

describe('an unusable CA shows on the issuer, and once on the certificate:', () => {
  test.each<[string, Fault[], string, Record<string, number>]>([
    [
      'its list of authorities fails',
      forever('ca/list', { kind: 'error', code: 'AccountError' }),
      'AccountError: TinyCert reports that the data of the account is corrupt. Contact its support if this lasts.',
      { connect: 1, 'ca/list': 22 },
    ],
    [
      'its list of certificates is no list',
      forever('cert/list', { kind: 'not-json' }),
      'ProtocolError: The endpoint does not speak the TinyCert API. Check its address and any proxy in front of it. (The list cannot be read: unexpected byte at 0.)',
      { connect: 1, 'ca/list': 22, 'cert/list': 22 },
    ],
    [
      'its authority cannot be read',
      forever('ca/details', { kind: 'error', code: 'UnknownError' }),
      'UnknownError: TinyCert failed without giving a reason. Contact its support if this lasts.',
      { connect: 1, 'ca/list': 22, 'cert/list': 22, 'ca/details': 22, 'ca/get': 22 },
    ],
  ])('%s', async (_, faults, said, calls) => {
    const { outcome } = await endure(stage, { setUp: (world) => world.account(), faults });

    expect(outcome).toEqual({
      issuer: [`Ready=False ${said}`],
      certificate: ISSUER_NOT_READY,
      calls,
      writes: {
        'PATCH tinycertissuers/status': 1,
        'PATCH tinycertcertificates/status': 1,
        'POST events': 1,
      },
    });
  });
});

describe('a CA that issues nothing is asked ever more rarely, for one certificate, which reports it once:', () => {
  // With a login and a second request for each try if the session may be what is refused.
  test.each<[string, FaultEffect, string, number, number, 'with a login'?]>([
    ['it never answers', { kind: 'hang' }, 'DeadlineExceeded', 5, 4],
    ['the connection breaks', { kind: 'reset-before' }, 'ConnectionLost', 5, 4],
    ['a proxy answers for it', { kind: 'html' }, 'UnexpectedStatus', 5, 4],
    ['it fails without a reason', { kind: 'error', code: 'UnknownError' }, 'UnknownError', 5, 4],
    ['it cannot read the account', { kind: 'error', code: 'AccountError' }, 'AccountError', 5, 4],
    [
      'it refuses the signature',
      { kind: 'error', code: 'SignatureFailure' },
      'SignatureFailure',
      6,
      0,
      'with a login',
    ],
  ])('%s', async (_, effect, reason, tries, abandoned, login) => {
    const { world, operator, outcome } = await endure(stage, {
      setUp: (world) => world.account(),
      faults: forever('cert/new', effect),
    });

    expect(outcome.certificate).toEqual(ISSUER_NOT_READY);
    // A second after the first try, ten after the second, a minute after the third, then each four minutes; each after a
    // recovery of the previous attempt.
    const requests = login ? 2 * tries : tries;
    expect(outcome.calls).toMatchObject({ connect: login ? 2 * tries : 1, 'cert/new': requests });
    // Once IssuerNotReady, and before that, if TinyCert takes its time, once that it is asked.
    expect(outcome.writes['PATCH tinycertcertificates/status']).toBe(effect.kind === 'hang' ? 2 : 1);
    // Ready; not ready; each longer wait.
    expectIssuerWrites(outcome.writes, tries);
    // The takeover, and the attempts: each one without a result is replaced by the next one in one write, and recorded.
    expect(operator.traffic.journalWrites()).toBe(1 + (abandoned > 0 ? tries : 2 * tries));
    expect(operator.traffic.recordWrites()).toBe(abandoned);
    const { status } = await world.get(issuers, 'ca');
    expect(status).toMatchObject({ conditions: [{ reason }], session: { state: 'Unreachable' } });
    const left = Date.parse(status?.session?.nextAttemptTime ?? '') - stage.clock.now();
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(600_000);

    stage.dev.clearFaults();
    await world.pass(600_000);

    await world.ready('web');
    expect(world.calls()['cert/new']).toBe(requests + 1);
    expect(await world.says(issuers, 'ca')).toEqual([
      'Ready=True Ready: Certificates are issued by authority 101 "Example Org".',
    ]);
    expect((await world.get(issuers, 'ca')).status?.session).not.toHaveProperty('nextAttemptTime');
  });

  const LIMITED = 'TinyCert refuses more requests for now. Send fewer, or wait.';

  test.each<[string, number | string | undefined, number]>([
    ['it states how many seconds to wait', 120, 5],
    ['it states only that there were too many requests', undefined, 5],
  ])('%s', async (_, retryAfter, tries) => {
    const effect = { kind: 'error', code: 'RateLimitExceeded' } as const;
    const { world, operator, outcome } = await endure(stage, {
      setUp: (world) => world.account(),
      faults: forever('cert/new', retryAfter === undefined ? effect : { ...effect, retryAfter }),
    });

    expect(outcome.certificate).toEqual(unmet('RateLimitExceeded', LIMITED));
    expect(outcome.calls).toEqual({ ...LOOK, 'cert/new': tries });
    const { 'PATCH tinycertissuers/status': _issuer, ...writes } = outcome.writes;
    expect(writes).toEqual({ 'PATCH tinycertcertificates/status': 1 });
    // Ready, and each pause.
    expectIssuerWrites(outcome.writes, 1 + tries);
    expect([operator.traffic.journalWrites(), operator.traffic.recordWrites()]).toEqual([1 + 2 * tries, 0]);
    const { status } = await world.get(issuers, 'ca');
    expect(status?.session?.state).toBe('RateLimited');
    expect(Date.parse(status?.limits?.blockedUntil ?? '')).toBeGreaterThan(stage.clock.now());
    expect(outcome.issuer).toEqual([
      'Ready=True Ready: Certificates are issued by authority 101 "Example Org".',
    ]);

    stage.dev.clearFaults();
    await world.pass(600_000);

    await world.ready('web');
    expect((await world.get(issuers, 'ca')).status).toMatchObject({ session: { state: 'Connected' } });
    expect((await world.get(issuers, 'ca')).status?.limits).not.toHaveProperty('blockedUntil');
  });

  test('it states how long to wait', async () => {
    const world = await aWorld(stage);
    await world.account();
    const until = Math.ceil(stage.clock.now() / 1000) * 1000 + 300_000;
    const retryAfter = new Date(until).toUTCString();
    for (const fault of forever('cert/new', { kind: 'error', code: 'RateLimitExceeded', retryAfter }))
      stage.dev.addFault(fault);
    await world.certificate('web');
    await world.operator();

    await world.pass(until - stage.clock.now() - 2_000);
    expect(world.calls()['cert/new']).toBe(1);
    const { status } = await world.get(issuers, 'ca');
    const rounding = Date.parse(status?.limits?.blockedUntil ?? '') - until;
    expect(rounding).toBeGreaterThanOrEqual(0);
    expect(rounding).toBeLessThanOrEqual(2_000);

    stage.dev.clearFaults();
    await world.pass(4_000);
    await world.ready('web');
  });
});

describe('a bought certificate is fetched until it comes, and not bought again:', () => {
  test.each<[string, FaultEffect, string[], number, number]>([
    ['a proxy answers for the CA', { kind: 'html' }, ISSUER_NOT_READY, 6, 1],
    ['the CA fails without a reason', { kind: 'error', code: 'UnknownError' }, ISSUER_NOT_READY, 6, 1],
    [
      'the CA does not know it',
      { kind: 'error', code: 'NotFound' },
      unmet('NotFound', 'TinyCert knows no authority or certificate with this id. It may have been deleted.'),
      4,
      4,
    ],
  ])('%s', async (_, effect, said, tries, writes) => {
    const { operator, outcome } = await endure(stage, {
      setUp: (world) => world.account(),
      faults: forever('cert/get', effect),
    });

    expect(outcome.certificate).toEqual(said);
    expect(outcome.calls).toMatchObject({ connect: 1, 'cert/new': 1, 'cert/get': 2 * tries });
    expect(outcome.writes['PATCH tinycertcertificates/status']).toBe(writes);
    // The takeover, the attempt, and what it bought.
    expect([operator.traffic.journalWrites(), operator.traffic.recordWrites()]).toEqual([3, 0]);
  });
});

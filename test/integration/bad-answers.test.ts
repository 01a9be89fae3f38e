import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Fault, FaultEffect } from '../../tools/dev-server/types.ts';
import { endure, unmet } from '../support/scenario.ts';
import { type Stage, openStage } from '../support/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => {
  // Delays without their random part, so that ten minutes hold the same number of tries each time.
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

const LOOK = { connect: 1, 'ca/list': 1, 'cert/list': 1, 'ca/details': 1, 'ca/get': 1 };
const ISSUER_NOT_READY = unmet(
  'IssuerNotReady',
  'TinyCertIssuer ca is not ready; its own conditions say why. This goes on by itself as soon as it is.',
);

function forever(call: Fault['call'], effect: FaultEffect): Fault[] {
  return [{ call, times: 'forever', ...effect }];
}

describe('a CA that cannot be worked with shows on the issuer, and the certificate says so once:', () => {
  test.each<[string, Fault[], string, Record<string, number>]>([
    [
      'its list of authorities fails',
      forever('ca/list', { kind: 'error', code: 'AccountError' }),
      'AccountError: TinyCert reports that the data of the account is corrupt. Contact its support if this lasts.',
      { connect: 1, 'ca/list': 13 },
    ],
    [
      'its list of certificates is no list',
      forever('cert/list', { kind: 'not-json' }),
      'ProtocolError: What answered does not speak the TinyCert API. Check the endpoint and any proxy before it. (The list cannot be read: unexpected byte at 0.)',
      { connect: 1, 'ca/list': 13, 'cert/list': 13 },
    ],
    [
      'its authority cannot be looked at',
      forever('ca/details', { kind: 'error', code: 'UnknownError' }),
      'UnknownError: TinyCert failed without giving a reason. Contact its support if this lasts.',
      { connect: 1, 'ca/list': 13, 'cert/list': 13, 'ca/details': 13, 'ca/get': 13 },
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

describe('a CA that issues nothing is asked ever more seldom:', () => {
  test.each<[string, FaultEffect]>([
    ['it never answers', { kind: 'hang' }],
    ['the connection breaks', { kind: 'reset-before' }],
    ['a proxy answers for it', { kind: 'html' }],
    ['it fails without a reason', { kind: 'error', code: 'UnknownError' }],
  ])('%s', async (_, effect) => {
    const { outcome } = await endure(stage, {
      setUp: (world) => world.account(),
      faults: forever('cert/new', effect),
    });

    expect(outcome.certificate).toEqual(ISSUER_NOT_READY);
    // Each try is looked up 45 seconds later, then made again; the waits grow from a minute on.
    expect(outcome.calls).toMatchObject({ connect: 1, 'cert/new': 9 });
    // Each try is written before; the issuer remembers what it may have bought, and says once that it is not well.
    expect(outcome.writes['PATCH tinycertcertificates/status']).toBeLessThanOrEqual(4 * 9);
    expect(outcome.writes['PATCH tinycertissuers/status']).toBeLessThanOrEqual(1 + 9);
  });

  test.each<[string, FaultEffect, string, number]>([
    [
      'it says for how long to wait',
      { kind: 'error', code: 'RateLimitExceeded', retryAfter: 120 },
      'TinyCert refuses more requests for now. Send fewer, or wait.',
      5,
    ],
    [
      'it only says that it was too much',
      { kind: 'error', code: 'RateLimitExceeded' },
      'TinyCert refuses more requests for now. Send fewer, or wait.',
      20,
    ],
  ])('%s', async (_, effect, message, tries) => {
    const { outcome } = await endure(stage, {
      setUp: (world) => world.account(),
      faults: forever('cert/new', effect),
    });

    expect(outcome.certificate).toEqual(unmet('RateLimitExceeded', message));
    expect(outcome.calls).toEqual({ ...LOOK, 'cert/new': tries });
    expect(outcome.writes).toEqual({
      'PATCH tinycertissuers/status': 1,
      'PATCH tinycertcertificates/status': 2 * tries,
      'POST events': 1,
    });
  });
});

describe('what was bought is fetched until it comes, and not bought again:', () => {
  test.each<[string, FaultEffect, string, number]>([
    [
      'a proxy answers for the CA',
      { kind: 'html' },
      'UnexpectedStatus: The endpoint answered an HTTP error without a TinyCert code. Check what stands before it.',
      7,
    ],
    [
      'the CA fails without a reason',
      { kind: 'error', code: 'UnknownError' },
      'UnknownError: TinyCert failed without giving a reason. Contact its support if this lasts.',
      7,
    ],
    [
      'the CA does not know it',
      { kind: 'error', code: 'NotFound' },
      'NotFound: TinyCert knows no authority or certificate with this id. It may have been deleted.',
      4,
    ],
  ])('%s', async (_, effect, said, tries) => {
    const { outcome } = await endure(stage, {
      setUp: (world) => world.account(),
      faults: forever('cert/get', effect),
    });

    expect(outcome.certificate).toEqual([`Ready=False ${said}`, `Issuing=False ${said}`]);
    expect(outcome.calls).toMatchObject({ connect: 1, 'cert/new': 1, 'cert/get': 2 * tries });
    expect(outcome.writes).toEqual({
      'PATCH tinycertissuers/status': 1,
      'PATCH tinycertcertificates/status': 1 + tries,
      'POST events': 1,
    });
  });
});

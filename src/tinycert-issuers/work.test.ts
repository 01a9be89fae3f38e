import { afterAll, describe, expect, test } from 'vitest';
import { account, otherAccount } from '../../test/support/inputs/inputs.ts';
import { accountOf, issuer as build, statusRecorder } from '../../test/support/inputs/accounts.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { AUTHORITY, Vectors } from '../../test/support/x509/x509-vectors.ts';
import type { Outcome } from '../account/act.ts';
import type { CheckFault } from '../account/check.ts';
import { issuers } from '../api/kinds.ts';
import type { AuthorityRef } from '../api/tinycert/identity.ts';
import type { IssuerSpec } from '../api/tinycert/issuer-spec.ts';
import { LastWritten } from '../issuance/status/last-written.ts';
import type { Found as Inventoried } from '../issuance/tinycert/inventory/orphans.ts';
import { IssuerDirectory, type ReadyIssuer } from '../issuance/tinycert/issuer-directory.ts';
import { silentLog } from '../lib/log.ts';
import { TinyCertError } from '../tinycert/index.ts';
import { fingerprintOf, readCertificate } from '../x509/certificate.ts';
import { X509Error } from '../x509/errors.ts';
import type { Deps, Issuer } from './deps.ts';
import { workOf } from './work.ts';

const vectors = new Vectors();
afterAll(() => vectors.remove());
const { cert } = vectors.make({ subject: '/C=NL/O=Example/CN=Root', extensions: AUTHORITY, curve: 'P-256' });

const KEY = 'TinyCertIssuer:ns/ca';
const FAULT = { reason: 'UnknownError', message: 'TinyCert failed without giving a reason.' };
const authority = { id: 1, name: 'Example' };
const picked = { account, authorityId: 1, name: 'Example' };
const described = { ...authority, account };
const counts = { good: 1, hold: 0, revoked: 0, expired: 0 };

function setup() {
  const clock = new VirtualClock('2026-01-01T00:00:00Z');
  const calls: string[] = [];
  const login = accountOf(clock, {
    listAuthorities: async () => {
      calls.push('ca/list');
      return [authority];
    },
    getAuthority: async (id) => {
      calls.push('ca/details');
      return { id, subject: { country: 'NL', commonName: 'Root' }, hashAlgorithm: 'sha256' };
    },
    getAuthorityCertificate: async () => {
      calls.push('ca/get');
      return cert;
    },
  });
  /** The keys of issuers whose inventory waits for the journal. */
  const postponed: string[] = [];
  const { kube, warn, patches, events } = statusRecorder();
  const inventory = {
    list: async (_: unknown, { authorityId }: AuthorityRef, key: string) =>
      void calls.push(`list ${authorityId} ${key}`),
    found: async (): Promise<Inventoried> => ({ counts, foreignCount: 4, orphans: [] }),
    isPostponed: (key: string) => postponed.includes(key),
  };
  const work = workOf({
    kube,
    warn,
    clock,
    crds: { fit: true, check: async () => undefined },
    type: issuers,
    writtenIssuers: new LastWritten<Issuer>({ clock }),
    directory: new IssuerDirectory(),
    inventory,
  } as unknown as Deps);
  const ready: ReadyIssuer = {
    key: KEY,
    account: login,
    authority: picked,
    subject: undefined,
    material: () => Promise.reject(new Error('not needed')),
    hasMaterial: () => false,
  };
  const probe = (resource: Issuer = build()) =>
    work.probe(resource, login, { connection: {} as never }, new AbortController().signal);
  const report = async (outcome: Outcome<{ issuer: ReadyIssuer }>) => {
    const context = { signal: new AbortController().signal, log: silentLog, reconcileID: '1', failures: 0 };
    await work.report(build(), outcome, context);
    const [patch] = patches.splice(0) as {
      conditions: { status: string; reason: string; message: string }[];
      session: { state: string; nextAttemptTime: string | null };
      limits?: object;
      foreignCount?: number;
    }[];
    return patch;
  };
  return { clock, account: login, calls, work, ready, probe, report, events, postponed };
}

describe('a check', () => {
  test('logs in, picks the authority, takes its list and describes it', async () => {
    const { probe, calls } = setup();
    expect(await probe()).toMatchObject({
      issuer: { key: KEY, authority: picked, subject: undefined, marksFor: undefined },
      shown: {
        ...described,
        subject: { country: 'NL', commonName: 'Root' },
        hashAlgorithm: 'SHA256',
        fingerprint: fingerprintOf(readCertificate(cert)),
      },
    });
    expect(calls).toEqual(['ca/list', `list 1 ${KEY}`, 'ca/details', 'ca/get']);
  });

  test('does not fetch an authority that status shows already', async () => {
    const { probe, calls } = setup();
    const shown = { ...described, fingerprint: 'aa' };
    const found = await probe(build({ status: { authority: shown } }));
    expect(found).toMatchObject({ shown });
    expect(calls).toEqual(['ca/list', `list 1 ${KEY}`]);
  });

  test.each([
    ['another id', { id: 2, name: 'Example', fingerprint: 'aa' }],
    ['another name', { id: 1, name: 'Other', fingerprint: 'aa' }],
    ['no fingerprint', described],
    ['the same id at another account', { ...described, account: otherAccount, fingerprint: 'aa' }],
  ])('fetches an authority that status shows with %s', async (_, shown) => {
    const { probe, calls } = setup();
    await probe(build({ status: { authority: shown } }));
    expect(calls).toContain('ca/get');
  });

  test('of an account without the authority takes no list', async () => {
    const { probe, calls } = setup();
    const missing = await probe(build({ spec: { authority: { name: 'Other' } } }));
    expect(missing).toMatchObject({ reason: 'AuthorityNotFound' });
    expect(calls).toEqual(['ca/list']);
  });

  test.each<[NonNullable<IssuerSpec['ownershipMarker']>, string | undefined]>([
    ['OrganizationalUnit', 'issuer-uid'],
    ['None', undefined],
  ])('with the ownership marker %s finds an issuer that marks for %s', async (ownershipMarker, marksFor) => {
    const { probe } = setup();
    expect(await probe(build({ spec: { ownershipMarker } }))).toMatchObject({ issuer: { marksFor } });
  });
});

test('an issuer that is known has to be asked for while status shows no authority', () => {
  const { work, ready } = setup();
  const plan = { connection: {} as never };
  expect(work.known(build(), ready, plan)).toBeUndefined();
  expect(work.known(build({ status: { authority } }), ready, plan)).toEqual({ issuer: ready });
});

test('an unreadable certificate is a fault in the answer, a client’s error one on the way', () => {
  const { work } = setup();
  expect(work.faultOf(new X509Error('InvalidPem', 'no PEM'))).toMatchObject({
    reason: 'InvalidPem',
    stops: 'nobody',
    isInAnswer: true,
  });
  expect(work.faultOf(new TinyCertError('TlsFailure', { call: 'connect' }))).toMatchObject({
    reason: 'TlsFailure',
    isInAnswer: false,
  });
  expect(work.faultOf(new Error('a bug'))).toBeUndefined();
});

const READY = {
  status: 'True',
  reason: 'Ready',
  message: 'Certificates are issued by authority 1 "Example".',
};

describe('status', () => {
  test('of a ready issuer has the inventory unless the check was skipped', async () => {
    const { account, ready, report } = setup();
    const outcome = { is: 'ready', account, found: { issuer: ready }, why: undefined } as const;
    expect(await report({ ...outcome, isFresh: false })).toMatchObject({
      conditions: [READY],
      session: { state: 'Connected' },
      foreignCount: 4,
    });
    expect(await report({ ...outcome, isFresh: true })).not.toHaveProperty('foreignCount');
  });

  test('of a ready issuer has the inventory that was postponed, although the check was skipped', async () => {
    const { account, ready, report, postponed } = setup();
    postponed.push(KEY);
    const outcome = { is: 'ready', account, found: { issuer: ready }, why: undefined } as const;
    expect(await report({ ...outcome, isFresh: true })).toMatchObject({ foreignCount: 4 });
  });

  test('has the fault of the last issuance until one has succeeded', async () => {
    const { account, ready, report, events } = setup();
    account.gate.checkFailed(FAULT);
    const patch = await report({
      is: 'ready',
      account,
      found: { issuer: ready },
      isFresh: true,
      why: FAULT,
    });
    expect(patch).toMatchObject({
      conditions: [{ status: 'False', ...FAULT }],
      session: { state: 'Unreachable' },
    });
    expect(events).toEqual([[FAULT.reason, FAULT.message]]);
  });

  test('of an issuer that was ready before a rate limit stays ready, with the end of the limit', async () => {
    const { account, ready, report } = setup();
    account.gate.limited(60_000);
    expect(await report({ is: 'unchecked', account, issuer: ready })).toMatchObject({
      conditions: [READY],
      session: { state: 'RateLimited', nextAttemptTime: null },
      limits: { blockedUntil: '2026-01-01T00:01:00Z' },
    });
  });

  test('while the breaker is open has its fault and the next check', async () => {
    const { clock, account, report } = setup();
    for (let i = 0; i < 3; i += 1) {
      account.gate.failed('ns/web', account.gate.breaker.epoch, FAULT);
      if (i < 2) account.gate.checkSucceeded();
    }
    const waitMs = (account.gate.breaker.nextCheck ?? 0) - clock.now();
    expect(waitMs).toBe(60_000);
    expect(await report({ is: 'stopped', account, why: FAULT })).toMatchObject({
      conditions: [{ status: 'False', ...FAULT }],
      session: { state: 'Unreachable', nextAttemptTime: '2026-01-01T00:01:00Z' },
    });
  });

  const fault: CheckFault = { ...FAULT, stops: 'login', isRefused: false, isInAnswer: false };

  test.each<[string, Partial<CheckFault>]>([
    ['Refused', { isRefused: true }],
    ['Connected', { stops: 'nobody', isInAnswer: true }],
    ['Unreachable', {}],
  ])('after a failed check: %s', async (state, change) => {
    const { account, report } = setup();
    const why = { ...fault, ...change };
    expect(await report({ is: 'failed', account, why, nextCheckMs: 300_000 })).toMatchObject({
      conditions: [{ status: 'False', ...FAULT }],
      session: { state, nextAttemptTime: '2026-01-01T00:05:00Z' },
    });
  });

  test.each([
    ['Disconnected', 'disconnected'],
    ['Connected', 'absent'],
  ] as const)('has the session %s if the issuer is %s', async (state, is) => {
    const { account, report } = setup();
    expect(await report({ is, account, why: FAULT })).toMatchObject({
      conditions: [{ status: 'False', ...FAULT }],
      session: { state },
    });
  });
});

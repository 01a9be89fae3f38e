import { describe, expect, test } from 'vitest';
import { ref } from '../../../test/support/inputs/inputs.ts';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { type ReportedStatus, type SettableStatus, TinyCertError } from '../../tinycert/index.ts';
import type { StatusAtCa } from '../context/revocation-retries.ts';
import type { Work } from '../context/work.ts';
import { changeStatus, StatusNotConfirmed } from './change-status.ts';

const denied = (call: string): TinyCertError => new TinyCertError('NotFound', { call });
const refused = new TinyCertError('StatusDisallowed', { call: 'cert/status' });

/** A CA that gives these answers in order: to `cert/status`, and to `cert/details`, whose last one lasts. */
function ca(set: Error | undefined, ...details: (ReportedStatus | Error)[]) {
  const calls: string[] = [];
  const client = {
    setCertificateStatus: () => {
      calls.push('cert/status');
      return set ? Promise.reject(set) : Promise.resolve();
    },
    getCertificateDetails: (id: number) => {
      calls.push('cert/details');
      const answer = details.length > 1 ? details.shift() : details[0];
      return typeof answer === 'string' ? Promise.resolve({ id, status: answer }) : Promise.reject(answer);
    },
  };
  const deps = {
    clock: new VirtualClock(),
    leads: () => true,
    timing: { sendWindow: 5_000, callDeadline: 20_000, lateExecution: 20_000 },
    metrics: { revocations: { inc: () => undefined } },
  };
  const { signal } = new AbortController();
  const access = { deps, issuer: { account: { digest: ref(7).account, client } }, signal } as unknown as Pick<
    Work,
    'deps' | 'issuer' | 'signal'
  >;
  return { calls, change: (wanted: SettableStatus) => changeStatus(access, ref(7), wanted) };
}

describe('a change of status', () => {
  test.each<[SettableStatus, (ReportedStatus | Error)[], StatusAtCa]>([
    ['revoked', ['revoked'], 'revoked'],
    ['hold', ['good', 'hold'], 'hold'],
    ['good', ['hold', 'good'], 'good'],
    ['revoked', ['expired'], 'expired'],
    ['hold', ['good', 'revoked'], 'revoked'],
  ])('to %s is done once the details say so', async (wanted, details, status) => {
    const { change, calls } = ca(undefined, ...details);
    expect(await change(wanted)).toBe(status);
    expect(calls.at(-1)).toBe('cert/details');
  });

  test.each<[SettableStatus, ReportedStatus[]]>([
    ['revoked', ['good']],
    ['revoked', ['hold']],
    ['hold', ['good', 'good']],
    ['good', ['hold', 'hold']],
  ])('to %s is not believed while the details say otherwise', async (wanted, details) => {
    await expect(ca(undefined, ...details).change(wanted)).rejects.toThrow(StatusNotConfirmed);
  });

  test.each<[SettableStatus, ReportedStatus]>([
    ['hold', 'hold'],
    ['hold', 'revoked'],
    ['good', 'revoked'],
    ['hold', 'obsolete'],
  ])('to %s of a certificate that is %s is not asked for', async (wanted, status) => {
    const { change, calls } = ca(undefined, status);
    expect(await change(wanted)).toBe(status);
    expect(calls).toEqual(['cert/details']);
  });

  test('of a status that nobody knows is not believed', async () => {
    await expect(ca(undefined, 'unknown').change('revoked')).rejects.toMatchObject({ code: 'ProtocolError' });
  });
});

describe('a certificate that the CA refuses to change', () => {
  test('is gone if the details say so twice', async () => {
    const { change, calls } = ca(denied('cert/status'), denied('cert/details'));
    expect(await change('revoked')).toBe('gone');
    expect(calls).toEqual(['cert/status', 'cert/details', 'cert/details']);
  });

  test.each([
    [denied('cert/status'), 'good'],
    [refused, 'hold'],
  ] as const)('stays due while it exists', async (error, status) => {
    await expect(ca(error, status).change('revoked')).rejects.toBe(error);
  });

  test('is not taken for gone by one answer before it is asked', async () => {
    const { change, calls } = ca(undefined, denied('cert/details'), 'good', 'hold');
    expect(await change('hold')).toBe('hold');
    expect(calls).toEqual(['cert/details', 'cert/details', 'cert/status', 'cert/details']);
  });

  test('needs nothing if its status is final', async () => {
    expect(await ca(refused, 'obsolete').change('revoked')).toBe('obsolete');
  });
});

import { beforeEach, describe, expect, test } from 'vitest';
import {
  authority,
  certificate,
  ISSUED,
  issued,
  otherAccount,
  readyIssuer,
  ref,
} from '../../../../test/support/inputs/inputs.ts';
import { effectiveNames } from '../../../api/tinycert/effective.ts';
import type { CertificateSummary, ClockOffset, ReportedStatus } from '../../../tinycert/index.ts';
import { tinycertKind } from '../kind.ts';
import { markerOf } from '../marker.ts';
import { namesHash } from '../request.ts';
import type { Facts } from './facts.ts';
import { type Known, LossSigns } from './loss-signs.ts';

const CN = 'www.example.com';
const SECOND = 1_000;
const fresh = certificate();
const wanted = namesHash({ authorityId: 1, names: effectiveNames(fresh.spec) });

let signs: LossSigns;
beforeEach(() => {
  signs = new LossSigns(tinycertKind.timing);
});

function line(id: number, status: ReportedStatus = 'good', commonName = CN): CertificateSummary {
  return { id, status, commonName, expires: 2_000_000_000 };
}

function facts(change: Partial<Facts> = {}): Facts {
  return {
    organizationalUnit: '',
    requestHash: 'v1:request',
    namesHash: wanted,
    notBefore: ISSUED + SECOND,
    notAfter: ISSUED + 90 * 86_400_000,
    serialNumber: '08',
    ...change,
  };
}

function known(change: Partial<Known> = {}): Known {
  return { lacksEntriesBefore: undefined, isAccountedFor: () => false, ...change };
}

/** The issuer whose CA's clock is measured so. */
function issuer(marksFor?: string, offset: ClockOffset | undefined = { ms: 0, uncertaintyMs: 500 }) {
  const account = { client: { clockOffset: () => offset } };
  return { ...readyIssuer, account, ...(marksFor === undefined ? {} : { marksFor }) };
}

/** A list with certificate 8, which is read. */
function listed(change: Partial<Facts> = {}, lines = [line(8)]): void {
  signs.note(authority, ISSUED + 60 * SECOND, [fresh], lines);
  for (const { id } of lines) signs.learn(authority, id, facts(change));
}

describe('a resource without a certificate has lost one, it seems,', () => {
  test('if a good one for its names was issued after it was made', () => {
    listed();
    expect(signs.of(fresh, issuer(), known())).toEqual({ is: 'unclaimed', certificates: [ref(8)] });
  });

  test('and those are the newest first', () => {
    listed({}, [line(8), line(11), line(9)]);
    const certificates = [ref(11), ref(9), ref(8)];
    expect(signs.of(fresh, issuer(), known())).toEqual({ is: 'unclaimed', certificates });
  });

  test.each<[string, Partial<Facts>]>([
    ['has other names beside the common name', { namesHash: 'v1:other' }],
    ['was issued before the resource was made', { notBefore: ISSUED - 4 * SECOND }],
    ['has the marker of another resource', { organizationalUnit: markerOf('issuer-uid', 'other') }],
  ])('but not if it %s', (_, change) => {
    listed(change);
    expect(signs.of(fresh, issuer(), known())).toEqual({ is: 'none' });
  });

  test.each<[string, CertificateSummary]>([
    ['is on hold', line(8, 'hold')],
    ['is revoked', line(8, 'revoked')],
    ['has expired', line(8, 'expired')],
    ['has another common name', line(8, 'good', 'other.example.com')],
  ])('nor if it %s, and then it is not even read', (_, each) => {
    signs.note(authority, ISSUED, [fresh], [each]);
    expect(signs.unread(fresh, issuer(), known())).toEqual([]);
    expect(signs.of(fresh, issuer(), known())).toEqual({ is: 'none' });
  });

  test('nor if something accounts for it', () => {
    listed();
    const isAccountedFor: Known['isAccountedFor'] = ({ certificateId }) => certificateId === 8;
    expect(signs.of(fresh, issuer(), known({ isAccountedFor }))).toEqual({ is: 'none' });
  });

  test('nor if another account has it', () => {
    listed();
    const elsewhere = { ...issuer(), authority: { ...authority, account: otherAccount, name: '' } };
    signs.note(elsewhere.authority, ISSUED, [fresh], []);
    expect(signs.of(fresh, elsewhere, known())).toEqual({ is: 'none' });
  });

  test('nor if it cannot be read', () => {
    signs.note(authority, ISSUED, [fresh], [line(8)]);
    signs.learn(authority, 8, undefined);
    expect(signs.of(fresh, issuer(), known())).toEqual({ is: 'none' });
  });

  test('whatever the spelling of its common name', () => {
    listed({}, [line(8, 'good', 'WWW.Example.COM')]);
    expect(signs.of(fresh, issuer(), known()).is).toBe('unclaimed');
  });
});

describe('the clocks', () => {
  test.each<[string, ClockOffset | undefined, number, string]>([
    ['of both agree, and the second is cut off', { ms: 0, uncertaintyMs: 0 }, -3 * SECOND, 'unclaimed'],
    ['of both agree', { ms: 0, uncertaintyMs: 0 }, -4 * SECOND, 'none'],
    ['of the CA is an hour ahead', { ms: 3_600_000, uncertaintyMs: 0 }, 3_597_000, 'unclaimed'],
    ['of the CA is an hour ahead', { ms: 3_600_000, uncertaintyMs: 0 }, 3_590_000, 'none'],
    ['of the CA is not measured', undefined, -300 * SECOND, 'unclaimed'],
    ['of the CA is not measured', undefined, -304 * SECOND, 'none'],
  ])('%s (%o): a date of %d ms after the creation is %s', (_, offset, after, want) => {
    listed({ notBefore: ISSUED + after });
    const { client } = { client: { clockOffset: () => offset } };
    expect(signs.of(fresh, { ...issuer(), account: { client } }, known()).is).toBe(want);
  });
});

describe('a marker', () => {
  const own = { organizationalUnit: markerOf('issuer-uid', 'uid') };

  test('of the resource itself proves that it bought it, whenever that was', () => {
    listed({ ...own, notBefore: ISSUED - 86_400_000 });
    expect(signs.of(fresh, issuer('issuer-uid'), known())).toEqual({
      is: 'own',
      certificate: ref(8),
      requestHash: 'v1:request',
    });
  });

  test('of the resource proves nothing to an issuer that does not mark', () => {
    listed(own);
    expect(signs.of(fresh, issuer(), known())).toEqual({ is: 'none' });
  });

  test('is looked for in a certificate from before the issuer began to mark, too', () => {
    listed();
    expect(signs.of(fresh, issuer('issuer-uid'), known()).is).toBe('unclaimed');
  });
});

describe('what has to be read first', () => {
  test('is a list, if this process has none', () => {
    expect(signs.of(fresh, issuer(), known())).toEqual({ is: 'unknown' });
  });

  test('is each certificate of the common name, once', () => {
    signs.note(authority, ISSUED, [fresh], [line(8), line(9)]);
    expect(signs.of(fresh, issuer(), known())).toEqual({ is: 'unknown' });
    expect(signs.unread(fresh, issuer(), known())).toEqual([9, 8]);
    signs.learn(authority, 9, facts());
    expect(signs.unread(fresh, issuer(), known())).toEqual([8]);

    signs.learn(authority, 8, facts());
    signs.note(authority, ISSUED + SECOND, [fresh], [line(8), line(9), line(10)]);
    expect(signs.unread(fresh, issuer(), known())).toEqual([10]);
  });

  test('are the newest fifty of them', () => {
    signs.note(
      authority,
      ISSUED,
      [fresh],
      Array.from({ length: 60 }, (_, id) => line(id + 1)),
    );
    expect(signs.unread(fresh, issuer(), known())).toEqual(Array.from({ length: 50 }, (_, i) => 60 - i));
  });

  test.each<[string, number | undefined, boolean]>([
    ['no journal was lost', undefined, false],
    ['the list came after the loss of the journal', ISSUED + 59 * SECOND, false],
    ['the list came before the loss of the journal', ISSUED + 61 * SECOND, true],
    // A resource that is younger than the loss has bought nothing that was lost.
    ['the resource came long after the loss of the journal', ISSUED - 301 * SECOND, false],
  ])('is another list, or not, if %s', (_, lacksEntriesBefore, want) => {
    signs.note(authority, ISSUED + 60 * SECOND, [fresh], []);
    expect(signs.lacksList(fresh, authority, { lacksEntriesBefore })).toBe(want);
    expect(signs.of(fresh, issuer(), known({ lacksEntriesBefore })).is).toBe(want ? 'unknown' : 'none');
  });

  test('is no other list for a young resource, however old the list is', () => {
    const young = certificate();
    young.metadata.creationTimestamp = new Date(ISSUED + 400 * SECOND).toISOString();
    signs.note(authority, ISSUED, [], []);
    const known30 = known({ lacksEntriesBefore: ISSUED + 30 * SECOND });
    expect(signs.of(young, issuer(), known30)).toEqual({ is: 'none' });
  });

  test('is no third list if the clock was set back during the second', () => {
    const lacksEntriesBefore = ISSUED + 90 * SECOND;
    signs.note(authority, ISSUED, [fresh], []);
    signs.cover(authority, lacksEntriesBefore);
    expect(signs.lacksList(fresh, authority, { lacksEntriesBefore })).toBe(false);
  });
});

describe('a resource that came after the last list, or had a certificate then,', () => {
  test.each([
    ['is new', certificate({ status: {} }), []],
    ['had one', certificate(), [certificate({ status: issued })]],
  ])('buys at once: it %s', (_, resource, then) => {
    signs.note(authority, ISSUED, then, [line(8)]);
    expect(signs.of(resource, issuer(), known())).toEqual({ is: 'none' });
  });
});

test('nothing is kept for a resource that is gone', () => {
  listed();
  expect(signs.size).toBe(1);
  signs.forget('uid');
  expect(signs.size).toBe(0);
});

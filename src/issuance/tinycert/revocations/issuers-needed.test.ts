import { describe, expect, test } from 'vitest';
import { account, certificate, issued, otherAccount, ref } from '../../../../test/support/inputs/inputs.ts';
import type { TinyCertCertificate } from '../../../api/kinds.ts';
import { REVOCATION_FINALIZER } from '../../../api/names.ts';
import { Store } from '../../../kube/watch/store.ts';
import { IssuersNeeded } from './issuers-needed.ts';

const CA = 'TinyCertIssuer:ns/ca';
const OTHER = 'TinyCertClusterIssuer:ca';
const pendingRevocations = [{ ...ref(6), action: 'Revoke', notBefore: '2026-01-01T00:00:00Z' } as const];

function withFinalizer(resource: TinyCertCertificate): TinyCertCertificate {
  return { ...resource, metadata: { ...resource.metadata, finalizers: [REVOCATION_FINALIZER] } };
}

const idle = certificate({ status: issued });
const pending = certificate({ status: { ...issued, pendingRevocations } });
const elsewhere = certificate({
  spec: { issuerRef: { kind: 'TinyCertClusterIssuer', name: 'ca' } },
  status: { ...issued, pendingRevocations },
});

/** Needs of a store that then holds each of `versions` in turn; undefined deletes. */
function follow(...versions: (TinyCertCertificate | undefined)[]) {
  const store = new Store<TinyCertCertificate>();
  const needed = new IssuersNeeded(store);
  const changes: string[][] = [];
  const accounts: string[][] = [];
  needed.onChange((key) => changes.at(-1)?.push(key));
  needed.onAccountChange((of) => accounts.at(-1)?.push(of));
  const stop = needed.wire();
  const part = store.openPart();
  for (const object of versions) {
    changes.push([]);
    accounts.push([]);
    const entry = object && { key: 'ns/web', uid: 'uid', resourceVersion: String(changes.length), object };
    part.replace(entry ? [entry] : []);
  }
  return { needed, changes, accounts, stop, part };
}

test.each([
  ['a certificate with our finalizer', withFinalizer(idle), 1],
  ['a certificate with a pending revocation', pending, 1],
  ['a certificate with both', withFinalizer(pending), 1],
  ['a certificate with neither', idle, 0],
  ['a certificate of another issuer', elsewhere, 0],
])('%s is counted only if it needs the issuer', (_, resource, count) => {
  expect(follow(resource).needed.count(CA)).toBe(count);
});

test.each<[string, (TinyCertCertificate | undefined)[], string[][]]>([
  ['a certificate begins and ceases to need its issuer', [idle, pending, idle], [[], [CA], [CA]]],
  ['a certificate in need is deleted', [pending, undefined], [[CA], [CA]]],
  ['a certificate without need is deleted', [idle, undefined], [[], []]],
  ['a certificate in need changes issuer', [pending, elsewhere], [[CA], [CA, OTHER]]],
  ['a certificate in need changes otherwise', [pending, withFinalizer(pending)], [[CA], []]],
])('listeners hear of the right issuers when %s', (_, versions, want) => {
  expect(follow(...versions).changes).toEqual(want);
});

describe('an account', () => {
  const former = {
    account: otherAccount,
    pendingRevocations: [{ ...pendingRevocations[0]!, account: otherAccount }],
  };
  const left = certificate({ status: { ...issued, formerAccounts: [former] } });

  test.each([
    ['a certificate with a pending revocation there', pending, [true, false]],
    ['a certificate with our finalizer, at every account that it has', withFinalizer(left), [true, true]],
    ['a certificate that left it with a pending revocation', left, [false, true]],
    ['no certificate without either', idle, [false, false]],
  ])('is needed by %s', (_, resource, want) => {
    const { needed } = follow(resource);
    expect([account, otherAccount].map((each) => needed.isAccountNeeded(each))).toEqual(want);
  });

  test('is told of when a certificate begins or ceases to need it', () => {
    const both = certificate({ status: { ...issued, pendingRevocations, formerAccounts: [former] } });
    const { accounts } = follow(idle, pending, both, left, undefined);
    expect(accounts).toEqual([[], [account], [otherAccount], [account], [otherAccount]]);
  });
});

test('listeners hear nothing after unsubscribing', () => {
  const { changes, accounts, stop, part, needed } = follow(pending);
  stop();
  part.replace([]);
  expect(changes).toEqual([[CA]]);
  expect(accounts).toEqual([[account]]);
  expect(needed.count(CA)).toBe(0);
});

import { expect, test } from 'vitest';
import { authority, ref } from '../../../test/support/inputs/inputs.ts';
import { SECRET_ANNOTATIONS } from '../../api/names.ts';
import { tinycertKind } from './kind.ts';

test.each([
  ['7', 7],
  ['9007199254740991', 9_007_199_254_740_991],
  ['0', undefined],
  ['-7', undefined],
  ['07', undefined],
  ['7.0', undefined],
  ['7e3', undefined],
  [' 7', undefined],
  ['7\n', undefined],
  ['12345678901234567', undefined],
  ['', undefined],
  [undefined, undefined],
])('a Secret with the annotation %j states the certificate id %s', (text, want) => {
  const { account, authorityId, certificateId } = SECRET_ANNOTATIONS;
  const claimedBy = (annotations: Record<string, string>) =>
    tinycertKind.claimedBy({ metadata: { name: 'web-tls', annotations } });
  const of = { [account]: authority.account, [authorityId]: '1' };
  const id: Record<string, string> = text === undefined ? {} : { [certificateId]: text };
  expect(claimedBy({ ...of, ...id })).toEqual(want === undefined ? undefined : ref(want));
  // Without its account and authority, an id names nothing.
  expect(claimedBy({ [account]: authority.account, ...id })).toBeUndefined();
  expect(claimedBy({ [authorityId]: '1', ...id })).toBeUndefined();
  expect(claimedBy({ ...of, [account]: 'ops@example.com', ...id })).toBeUndefined();
  expect(tinycertKind.claimedBy({ metadata: { name: 'web-tls' } })).toBeUndefined();
});

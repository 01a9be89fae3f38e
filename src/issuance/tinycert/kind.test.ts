import { expect, test } from 'vitest';
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
  const annotations = text === undefined ? {} : { [SECRET_ANNOTATIONS.certificateId]: text };
  expect(tinycertKind.claimedIdOf({ metadata: { name: 'web-tls', annotations } })).toBe(want);
  expect(tinycertKind.claimedIdOf({ metadata: { name: 'web-tls' } })).toBeUndefined();
});

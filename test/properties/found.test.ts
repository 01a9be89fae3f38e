import { expect, test } from 'vitest';
import { findingsOf } from './run.ts';

/** Sequences after which a property did not hold once. */
test.each([
  [
    'deleted after a switch to an issuer of another account that is gone: it stayed for good, without a word',
    2_017_588_789,
    ['create one/b 0 y', 'wait 0.3', 'switch one/b z', 'remove-issuer z', 'wait 10', 'delete one/b'],
  ],
  [
    'deleted while its issuer does not exist: the certificate of its former account was given up, although that had an issuer',
    1_358_365_372,
    [
      'create one/b 1 x',
      'remove-issuer y',
      'wait 1000',
      'switch one/b y',
      'wait 1',
      'spoil-secret one/b',
      'delete one/b',
    ],
  ],
])('a resource that is %s', async (_, seed, steps) => {
  expect(await findingsOf({ seed, steps })).toEqual([]);
});

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
  [
    'deleted with an open attempt beside a foreign Secret: its recovery was repeated twice a second, for good',
    311_180_804,
    [
      'create one/b 1 x',
      'fault A cert/new error-done 2',
      'wait 0.1',
      'foreign-secret one/b',
      'wait 400',
      'delete one/b',
    ],
  ],
  [
    'deleted with an open attempt at a former account: the recovery was repeated every 45 seconds, without a word',
    0,
    [
      'fault B cert/new silent-late 1',
      'create one/b 0 y',
      'wait 0.1',
      'switch one/b x',
      'wait 0.1',
      'delete one/b',
    ],
  ],
])('a resource that is %s', async (_, seed, steps) => {
  expect(await findingsOf({ seed, steps })).toEqual([]);
});

import { expect, test } from 'vitest';
import { account as digest } from '../../test/support/inputs/inputs.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import type { TinyCertClient } from '../tinycert/index.ts';
import { Gate } from './gate/gate.ts';
import { Account } from './tinycert-account.ts';

function account(apiKey = 'key'): Account {
  const gate = new Gate({ limit: 1, clock: new VirtualClock() });
  return new Account({ digest, client: {} as TinyCertClient, gate, apiKey });
}

test('the highest id is that of the list and of replies, per authority', () => {
  const known = account();
  expect(known.highestId(1)).toBeUndefined();
  known.noteId(1, 0);
  expect(known.highestId(1)).toBe(0);
  for (const id of [5, 9, 7]) known.noteId(1, id);
  expect(known.highestId(1)).toBe(9);
  expect(known.highestId(2)).toBeUndefined();
});

test('a seal depends on the text and the API key, and on nothing else', () => {
  const seal = account().seal('text');
  expect(account().seal('text')).toBe(seal);
  expect(account().seal('other text')).not.toBe(seal);
  expect(account('other key').seal('text')).not.toBe(seal);
});

import { expect, test } from 'vitest';
import { account as digest } from '../../test/support/inputs/inputs.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import type { TinyCertClient } from '../tinycert/index.ts';
import { Gate } from './gate/gate.ts';
import { Account } from './tinycert-account.ts';

function account({ apiKey = 'key', sealKey = 'installation' } = {}): Account {
  const gate = new Gate({ limit: 1, clock: new VirtualClock() });
  return new Account({ digest, client: {} as TinyCertClient, gate, apiKey, sealKey });
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

test('each code of a seal depends on the text and its own key, and on nothing else', () => {
  const { installation, apiKey } = account().sealCodes('text');
  expect(installation).not.toBe(apiKey);
  expect(account().sealCodes('text')).toEqual({ installation, apiKey });
  const otherText = account().sealCodes('other text');
  expect(otherText.installation).not.toBe(installation);
  expect(otherText.apiKey).not.toBe(apiKey);
  const otherApiKey = account({ apiKey: 'other' }).sealCodes('text');
  expect(otherApiKey.installation).toBe(installation);
  expect(otherApiKey.apiKey).not.toBe(apiKey);
  const otherInstallation = account({ sealKey: 'other' }).sealCodes('text');
  expect(otherInstallation.installation).not.toBe(installation);
  expect(otherInstallation.apiKey).toBe(apiKey);
});

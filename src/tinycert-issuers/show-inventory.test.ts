import { expect, test } from 'vitest';
import { ref } from '../../test/support/inputs/inputs.ts';
import { issuer } from '../../test/support/inputs/accounts.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import type { ReadyIssuer } from '../issuance/tinycert/issuer-directory.ts';
import { JournalRefused, TermOver } from '../journal/errors.ts';
import { ApiError } from '../kube/errors.ts';
import { type Logger, silentLog } from '../lib/log.ts';
import { TinyCertError } from '../tinycert/index.ts';
import { X509Error } from '../x509/errors.ts';
import type { Deps } from './deps.ts';
import { inventoryToShow, warnOfOrphans } from './show-inventory.ts';

const found = { counts: { good: 1, hold: 0, revoked: 0, expired: 0 }, foreignCount: 2, orphans: [] };

function setup(answer: typeof found | undefined | Error) {
  const logged: string[] = [];
  const log: Logger = { ...silentLog, warn: (_: unknown, text?: string) => logged.push(text ?? '') };
  const abort = new AbortController();
  const inventory = {
    found: async () => {
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  const deps = { inventory, clock: new VirtualClock() } as unknown as Deps;
  const show = () =>
    inventoryToShow(deps, issuer(), {} as ReadyIssuer, {
      signal: abort.signal,
      log,
      reconcileID: '1',
      failures: 0,
    });
  return { show, logged, abort };
}

test('status shows what the last inventory found', async () => {
  const { show } = setup(found);
  expect(await show()).toMatchObject({ change: { foreignCount: 2, certificates: { good: 1 } }, news: [] });
});

test('status shows nothing before the first inventory', async () => {
  expect(await setup(undefined).show()).toBeUndefined();
});

const remote = [
  new TinyCertError('ConnectionFailed', { call: 'cert/get' }),
  new X509Error('InvalidPem', 'no certificate'),
  new ApiError({ status: 500, reason: '', message: 'down', verb: 'list', resource: 'secrets' }),
  new JournalRefused(new Error('forbidden')),
  new TermOver('changed'),
];

test.each(remote)('an inventory that fails is logged and left to the next check: %s', async (error) => {
  const { show, logged } = setup(error);
  expect(await show()).toBeUndefined();
  expect(logged).toEqual(['The inventory of the authority could not be completed']);
});

test('any other error is thrown, and so is any error during a shutdown', async () => {
  await expect(setup(new Error('a bug')).show()).rejects.toThrow('a bug');
  const { show, abort } = setup(remote[0]);
  abort.abort();
  await expect(show()).rejects.toBe(remote[0]);
});

test('each orphan makes an event that names it, and is not left out for the others', () => {
  const events: unknown[] = [];
  warnOfOrphans({ warn: (_, ...event) => events.push(event) }, issuer(), [
    { ...ref(8), commonName: 'a.example.com', serialNumber: '0a' },
    { ...ref(9), commonName: 'b.example.com' },
  ]);
  expect(events).toEqual([
    [
      'OrphanedCertificate',
      'Certificate 8 (a.example.com, serial number 0a) was bought by the operator and no TinyCertCertificate has it: revoke it at TinyCert unless somebody uses it.',
      { isBounded: true },
    ],
    [
      'OrphanedCertificate',
      'Certificate 9 (b.example.com) was bought by the operator and no TinyCertCertificate has it: revoke it at TinyCert unless somebody uses it.',
      { isBounded: true },
    ],
  ]);
});

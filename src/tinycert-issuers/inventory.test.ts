import { afterAll, describe, expect, test } from 'vitest';
import { authority, certificate, otherAccount, ref } from '../../test/support/inputs/inputs.ts';
import { given, inventoryStage, KEY, line, OTHER, owner } from '../../test/support/inputs/inventory-stage.ts';
import { Vectors } from '../../test/support/x509/x509-vectors.ts';
import { TinyCertError } from '../tinycert/index.ts';
import { LIST_SHARED_MS } from './inventory.ts';

const vectors = new Vectors();
afterAll(() => vectors.remove());
const { cert } = vectors.make({ subject: '/CN=www.example.com', curve: 'P-256' });
const setup = (options?: Parameters<typeof inventoryStage>[1]) => inventoryStage(cert, options);

describe('the list of an authority', () => {
  test.each([
    ['the highest id on it', [line(5), line(9), line(7)], 9],
    ['zero if it is empty', [], 0],
  ])('gives the account %s', async (_, lines, highest) => {
    const { account, list } = setup({ lines });
    expect(account.highestId(1)).toBeUndefined();
    await list();
    expect(account.highestId(1)).toBe(highest);
  });

  test('is taken once by two issuers whose checks are close together', async () => {
    const { clock, calls, list } = setup();
    await Promise.all([list(KEY), list(OTHER)]);
    await clock.advance(LIST_SHARED_MS - 1);
    await list(OTHER);
    expect(calls).toEqual(['list']);
    await clock.advance(1);
    await list(OTHER);
    expect(calls).toEqual(['list', 'list']);
  });

  test('is taken by each check of one issuer', async () => {
    const { calls, list } = setup();
    await list();
    await list();
    expect(calls).toEqual(['list', 'list']);
  });

  test('reports to a resource the status that it does not know yet', async () => {
    const { resources, observed, list } = setup({ lines: [line(7, 'revoked')] });
    resources.push(owner(7));
    await list();
    expect(observed.map((found) => [...found])).toEqual([
      [['ns/web', { certificate: ref(7), from: 'good', to: 'revoked', candidates: [] }]],
    ]);
  });
});

describe('what the list shows of resources that may have lost a certificate', () => {
  const known = { lacksEntriesBefore: undefined, isAccountedFor: () => false };
  const issuer = { authority: { ...authority, name: '' } };

  test('is noted: the good ones that no resource has', async () => {
    const { lossSigns, resources, list } = setup({ lines: [line(5), line(7), line(8), line(9, 'hold')] });
    resources.push(owner(7), certificate());
    await list();
    expect(lossSigns.unread(certificate(), issuer, known)).toEqual([8, 5]);
  });

  test('comes from another list if that one is too old, and from one for all who ask', async () => {
    const { clock, calls, listAgain, list } = setup();
    await list();
    const moment = clock.now() + 1;
    await listAgain(clock.now());
    expect(calls).toEqual(['list']);
    await clock.advance(1_000);
    await Promise.all([listAgain(moment), listAgain(moment), listAgain(moment)]);
    expect(calls).toEqual(['list', 'list']);
  });

  test('comes from one other list, although the clock was set back', async () => {
    const { clock, calls, listAgain } = setup();
    const moment = clock.now() + 60_000;
    await listAgain(moment);
    await listAgain(moment);
    expect(calls).toEqual(['list']);
  });
});

describe('an issuer shows', () => {
  test('nothing before the first list', async () => {
    expect(await setup().found()).toBeUndefined();
  });

  test('all certificates by status, and as foreign those that no one here bought', async () => {
    const lines = [line(7), line(8), line(9, 'hold'), line(10, 'revoked'), line(11, 'expired')];
    const { resources, list, found } = setup({ lines });
    resources.push(owner(7));
    await list();
    expect(await found()).toEqual({
      counts: { good: 2, hold: 1, revoked: 1, expired: 1 },
      foreignCount: 2,
      orphans: [],
    });
  });

  test('a certificate as foreign whose id a resource has of another account', async () => {
    const { resources, observed, list, found } = setup({ lines: [line(7, 'revoked'), line(8)] });
    for (const id of [7, 8]) resources.push(owner(id, otherAccount));
    await list();
    expect(observed.map((news) => news.size)).toEqual([0]);
    expect(await found()).toMatchObject({ foreignCount: 1, orphans: [] });
  });

  test('no orphan because of what another account has under its id', async () => {
    const status = { orphans: [ref(7, { account: otherAccount })] };
    const { list, found, record } = setup({ lines: [line(7)], status });
    await record(given(7, 'Undecided', otherAccount));
    await list();
    expect(await found()).toMatchObject({ foreignCount: 1, orphans: [] });
  });

  test('no certificate that a resource claimed after the list was taken', async () => {
    const { resources, list, found } = setup({ lines: [line(7)], marked: [7] });
    await list();
    resources.push(owner(7));
    expect(await found()).toMatchObject({ foreignCount: 0, orphans: [] });
  });

  test('an orphan with its facts, on the issuer that bought it alone', async () => {
    const { calls, list, found } = setup({ lines: [line(7)], marked: [7] });
    await list();
    expect(await found()).toMatchObject({
      foreignCount: 0,
      orphans: [
        {
          ...ref(7),
          commonName: 'www.example.com',
          serialNumber: '07',
          observedTime: '2026-01-01T00:00:00Z',
        },
      ],
    });
    expect((await found(OTHER))?.orphans).toEqual([]);
    expect(calls).toEqual(['list', 'details 7', 'live']);
  });

  test('no orphan that a resource claims in the live list', async () => {
    const { list, found } = setup({ lines: [line(7)], marked: [7], live: [owner(7)] });
    await list();
    expect((await found())?.orphans).toEqual([]);
  });

  test('an orphan that status shows already without asking again', async () => {
    const status = { orphans: [ref(7)] };
    const { calls, list, found } = setup({ lines: [line(7)], status });
    await list();
    expect(await found()).toMatchObject({ orphans: [ref(7)] });
    expect(calls).toEqual(['list']);
  });

  test('no certificate that the CA has lost since the list', async () => {
    const { list, found } = setup({ lines: [line(7)], gone: [7] });
    await list();
    expect(await found()).toMatchObject({ foreignCount: 0, orphans: [] });
  });
});

test('the facts of a certificate are read once, in however many passes', async () => {
  const { calls, list, found } = setup({ lines: [line(7), line(8)] });
  for (let i = 0; i < 3; i += 1) {
    await list();
    await found();
  }
  expect(calls.filter((call) => call.startsWith('details')).sort()).toEqual(['details 7', 'details 8']);
});

test('of many unknown certificates the newest 200 are read, and all are counted', async () => {
  const lines = Array.from({ length: 250 }, (_, i) => line(i + 1));
  const { calls, list, found } = setup({ lines });
  await list();
  expect((await found())?.foreignCount).toBe(250);
  const read = calls.filter((call) => call.startsWith('details'));
  expect(read).toHaveLength(200);
  expect(read).not.toContain('details 50');
  expect(read).toContain('details 51');
});

test('a list that fails is not used, and the next check takes another one', async () => {
  const failure = new TinyCertError('ConnectionLost', { call: 'cert/list' });
  const { calls, observed, list, found } = setup({ lines: [line(7)], failure });
  await expect(list(OTHER)).rejects.toBe(failure);
  expect(await found()).toBeUndefined();
  expect(observed).toEqual([]);
  await list(KEY);
  expect(calls).toEqual(['list', 'list']);
  expect(await found()).toMatchObject({ counts: { good: 1 } });
});

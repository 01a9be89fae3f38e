import { afterAll, describe, expect, test } from 'vitest';
import { authority, otherAccount, ref } from '../../test/support/inputs/inputs.ts';
import { given, inventoryStage, KEY, line, OTHER, owner } from '../../test/support/inputs/inventory-stage.ts';
import { Vectors } from '../../test/support/x509/x509-vectors.ts';
import { placeHash } from '../issuance/tinycert/attempt.ts';
import { recordsOf } from '../issuance/tinycert/records.ts';
import { TermOver } from '../journal/errors.ts';
import { TinyCertError } from '../tinycert/index.ts';

const vectors = new Vectors();
afterAll(() => vectors.remove());
const { cert } = vectors.make({ subject: '/CN=www.example.com', curve: 'P-256' });
const setup = (options?: Parameters<typeof inventoryStage>[1]) => inventoryStage(cert, options);

describe('the list of an authority', () => {
  test('highestInJournal: gives the account a higher id that an earlier process saw', async () => {
    const { account, list } = setup({ lines: [line(5)], highest: 9 });
    await list();
    expect(account.highestId(1)).toBe(9);
  });

  test.each([
    ['the resource itself, which may have caused it', 'ns/web', 0],
    ['another resource', 'ns/other', 1],
  ])('reports to a resource no status while an attempt is open of %s', async (_, key, news) => {
    const { resources, observed, list, open } = setup({ lines: [line(7, 'revoked')] });
    resources.push(owner(7));
    await open({ resource: placeHash(key) });
    await list();
    expect(observed.map((found) => found.size)).toEqual([news]);
  });

  test('offers no certificate as the successor of another one that an attempt is known to have bought', async () => {
    const { resources, observed, list, open } = setup({ lines: [line(8), line(9)] });
    resources.push(owner(7));
    await open({ certificateId: 9 });
    await list();
    expect(observed.map((found) => found.get('ns/web')?.candidates)).toEqual([[ref(8)]]);
  });
});

describe('an issuer shows', () => {
  test('no certificate that an open attempt may have bought, whether it was open before the list or not', async () => {
    const before = setup({ lines: [line(7)], marked: [7] });
    await before.open();
    await before.list();
    expect(await before.found()).toMatchObject({ foreignCount: 0, orphans: [] });
    const after = setup({ lines: [line(7)], marked: [7] });
    await after.list();
    await after.open();
    expect(await after.found()).toMatchObject({ foreignCount: 0, orphans: [] });
  });

  test('a certificate below the floor of an open attempt, or of another account', async () => {
    for (const change of [{ afterId: 7 }, { account: otherAccount }]) {
      const { list, found, open } = setup({ lines: [line(7)], marked: [7] });
      await open(change);
      await list();
      expect((await found())?.orphans).toMatchObject([ref(7)]);
    }
  });

  test('an orphan that nobody could be found to have bought, with its facts', async () => {
    const { list, found, record } = setup({ lines: [line(7)] });
    await record(given(7, 'Undecided'));
    await list();
    expect((await found())?.orphans).toMatchObject([{ ...ref(7), serialNumber: '07' }]);
  });

  test('no orphan that was put on record while its facts were read', async () => {
    const world = setup({ lines: [line(7)], marked: [7] });
    world.onDetails = () => world.record(given(7, 'Deleted'));
    await world.list();
    expect((await world.found())?.orphans).toEqual([]);
  });

  test('no orphan that an attempt may have bought which was opened while its facts were read', async () => {
    const world = setup({ lines: [line(7)], marked: [7] });
    world.onDetails = () => world.open();
    await world.list();
    expect((await world.found())?.orphans).toEqual([]);
  });

  test.each([
    ['was released on purpose', 'Deleted'],
    ['its resource had no more room for', undefined],
  ] as const)('no certificate that %s', async (_, cause) => {
    const { calls, list, found, record } = setup({ lines: [line(7)], marked: [7] });
    await record(given(7, cause));
    await list();
    expect(await found()).toMatchObject({ foreignCount: 0, orphans: [] });
    expect(calls).toEqual(['list']);
  });
});

test('a certificate that a leftover Secret proves is recorded as released, and is no orphan', async () => {
  const leftover = { certificate: ref(7), issuerKey: KEY, namespace: 'ns', name: 'web' };
  const { view, list, found } = setup({ lines: [line(7)], marked: [7], leftovers: [leftover] });
  await list();
  expect(await found()).toMatchObject({ foreignCount: 0, orphans: [] });
  expect(recordsOf(view, authority)).toEqual({ released: [given(7, 'Deleted')], abandoned: [] });
});

describe('while the journal is taken over, an inventory', () => {
  /** A list with an orphan, taken while the journal is not ready. */
  async function postponed() {
    const world = setup({ lines: [line(7)], marked: [7] });
    const { journal, view, list, found } = world;
    journal.view = undefined;
    await list();
    expect(await found()).toBeUndefined();
    return { ...world, isReady: () => (journal.view = view) };
  }

  test('is postponed: nothing is read one by one, and the issuer is woken when the journal is ready', async () => {
    const { calls, waiting, inventory } = await postponed();
    expect(calls).toEqual(['list']);
    expect(waiting).toEqual([KEY]);
    expect(inventory.isPostponed(KEY)).toBe(true);
    expect(inventory.isPostponed(OTHER)).toBe(false);
  });

  test('is made up for from the list that was taken, by what the journal has then', async () => {
    const { calls, found, open, isReady, inventory } = await postponed();
    await open({ afterId: 7 });
    isReady();
    expect((await found())?.orphans).toMatchObject([ref(7)]);
    expect(inventory.isPostponed(KEY)).toBe(false);
    expect(calls.filter((call) => call === 'list')).toHaveLength(1);
  });

  test('that was made before is shown all the same', async () => {
    const { journal, list, found, waiting } = setup({ lines: [line(8)] });
    await list();
    await found();
    journal.view = undefined;
    expect(await found()).toMatchObject({ foreignCount: 1 });
    expect(waiting).toEqual([]);
  });

  test('is forgotten with its issuer', async () => {
    const { inventory } = await postponed();
    inventory.forget(KEY);
    expect(inventory.isPostponed(KEY)).toBe(false);
  });
});

test('an inventory that fails for another reason is left to the next check', async () => {
  const world = setup({ lines: [line(7)], marked: [7] });
  world.onDetails = () => Promise.reject(new TinyCertError('ConnectionLost', { call: 'cert/details' }));
  await world.list();
  await expect(world.found()).rejects.toThrow(TinyCertError);
  expect(world.inventory.isPostponed(KEY)).toBe(false);
});

test('an inventory that is not stored since the journal was found changed is made again when the issuer is woken', async () => {
  const leftover = { certificate: ref(7), issuerKey: 'TinyCertIssuer:ns/gone', namespace: 'ns', name: 'web' };
  const { api, list, found, inventory, waiting } = setup({ lines: [line(7)], leftovers: [leftover] });
  await list();
  api.fate = (kind) => (kind === 'read' ? 'answered' : 'request lost');
  await expect(found()).rejects.toThrow(TermOver);
  expect(waiting).toEqual([KEY]);
  expect(inventory.isPostponed(KEY)).toBe(true);
});

import { expect, test } from 'vitest';
import { VirtualClock } from '../../../../test/support/virtual-clock.ts';
import type { Account } from '../../../account/tinycert-account.ts';
import { tinycertAccounts } from '../../../account/tinycert-accounts.ts';
import { IssuerDirectory, type ReadyIssuer } from '../issuer-directory.ts';
import { LastSessions } from './last-sessions.ts';

const KEY = 'TinyCertIssuer:ns/ca';

async function scene(isNeeded: boolean) {
  const directory = new IssuerDirectory();
  const accounts = tinycertAccounts({
    clock: new VirtualClock(),
    sealKey: () => Buffer.from('installation'),
  });
  const need = { now: isNeeded, account: false };
  const sessions = new LastSessions({
    directory,
    accounts,
    isNeeded: () => need.now,
    isAccountNeeded: () => need.account,
  });
  sessions.wire();
  const acquire = async (apiKey: string, email = 'a@example.com'): Promise<Account> => {
    const credentials = { email, passphrase: 'p', apiKey };
    const account = await accounts.acquire(KEY, { endpoint: 'https://ca.example.com/', credentials });
    const issuer = {
      key: KEY,
      account,
      authority: { account: account.digest, authorityId: 1, name: 'A' },
    } as ReadyIssuer;
    directory.set(KEY, { ready: true, issuer });
    return account;
  };
  const lose = async (): Promise<void> => {
    directory.delete(KEY);
    await accounts.release(KEY);
  };
  /** Whether another issuer with the same credentials still gets this account. */
  const isOpen = async (account: Account, apiKey: string): Promise<boolean> => {
    const credentials = { email: 'a@example.com', passphrase: 'p', apiKey };
    const other = await accounts.acquire('other', { endpoint: 'https://ca.example.com/', credentials });
    await accounts.release('other');
    return other === account;
  };
  return { directory, sessions, acquire, lose, isOpen, need };
}

test('a needed issuer stays known after it is gone, and its account stays open', async () => {
  const { sessions, acquire, lose, isOpen } = await scene(true);
  const account = await acquire('key');
  await lose();
  expect(sessions.get(KEY)?.account).toBe(account);
  expect(await isOpen(account, 'key')).toBe(true);
});

test('a deleted issuer is forgotten as soon as no certificate needs it', async () => {
  const { sessions, acquire, lose, isOpen, need } = await scene(true);
  const account = await acquire('key');
  await lose();
  need.now = false;
  sessions.review(KEY);
  expect(sessions.get(KEY)).toBeUndefined();
  expect(await isOpen(account, 'key')).toBe(false);
});

test('an issuer that no certificate needs is forgotten when it is deleted', async () => {
  const { sessions, acquire, lose, isOpen } = await scene(false);
  const account = await acquire('key');
  await lose();
  expect(sessions.get(KEY)).toBeUndefined();
  expect(await isOpen(account, 'key')).toBe(false);
});

test('new credentials replace the old ones', async () => {
  const { sessions, acquire, lose, isOpen } = await scene(true);
  const before = await acquire('old');
  const after = await acquire('new');
  await lose();
  expect(sessions.get(KEY)?.account).toBe(after);
  expect(await isOpen(before, 'old')).toBe(false);
});

test('the account that an issuer had before stays open and known as long as a certificate needs it', async () => {
  const { sessions, acquire, isOpen, need } = await scene(false);
  need.account = true;
  const before = await acquire('key');
  const after = await acquire('other key', 'b@example.com');
  expect(sessions.get(KEY)?.account).toBe(after);
  expect(sessions.of(before.digest)?.account).toBe(before);
  expect(await isOpen(before, 'key')).toBe(true);
  need.account = false;
  sessions.reviewAccount(before.digest);
  expect(sessions.of(before.digest)).toBeUndefined();
  expect(await isOpen(before, 'key')).toBe(false);
});

test('the account that an issuer had before is closed if no certificate needs it', async () => {
  const { sessions, acquire, isOpen } = await scene(true);
  const before = await acquire('key');
  await acquire('other key', 'b@example.com');
  expect(sessions.of(before.digest)).toBeUndefined();
  expect(await isOpen(before, 'key')).toBe(false);
});

test('an issuer that is ready keeps its session when nothing needs its account any more', async () => {
  const { sessions, acquire, isOpen, need } = await scene(false);
  need.account = true;
  const account = await acquire('key');
  need.account = false;
  sessions.reviewAccount(account.digest);
  expect(sessions.of(account.digest)?.account).toBe(account);
  expect(await isOpen(account, 'key')).toBe(true);
});

test('a deleted issuer whose account a certificate needs that left it is forgotten after that', async () => {
  const { sessions, acquire, lose, need } = await scene(false);
  need.account = true;
  const account = await acquire('key');
  await lose();
  expect(sessions.of(account.digest)?.account).toBe(account);
  need.account = false;
  sessions.reviewAccount(account.digest);
  expect(sessions.of(account.digest)).toBeUndefined();
});

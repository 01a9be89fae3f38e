import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startDevServer } from '../index.ts';
import { TestClient } from '../test-client.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dev-server-state-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

test('accounts, authorities, certificates, counters and trust survive a restart; sessions do not', async () => {
  const stateFile = join(folder, 'state.json');
  const options = { stateFile, keyPool: 2, keyPoolReuse: true };
  const first = await startDevServer({ ...options, email: 'kept@example.com' });
  const before = await TestClient.connected(first);
  const kept = await before.issue();
  const old = await before.issue();
  await before.call('cert/reissue', { cert_id: old });
  await before.call('cert/status', { cert_id: kept, status: 'hold' });
  const authority = await first.addAuthority({
    organization: 'Second',
    country: 'NL',
    locality: 'Maastricht',
  });
  first.addFault({ call: 'cert/new', kind: 'foreign-chain' });
  const foreign = await before.issue({ ca_id: authority });
  const parts = {
    chain: await before.pem(kept, 'chain'),
    key: await before.pem(kept, 'key.dec'),
    foreign: await before.pem(foreign, 'chain'),
  };
  const views = first.certificates();
  await first.stop();
  expect(statSync(stateFile).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['state.json']);

  const second = await startDevServer(options);
  expect(second.certificates()).toEqual(views);
  expect([second.email, second.apiKey, second.caPem]).toEqual([
    'kept@example.com',
    first.apiKey,
    first.caPem,
  ]);
  const after = new TestClient(second);
  after.token = before.token;
  expect((await after.call('ca/list')).json).toMatchObject({ code: 'InvalidToken' });
  await after.connect();
  expect((await after.call('ca/list')).json).toEqual([
    { id: first.authorityId, name: 'Example Org' },
    { id: authority, name: 'Second' },
  ]);
  expect(await after.pem(kept, 'chain')).toBe(parts.chain);
  expect(await after.pem(kept, 'key.dec')).toBe(parts.key);
  expect(await after.pem(foreign, 'chain')).toBe(parts.foreign);
  expect(await after.status(kept)).toBe('hold');
  expect(await after.issue()).toBeGreaterThan(foreign);
  expect(second.journal()[0]?.seq).toBeGreaterThan(first.journal().at(-1)?.seq ?? Infinity);
  await second.stop();
});

test('a restart continues the numbers of calls, including calls after the last write of the state', async () => {
  const options = { stateFile: join(folder, 'numbers.json') };
  const first = await startDevServer(options);
  const client = new TestClient(first);
  await client.connect();
  await first.stop();
  const second = await startDevServer(options);
  const again = new TestClient(second);
  await again.connect();
  const [entry] = second.journal();
  await second.stop();

  expect(entry?.seq).toBe((first.journal().at(-1)?.seq ?? NaN) + 1);
});

test('credentials in the options replace those of the file', async () => {
  const stateFile = join(folder, 'state.json');
  const first = await startDevServer({ stateFile, apiKey: 'old' });
  await first.stop();
  const second = await startDevServer({ stateFile, apiKey: 'new' });
  expect([second.apiKey, second.passphrase]).toEqual(['new', first.passphrase]);
  await second.stop();
});

test.each([
  ['no JSON', '{', /not JSON/],
  ['something else', '{"version":2}', /not a state file of this version/],
])('%s is refused', async (_, content, reason) => {
  const stateFile = join(folder, 'state.json');
  writeFileSync(stateFile, content);
  await expect(startDevServer({ stateFile })).rejects.toThrow(reason);
});

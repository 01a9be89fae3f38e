import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HELP, readTinyCertCommandLine } from './tinycert.ts';
import { startDevServer } from '../index.ts';
import { runProgram } from '../test-program.ts';
import { welcome } from '../welcome.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dev-server-cli-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

test('all flags together', async () => {
  const faults = join(folder, 'faults.json');
  writeFileSync(faults, JSON.stringify([{ call: 'cert/new', kind: 'hang' }]));
  const line =
    '--host 192.0.2.9 --port 0 --control-port 0 --http --ca-file ca.pem --state s.json --email a@example.com --passphrase p ' +
    '--api-key k --validity 30s --ca-validity 10d --key-pool 4 --key-pool-reuse --other-customers 0 ' +
    '--latency 10ms-1s --rate-limit 5 --retry-after 2 --session-ttl 5m --strict-signature php ' +
    `--empty-fields null --success-body [] --faults ${faults} --json`;
  const args = [...line.split(' '), '--authority', 'ACME, Inc.:US', '--authority', 'A:B:NL:sha1'];
  expect(await readTinyCertCommandLine(args)).toEqual({
    kind: 'run',
    json: true,
    options: {
      host: '192.0.2.9',
      port: 0,
      controlPort: 0,
      protocol: 'http',
      caFile: 'ca.pem',
      stateFile: 's.json',
      email: 'a@example.com',
      passphrase: 'p',
      apiKey: 'k',
      authorities: [
        { organization: 'ACME, Inc.', country: 'US' },
        { organization: 'A:B', country: 'NL', hashMethod: 'sha1' },
      ],
      validity: '30s',
      caValidity: '10d',
      keyPool: 4,
      keyPoolReuse: true,
      otherCustomers: 0,
      latency: { min: '10ms', max: '1s' },
      rateLimit: 5,
      retryAfter: 2,
      sessionTtl: '5m',
      strictSignature: 'php',
      emptyFields: 'null',
      successBody: '[]',
      faults: [{ call: 'cert/new', kind: 'hang' }],
    },
  });
  for (const flag of line.match(/--[a-z-]+/g) ?? []) expect(HELP).toContain(` ${flag}`);
});

describe('refused with a reason', () => {
  test.each([
    ['--port x', '--port'],
    ['--port 70000', '65535'],
    ['--validity 5', '--validity'],
    ['--validity 500ms', 'at least 1s'],
    ['--latency 9ms-3ms', 'min to be the smaller'],
    ['--latency soon', '--latency'],
    ['--rate-limit many', '--rate-limit'],
    ['--session-ttl 1w', '--session-ttl'],
    ['--key-pool-reuse', '--key-pool'],
    ['--authority ACME', 'Organization:US'],
    ['--authority ACME:usa', 'two capital letters'],
    ['--email nobody', '--email'],
    ['--strict-signature loose', 'raw, php, either'],
    ['--empty-fields gone', 'null, empty, absent'],
    ['--faults /does/not/exist', 'ENOENT'],
    ['--colour', '--colour'],
    ['surplus', 'surplus'],
  ])('%s', async (line, mention) => {
    const result = await readTinyCertCommandLine(line.split(' '));
    expect(result).toEqual({ kind: 'refused', reason: expect.stringContaining(mention) });
  });

  test('a file with an unknown fault', async () => {
    const faults = join(folder, 'wrong.json');
    writeFileSync(faults, '[{"call": "cert/new", "kind": "gremlin"}]');
    const result = await readTinyCertCommandLine(['--faults', faults]);
    expect(result).toEqual({ kind: 'refused', reason: expect.stringContaining('--faults') });
  });
});

test('the text for people has manifests with the credentials and the CA', async () => {
  const server = await startDevServer({ authorities: [{ organization: 'ACME, Inc.', country: 'US' }] });
  const text = welcome(server);
  await server.stop();
  for (const part of ['kind: Secret', 'kind: TinyCertIssuer', 'kind: TinyCertClusterIssuer']) {
    expect(text).toContain(part);
  }
  expect(text).toContain(`endpoint: ${server.endpoint}`);
  expect(text).toContain(`apiKey: ${JSON.stringify(server.apiKey)}`);
  expect(text).toContain('name: "ACME, Inc."');
  expect(text).toContain('    -----BEGIN CERTIFICATE-----\n');
});

test('the program prints in one line of JSON where it is, and leaves nothing behind', async () => {
  let caFile = '';
  const exit = await runProgram([], async (ready) => {
    expect(Object.keys(ready)).toEqual(['endpoint', 'caFile', 'email', 'passphrase', 'apiKey', 'controlUrl']);
    ({ caFile = '' } = ready);
    expect(ready['endpoint']).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/api\/v1\/$/);
    expect(existsSync(caFile)).toBe(true);
    expect((await fetch(`${ready['controlUrl']}/stats`)).status).toBe(200);
  });
  expect(exit).toEqual([0, null]);
  expect(existsSync(caFile)).toBe(false);
});

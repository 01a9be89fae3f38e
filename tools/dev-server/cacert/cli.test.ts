import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCAcertServer } from '../index.ts';
import { CACERT_HELP, readCAcertCommandLine } from './cli.ts';
import { runProgram } from '../test-program.ts';
import { openssl } from './test-client.ts';
import { welcome } from './welcome.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cacert-cli-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

test('all flags together', async () => {
  const faults = join(folder, 'faults.json');
  writeFileSync(faults, JSON.stringify([{ call: 'ccsr', kind: 'unsigned', ms: 500 }]));
  const line =
    '--cacert --port 0 --control-port 0 --http --host www.cacert.org --ca-file ca.pem --username a@example.com ' +
    '--password p --suffix Jr. --points 50 --email a@example.com --email b@example.com --code-signing ' +
    `--validity 47d --class3 --wait 10s --signing 12s --latency 1ms-2ms --database latin1 --faults ${faults} --json`;

  expect(await readCAcertCommandLine([...line.split(' '), '--name', 'Jane Q. Public'])).toEqual({
    kind: 'run',
    json: true,
    options: {
      port: 0,
      controlPort: 0,
      protocol: 'http',
      hosts: ['www.cacert.org'],
      caFile: 'ca.pem',
      members: [
        {
          username: 'a@example.com',
          password: 'p',
          firstName: 'Jane',
          middleName: 'Q.',
          lastName: 'Public',
          suffix: 'Jr.',
          points: 50,
          codeSigning: true,
          emails: ['a@example.com', 'b@example.com'],
        },
      ],
      validity: '47d',
      class3: true,
      wait: '10s',
      signing: '12s',
      latency: { min: '1ms', max: '2ms' },
      database: 'latin1',
      faults: [{ call: 'ccsr', kind: 'unsigned', ms: 500 }],
    },
  });
  for (const flag of [...(line.match(/--[a-z0-9-]+/g) ?? []), '--name'])
    expect(CACERT_HELP).toContain(` ${flag}`);
});

test('--cacert alone leaves every option at its default', async () => {
  expect(await readCAcertCommandLine(['--cacert'])).toEqual({ kind: 'run', json: false, options: {} });
  expect(await readCAcertCommandLine(['--cacert', '--help'])).toEqual({ kind: 'help' });
});

describe('refused with a reason', () => {
  test.each([
    ['--wait soon', '--wait'],
    ['--validity 5', '--validity'],
    ['--points many', '--points'],
    ['--port 70000', '65535'],
    ['--database ebcdic', 'utf8, latin1'],
    ['--username nobody', 'username'],
    ['--name Jane', 'two or three words'],
    ['--passphrase x', '--passphrase'],
    ['--faults /does/not/exist', 'ENOENT'],
  ])('%s', async (line, mention) => {
    const result = await readCAcertCommandLine(['--cacert', ...line.split(' ')]);
    expect(result).toEqual({ kind: 'refused', reason: expect.stringContaining(mention) });
  });
});

test('the text for people names where everything is', async () => {
  const server = await startCAcertServer();
  const text = welcome(server);
  await server.stop();
  for (const part of [server.endpoint, server.caFile, server.controlUrl, `password: "${server.password}"`]) {
    expect(text).toContain(part);
  }
});

test('the program prints in one line of JSON where it is, and leaves nothing behind', async () => {
  let caFile = '';
  const exit = await runProgram(['--cacert'], async (ready) => {
    expect(Object.keys(ready)).toEqual(['endpoint', 'caFile', 'username', 'password', 'controlUrl']);
    ({ caFile = '' } = ready);
    expect(openssl(['x509', '-noout', '-subject', '-in', caFile])).toContain(
      'CN = CA Cert Signing Authority',
    );
    expect((await fetch(`${ready['controlUrl']}/stats`)).status).toBe(200);
  });
  expect(exit).toEqual([0, null]);
  expect(existsSync(caFile)).toBe(false);
});

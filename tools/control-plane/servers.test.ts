import { access, chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAuthority } from './pki.ts';
import { Servers } from './servers.ts';

let folder: string;
let dataDir: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'control-plane-servers-'));
  dataDir = await mkdtemp(join(folder, 'data-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Appends its port to a file, then plays an API server that reports ready. */
const API_SERVER = `
const { appendFileSync, readFileSync } = require('node:fs');
const flags = Object.fromEntries(process.argv.slice(2).map((arg) => arg.slice(2).split('=')));
const file = (name) => readFileSync(flags[name]);
appendFileSync(flags['ports-file'], flags['secure-port'] + '\\n');
require('node:https')
  .createServer({ cert: file('tls-cert-file'), key: file('tls-private-key-file') }, (request, response) => response.end('ok'))
  .listen(Number(flags['secure-port']), '127.0.0.1');
`;

const IDLE = 'setInterval(() => {}, 1000);';

/** An etcd that only listens. */
const ETCD = `
const url = process.argv.find((arg) => arg.startsWith('--listen-client-urls=')).split('=')[1];
require('node:net').createServer().listen(Number(new URL(url).port), '127.0.0.1');
`;

/** Two servers instead of the real ones; the texts are programs for Node. */
async function servers(etcd: string, apiServer: string): Promise<Servers> {
  const authority = createAuthority(new Date());
  const serving = authority.issue({ commonName: 'x', usage: 'server', names: ['127.0.0.1'] });
  const admin = authority.issue({ commonName: 'x', usage: 'client' });
  await writeFile(join(dataDir, 'apiserver.crt'), serving.cert);
  await writeFile(join(dataDir, 'apiserver.key'), serving.key);
  const binary = async (name: string, program: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(`${path}.cjs`, program);
    await writeFile(path, `#!/bin/sh\nexec "${process.execPath}" "${path}.cjs" "$@"\n`);
    await chmod(path, 0o755);
    return path;
  };
  return new Servers({
    binaries: {
      etcd: await binary('etcd', etcd),
      kubeApiserver: await binary('kube-apiserver', apiServer),
      version: '',
      source: 'cache',
    },
    dataDir,
    auditLog: undefined,
    extraApiServerArgs: [`--ports-file=${join(folder, 'ports')}`],
    keepData: false,
    caData: authority.caCert,
    cert: admin.cert,
    key: admin.key,
  });
}

/** The ports on which an API server was started, one after the other. */
async function usedPorts(): Promise<string[]> {
  return (await readFile(join(folder, 'ports'), 'utf8')).trim().split('\n');
}

test('a port that was taken meanwhile costs one try, not the start', async () => {
  // The first one reports its port in use, in the words of the real one.
  const takenOnce = `
    const { existsSync, writeFileSync } = require('node:fs');
    const marker = ${JSON.stringify(join(folder, 'tried'))};
    if (!existsSync(marker)) {
      writeFileSync(marker, '');
      console.error('failed to listen: listen tcp 127.0.0.1:1: bind: address already in use');
      process.exit(1);
    }
    ${API_SERVER}`;
  const both = await servers(ETCD, takenOnce);
  try {
    await both.start(undefined);
    expect(await usedPorts()).toEqual([new URL(both.url).port]);
  } finally {
    await both.stop();
  }
});

test('any other early end fails the start and reports the log', async () => {
  const both = await servers('console.error("no space left"); process.exit(2);', API_SERVER);
  try {
    await expect(both.start(undefined)).rejects.toMatchObject({
      code: 'ProcessDied',
      message: 'etcd ended. It exited with code 2.',
      details: ['no space left'],
    });
  } finally {
    await both.stop();
  }
});

test('a restart keeps the port, and a stop during it leaves nothing running', async () => {
  const both = await servers(ETCD, API_SERVER);
  await both.start(undefined);
  await both.restart('apiServer');
  const ports = await usedPorts();
  expect(ports).toEqual([ports[0], ports[0]]);

  const restarting = both.restart('apiServer');
  const stopped = both.stop();
  await expect(restarting).rejects.toThrow('The control plane was stopped.');
  await stopped;
  const { etcd, apiServer } = both.pids();
  for (const pid of [etcd, apiServer]) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  await expect(access(dataDir)).rejects.toThrow('ENOENT');
});

test('a start can be ended', async () => {
  const stop = new AbortController();
  const both = await servers(IDLE, IDLE);
  const starting = both.start(stop.signal);
  stop.abort();
  await expect(starting).rejects.toThrow('aborted');
  await both.stop();
  expect(() => process.kill(both.pids().etcd, 0)).toThrow('ESRCH');
});

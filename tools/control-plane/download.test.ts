import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { downloadEnvtest } from './download.ts';

let folder: string;
let server: Server;
let url: string;
let answer: RequestListener;
let archive: Buffer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'control-plane-download-'));
  await mkdir(join(folder, 'controller-tools/envtest'), { recursive: true });
  await writeFile(join(folder, 'controller-tools/envtest/etcd'), 'binary');
  execFileSync('tar', ['-czf', join(folder, 'a.tar.gz'), '-C', folder, 'controller-tools']);
  archive = await readFile(join(folder, 'a.tar.gz'));
  answer = (_request, response) => response.end(archive);
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.tar.gz`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

const sumOf = (content: Buffer): string => createHash('sha512').update(content).digest('hex');

test('an archive with the right sum is unpacked into place', async () => {
  const cache = join(folder, 'cache');
  await downloadEnvtest(join(cache, 'envtest'), {}, 'linux-amd64', { url, sha512: sumOf(archive) });
  expect(await readFile(join(cache, 'envtest/etcd'), 'utf8')).toBe('binary');
  expect(await readdir(cache)).toEqual(['envtest']);
});

test('a redirect is followed, since the sum, not the address, is trusted', async () => {
  answer = (request, response) => {
    if (request.url === '/moved') response.end(archive);
    else response.writeHead(302, { location: '/moved' }).end();
  };
  await downloadEnvtest(join(folder, 'cache/envtest'), {}, 'linux-amd64', { url, sha512: sumOf(archive) });
  expect(await readdir(join(folder, 'cache/envtest'))).toEqual(['etcd']);
});

test.each<[string, RequestListener, string]>([
  [
    'with another sum',
    (_request, response) => response.end('other'),
    'does not have the published SHA-512 sum',
  ],
  ['that is not there', (_request, response) => response.writeHead(404).end(), 'could not be fetched'],
  [
    'that breaks off',
    (_request, response) => {
      response.writeHead(200, { 'content-length': archive.length });
      response.write(archive.subarray(0, 10), () => response.destroy());
    },
    'could not be fetched',
  ],
])('an archive %s leaves nothing in the cache', async (_which, listener, message) => {
  answer = listener;
  const cache = join(folder, 'cache');
  await expect(
    downloadEnvtest(join(cache, 'envtest'), {}, 'linux-amd64', { url, sha512: sumOf(archive) }),
  ).rejects.toThrow(message);
  expect(await readdir(cache)).toEqual([]);
});

test('the reason of a failed connection is reported', async () => {
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  await expect(
    downloadEnvtest(join(folder, 'cache/envtest'), {}, 'linux-amd64', {
      url: `http://127.0.0.1:${port}/`,
      sha512: '',
    }),
  ).rejects.toMatchObject({ code: 'DownloadFailed', cause: { code: 'ECONNREFUSED' } });
});

test('a platform without a pinned archive causes no request', async () => {
  await expect(downloadEnvtest(join(folder, 'cache/envtest'), {}, 'plan9-mips')).rejects.toMatchObject({
    code: 'DownloadFailed',
    details: ['plan9-mips'],
  });
});

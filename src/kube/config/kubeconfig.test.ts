import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expectLinear } from '../../../test/support/scaling.ts';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { connect } from './credentials.ts';
import { parseKubeconfig } from './kubeconfig-file.ts';
import { loadKubeconfig } from './kubeconfig.ts';

let folder: string;
let clock: VirtualClock;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  clock = new VirtualClock();
});
afterEach(() => rm(folder, { recursive: true }));

async function write(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, text);
  return file;
}

/** A kubeconfig with one context, cluster and user. */
async function one(cluster: object, user: object, name = 'config'): Promise<string> {
  return write(
    name,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'x',
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'team' } }],
      clusters: [{ name: 'c', cluster: { server: 'https://example.org:6443/', ...cluster } }],
      users: [{ name: 'u', user }],
    }),
  );
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('a kubeconfig', () => {
  test('with inline data gives server, namespace, trust and client certificate', async () => {
    const file = await one(
      {
        'certificate-authority-data': base64('the ca'),
        'tls-server-name': 'api.internal',
        'proxy-url': 'http://127.0.0.1:3128',
      },
      { 'client-certificate-data': base64('the cert'), 'client-key-data': base64('the key') },
    );

    const connection = await loadKubeconfig(file, { clock });

    expect(connection).toMatchObject({
      server: 'https://example.org:6443',
      namespace: 'team',
      proxyUrl: 'http://127.0.0.1:3128',
    });
    expect(connection.tls()).toMatchObject({
      ca: 'the ca',
      cert: 'the cert',
      key: 'the key',
      servername: 'api.internal',
    });
    expect(await connection.authorization()).toBeUndefined();
  });

  test('names files relative to itself and follows their rotation', async () => {
    await write('pki/ca.crt', 'old ca');
    await write('pki/token', 'old token\n');
    const file = await one({ 'certificate-authority': 'pki/ca.crt' }, { tokenFile: 'pki/token' });
    const connection = await loadKubeconfig(file, { clock });
    expect(connection.tls().ca).toBe('old ca');
    expect(await connection.authorization()).toBe('Bearer old token');

    await write('pki/ca.crt', 'new ca');
    await write('pki/token', 'new token\n');
    await clock.advance(60_000);

    expect(await connection.authorization()).toBe('Bearer new token');
    expect(connection.tls().ca).toBe('new ca');
  });

  test.each([
    ['a token', { token: 'abc' }, 'Bearer abc'],
    ['a name and password', { username: 'me', password: 'pw' }, `Basic ${base64('me:pw')}`],
    ['nothing', {}, undefined],
  ])('with %s uses that as authorization', async (_name, user, expected) => {
    const connection = await loadKubeconfig(await one({}, user), { clock });

    expect(await connection.authorization()).toBe(expected);
  });

  test('can switch off the check of the server certificate', async () => {
    const connection = await loadKubeconfig(await one({ 'insecure-skip-tls-verify': true }, {}), { clock });

    expect(connection.tls().rejectUnauthorized).toBe(false);
  });

  test('is read as YAML, with another context than the current one on request', async () => {
    const file = await write(
      'config',
      `
current-context: first
contexts:
- {name: first, context: {cluster: a, user: u}}
- {name: second, context: {cluster: b, user: u}}
clusters:
- {name: a, cluster: {server: 'https://a'}}
- {name: b, cluster: {server: 'https://b'}}
users:
- name: u
  user: {token: t}
`,
    );

    expect(await loadKubeconfig(file, { clock })).toMatchObject({
      server: 'https://a',
      namespace: 'default',
    });
    expect(await loadKubeconfig(file, { clock, context: 'second' })).toMatchObject({ server: 'https://b' });
  });

  test('may repeat a key: the last one counts, as in kubectl', () => {
    expect(parseKubeconfig('current-context: a\nkind: Config\ncurrent-context: b\n', 'config')).toEqual({
      'current-context': 'b',
      kind: 'Config',
    });
  });

  test('may use aliases', () => {
    expect(parseKubeconfig('a: &it {b: 1}\nc: *it\n', 'config')).toEqual({ a: { b: 1 }, c: { b: 1 } });
  });

  test.each<[string, (index: number) => string]>([
    ['keys', (index) => `k${index}: 1\n`],
    ['anchors', (index) => `k${index}: &a${index} 1\n`],
  ])('of many %s takes time linear in its length', (_, line) => {
    const makeText = (size: number): string =>
      Array.from({ length: Math.ceil(size / line(1000).length) }, (_each, index) => line(index)).join('');
    expectLinear((text) => parseKubeconfig(text, 'config'), makeText, { to: 64 * 1024 });
  });

  test('can consist of several files: the first entry of a name counts, paths are relative to their own file', async () => {
    await write('one/ca.crt', 'ca of one');
    await write('two/ca.crt', 'ca of two');
    const first = await write(
      'one/config',
      JSON.stringify({ users: [{ name: 'u', user: { token: 'of one' } }] }),
    );
    const second = await one({ 'certificate-authority': 'ca.crt' }, { token: 'of two' }, 'two/config');
    const connection = await connect({ clock, env: { KUBECONFIG: [first, '', second].join(delimiter) } });

    expect(await connection.authorization()).toBe('Bearer of one');
    expect(connection.tls().ca).toBe('ca of two');
  });
});

describe('a kubeconfig that cannot be used is refused:', () => {
  const context = (fields: object): string => JSON.stringify({ contexts: [{ name: 'x', context: fields }] });

  test.each<[string, string, string | undefined, object]>([
    ['text that is not YAML', 'a: [hunter2', undefined, { code: 'KUBECONFIG_NOT_YAML' }],
    ['an empty file', '', undefined, { code: 'KUBECONFIG_NOT_YAML' }],
    [
      'more aliases than the YAML library follows',
      `a: &hunter2 1\nb: [${'*hunter2, '.repeat(1000)}]`,
      undefined,
      { code: 'KUBECONFIG_NOT_YAML', name: 'KubeconfigError' },
    ],
    [
      'an alias without an anchor',
      'a: *hunter2',
      undefined,
      { code: 'KUBECONFIG_NOT_YAML', name: 'KubeconfigError' },
    ],
    ['no current context', context({}), undefined, { code: 'KUBECONFIG_NO_CONTEXT', known: ['x'] }],
    ['an unknown context', context({}), 'y', { code: 'KUBECONFIG_UNKNOWN_ENTRY', entry: 'y', known: ['x'] }],
    [
      'an unknown cluster',
      context({ cluster: 'c' }),
      'x',
      { code: 'KUBECONFIG_UNKNOWN_ENTRY', entry: 'c', known: [] },
    ],
  ])('%s', async (_name, text, wanted, expected) => {
    const file = await write('config', text);

    const failure = await loadKubeconfig(file, { clock, ...(wanted ? { context: wanted } : {}) }).catch(
      (error: unknown) => error,
    );

    expect(failure).toMatchObject({ ...expected, file });
    expect(inspect(failure, { depth: 10, showHidden: true })).not.toContain('hunter2');
  });

  test('a file that does not exist', async () => {
    const file = join(folder, 'none');

    await expect(loadKubeconfig(file, { clock })).rejects.toMatchObject({
      code: 'KUBECONFIG_UNREADABLE',
      file,
    });
  });

  test('a certificate file that does not exist', async () => {
    const file = await one({ 'certificate-authority': 'none.crt' }, {});

    await expect(loadKubeconfig(file, { clock })).rejects.toMatchObject({
      code: 'KUBECONFIG_UNREADABLE',
      file: join(folder, 'none.crt'),
      entry: 'certificate-authority',
    });
  });

  test.each([
    ['a server that is not a URL', { server: 'example' }, {}, 'KUBECONFIG_NO_SERVER'],
    ['impersonation, which must not be ignored', {}, { token: 't', as: 'admin' }, 'KUBECONFIG_IMPERSONATION'],
    ['a token for plain http elsewhere', { server: 'http://example.org' }, { token: 't' }, 'KUBE_PLAIN_HTTP'],
  ])('%s', async (_name, cluster, user, code) => {
    await expect(loadKubeconfig(await one(cluster, user), { clock })).rejects.toMatchObject({ code });
  });
});

describe('a credential plugin', () => {
  /** A plugin that counts its runs in a file and puts the count into the token. */
  async function plugin(status: string): Promise<string> {
    const script = `#!/bin/sh
cd "$(dirname "$0")"
echo run >> runs
n=$(wc -l < runs | tr -d ' ')
echo "{\\"apiVersion\\":\\"client.authentication.k8s.io/v1\\",\\"kind\\":\\"ExecCredential\\",\\"status\\":${status}}"
`;
    const file = await write('bin/plugin', script);
    await chmod(file, 0o755);
    return './bin/plugin';
  }

  const exec = (command: string): object => ({
    exec: { apiVersion: 'client.authentication.k8s.io/v1', command, interactiveMode: 'Never' },
  });

  test('runs for its token, and again only after the token was refused', async () => {
    const command = await plugin('{\\"token\\":\\"run-$n\\"}');
    const file = await one({ 'certificate-authority-data': base64('the ca') }, exec(command));

    const connection = await loadKubeconfig(file, { clock });
    expect(await connection.authorization()).toBe('Bearer run-1');
    expect(connection.tls().ca).toBe('the ca');
    await clock.advance(60_000);
    expect(await connection.authorization()).toBe('Bearer run-1');
    await clock.advance(5000);

    expect(await connection.authorization(true)).toBe('Bearer run-2');
  });

  test('can supply a client certificate', async () => {
    const command = await plugin('{\\"clientCertificateData\\":\\"cert\\",\\"clientKeyData\\":\\"key\\"}');

    const connection = await loadKubeconfig(await one({}, exec(command)), { clock });

    expect(connection.tls()).toMatchObject({ cert: 'cert', key: 'key' });
    expect(await connection.authorization()).toBeUndefined();
  });

  test('that fails is an error', async () => {
    await expect(loadKubeconfig(await one({}, exec('/bin/false')), { clock })).rejects.toMatchObject({
      code: 'KUBECONFIG_PLUGIN',
    });
  });
});

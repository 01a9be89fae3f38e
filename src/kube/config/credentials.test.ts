import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { openConnection } from './connection.ts';
import { connect, inClusterConnection } from './credentials.ts';

let root: string;
let folder: string;
let clock: VirtualClock;
const env = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '6443' };

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'credentials-'));
  folder = join(root, 'serviceaccount');
  clock = new VirtualClock();
  await mkdir(folder);
  await writeFile(join(folder, 'token'), 'first-token\n');
  await writeFile(join(folder, 'ca.crt'), 'first-ca');
  await writeFile(join(folder, 'namespace'), 'operators\n');
});
afterEach(() => rm(root, { recursive: true }));

describe('in a pod', () => {
  test('address, namespace, CA and token come from the environment and the mounted files', async () => {
    const connection = await inClusterConnection({ clock, env, folder });

    expect(connection).toMatchObject({ server: 'https://10.0.0.1:6443', namespace: 'operators' });
    expect(connection.tls()).toMatchObject({ ca: 'first-ca' });
    expect(await connection.authorization()).toBe('Bearer first-token');
  });

  test('an IPv6 address is put in brackets, and the default port is 443', async () => {
    const connection = await inClusterConnection({
      clock,
      env: { KUBERNETES_SERVICE_HOST: 'fd00::1' },
      folder,
    });

    expect(connection.server).toBe('https://[fd00::1]:443');
  });

  test('a rotated token and CA take effect within a minute', async () => {
    const connection = await inClusterConnection({ clock, env, folder });
    const { version } = connection.tls();
    await writeFile(join(folder, 'token'), 'second-token');
    await writeFile(join(folder, 'ca.crt'), 'second-ca');

    await clock.advance(59_999);
    expect(await connection.authorization()).toBe('Bearer first-token');
    await clock.advance(1);
    expect(await connection.authorization()).toBe('Bearer second-token');
    expect(connection.tls()).toMatchObject({ ca: 'second-ca' });
    expect(connection.tls().version).not.toBe(version);
  });

  test('a rotated token takes effect at once if the old one was refused', async () => {
    const connection = await inClusterConnection({ clock, env, folder });
    await writeFile(join(folder, 'token'), 'second-token');
    await clock.advance(5000);

    expect(await connection.authorization(true)).toBe('Bearer second-token');
  });

  test('unchanged files do not change the version of the TLS material', async () => {
    const connection = await inClusterConnection({ clock, env, folder });
    const before = connection.tls();
    await writeFile(join(folder, 'ca.crt'), 'first-ca');
    await clock.advance(60_000);
    await connection.authorization();

    expect(connection.tls()).toBe(before);
  });

  test('the old credentials stay in use while the files are missing', async () => {
    const connection = await inClusterConnection({ clock, env, folder });
    await rm(join(folder, 'token'));
    await clock.advance(60_000);
    expect(await connection.authorization()).toBe('Bearer first-token');

    await writeFile(join(folder, 'token'), 'second-token');
    await clock.advance(60_000);
    expect(await connection.authorization()).toBe('Bearer second-token');
  });

  test.each([
    ['no address', {}, 'token', 'KUBE_NOT_IN_CLUSTER'],
    ['no token', env, 'token', 'KUBE_NO_SERVICE_ACCOUNT'],
    ['no CA', env, 'ca.crt', 'KUBE_NO_SERVICE_ACCOUNT'],
  ])('%s is reported at startup', async (_name, environment, missing, code) => {
    await rm(join(folder, missing));

    await expect(inClusterConnection({ clock, env: environment, folder })).rejects.toMatchObject({ code });
  });

  test('an empty token is reported at startup', async () => {
    await writeFile(join(folder, 'token'), '\n');

    await expect(inClusterConnection({ clock, env, folder })).rejects.toMatchObject({
      code: 'KUBE_NO_SERVICE_ACCOUNT',
    });
  });

  test('printing the connection does not show the token', async () => {
    const connection = await inClusterConnection({ clock, env, folder });
    await connection.authorization();

    expect(inspect(connection, { depth: 10, showHidden: true })).not.toContain('first-token');
  });
});

describe('credentials', () => {
  test('are loaded once for concurrent requests', async () => {
    let loads = 0;
    const load = async (): Promise<{ tls: object; authorization: string }> => {
      loads += 1;
      return { tls: {}, authorization: `Bearer ${loads}` };
    };
    const connection = await openConnection({ server: 'https://a', clock, load });
    await clock.advance(10_000);

    expect(await Promise.all([1, 2, 3].map(() => connection.authorization(true)))).toEqual(
      Array(3).fill('Bearer 2'),
    );
  });

  test('stay in use if new ones are not loaded in time', async () => {
    const answers = [
      Promise.resolve({ tls: {}, authorization: 'Bearer 1' }),
      new Promise<never>(() => undefined),
    ];
    const load = async (): Promise<{ tls: object; authorization: string }> =>
      answers.shift() ?? Promise.reject(new Error('no more'));
    const connection = await openConnection({ server: 'https://a', clock, load });
    await clock.advance(60_000);

    const waiting = connection.authorization();
    await clock.advance(60_000);

    expect(await waiting).toBe('Bearer 1');
  });

  const withToken = async (): Promise<{ tls: object; authorization: string }> => ({
    tls: {},
    authorization: 'Bearer a',
  });

  test.each(['http://127.0.0.1:8001', 'http://[::1]:8001', 'http://localhost:8001'])(
    'are sent over plain http to this machine: %s',
    async (server) => {
      expect(await openConnection({ server, clock, load: withToken })).toMatchObject({ server });
    },
  );

  test.each(['http://example.org', 'http://127.0.0.1.example.org', 'http://localhost.example.org'])(
    'are not sent over plain http to another machine: %s',
    async (server) => {
      await expect(openConnection({ server, clock, load: withToken })).rejects.toMatchObject({
        code: 'KUBE_PLAIN_HTTP',
      });
    },
  );
});

describe('the cluster is found by', () => {
  async function kubeconfig(name: string): Promise<string> {
    const file = join(root, name);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(
      file,
      JSON.stringify({
        clusters: [{ name: 'c', cluster: { server: `https://${name.replaceAll(/\W/g, '-')}` } }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: '' } }],
        'current-context': 'x',
      }),
    );
    return file;
  }

  test('the flag before KUBECONFIG before the pod before the home folder', async () => {
    const flag = await kubeconfig('flag');
    const variable = await kubeconfig('variable');
    await kubeconfig('.kube/config');
    const all = { clock, folder, home: root };

    const servers = await Promise.all([
      connect({ ...all, kubeconfig: flag, env: { ...env, KUBECONFIG: variable } }),
      connect({ ...all, env: { ...env, KUBECONFIG: variable } }),
      connect({ ...all, env }),
      connect({ ...all, env: {} }),
    ]);

    expect(servers.map(({ server }) => server)).toEqual([
      'https://flag',
      'https://variable',
      'https://10.0.0.1:6443',
      'https://-kube-config',
    ]);
  });

  test('nothing, with an error that names the options', async () => {
    await expect(connect({ clock, env: {}, home: root, folder: join(root, 'none') })).rejects.toMatchObject({
      code: 'KUBE_NO_CREDENTIALS',
      message: expect.stringContaining('--kubeconfig') as string,
    });
  });
});

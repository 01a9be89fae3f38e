import { join } from 'node:path';
import { execFile, spawn } from 'node:child_process';
import { access, readFile, stat } from 'node:fs/promises';
import { request } from 'node:https';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureBinaries, startControlPlane, type ControlPlane } from '../../tools/control-plane/index.ts';
import { controlPlane } from '../support/world/control-plane.ts';

const run = promisify(execFile);
const MAIN = new URL('../../tools/control-plane/main.ts', import.meta.url).pathname;

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** kubectl as the user of a kubeconfig; an error answer is a result here, not an exception. */
async function kubectl(kubeconfig: string, ...args: string[]): Promise<Outcome> {
  // A home of its own, since kubectl caches discovery by server address, and addresses recur.
  const env = { HOME: controlPlane().dataDir, KUBECONFIG: kubeconfig };
  return run(controlPlane().kubectl, args, { env }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: Outcome) => error,
  );
}

/** Status of a GET without any credentials. */
function anonymousGet(server: string, ca: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(path, server), { ca, agent: false }, (incoming) => {
      incoming.resume();
      incoming.once('end', () => resolve(incoming.statusCode ?? 0));
    });
    outgoing.once('error', reject);
    outgoing.end();
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}

describe('the shared control plane', () => {
  test('is ready and is the pinned Kubernetes line', async () => {
    const { server, caData, kubeconfig } = controlPlane();
    expect(await anonymousGet(server, caData, '/readyz')).toBe(200);
    const version = await kubectl(kubeconfig, 'version', '-o', 'json');
    expect(JSON.parse(version.stdout)).toMatchObject({ serverVersion: { major: '1', minor: '36' } });
  });

  test('has the namespaces that every cluster has', async () => {
    const { stdout } = await kubectl(controlPlane().kubeconfig, 'get', 'namespaces', '-o', 'name');
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining(['namespace/default', 'namespace/kube-system', 'namespace/kube-public']),
    );
  });
});

describe('a control plane of our own', () => {
  let own: ControlPlane;

  beforeAll(async () => {
    own = await startControlPlane({ auditLog: true });
  });
  afterAll(() => own.stop());

  test('refuses a user without a role, and allows one with a role exactly what the role allows', async () => {
    const kubeconfig = await own.kubeconfigFor({ name: 'jane', groups: ['developers'] });
    const before = await kubectl(kubeconfig, 'get', 'secrets');
    expect(before.code).toBe(1);
    expect(before.stderr).toContain('User "jane" cannot list resource "secrets"');

    await kubectl(own.kubeconfig, 'create', 'role', 'reader', '--verb=list', '--resource=secrets');
    await kubectl(own.kubeconfig, 'create', 'rolebinding', 'reader', '--role=reader', '--group=developers');
    await until(async () => (await kubectl(kubeconfig, 'get', 'secrets')).code === 0);
    const create = await kubectl(kubeconfig, 'create', 'secret', 'generic', 'x');
    expect(create.stderr).toContain('cannot create resource "secrets"');
  });

  test('gives a ServiceAccount a token that the API server accepts', async () => {
    await kubectl(own.kubeconfig, 'create', 'serviceaccount', 'robot');
    const kubeconfig = await own.kubeconfigFor({ serviceAccount: { namespace: 'default', name: 'robot' } });
    const who = await kubectl(kubeconfig, 'auth', 'whoami', '-o', 'json');
    expect(JSON.parse(who.stdout)).toMatchObject({
      status: { userInfo: { username: 'system:serviceaccount:default:robot' } },
    });
    expect((await kubectl(kubeconfig, 'get', 'secrets')).stderr).toContain('Forbidden');
  });

  test('reports a ServiceAccount that does not exist', async () => {
    await expect(
      own.kubeconfigFor({ serviceAccount: { namespace: 'default', name: 'nobody' } }),
    ).rejects.toMatchObject({ code: 'RequestFailed', details: [expect.stringContaining('404')] });
  });

  test('writes kubeconfigs that only their owner can read', async () => {
    const paths = [own.kubeconfig, await own.kubeconfigFor({ name: 'joe' })];
    const modes = await Promise.all(paths.map(async (path) => (await stat(path)).mode & 0o777));
    expect(modes).toEqual([0o600, 0o600]);
  });

  test('refuses an object in a namespace that is being deleted', async () => {
    await kubectl(own.kubeconfig, 'create', 'namespace', 'doomed');
    // No namespace controller runs, so the namespace stays in this state.
    await kubectl(own.kubeconfig, 'delete', 'namespace', 'doomed', '--wait=false');
    const created = await kubectl(own.kubeconfig, 'create', 'secret', 'generic', 'x', '--namespace=doomed');
    expect(created.stderr).toContain('being terminated');
  });

  test('records who did what in the audit log, without probes', async () => {
    await kubectl(own.kubeconfig, 'create', 'configmap', 'witnessed');
    await anonymousGet(own.server, own.caData, '/readyz');
    const lines = (await readFile(own.auditLog ?? '', 'utf8')).trim().split('\n');
    const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events).toContainEqual(
      expect.objectContaining({
        verb: 'create',
        stage: 'ResponseComplete',
        level: 'Metadata',
        user: expect.objectContaining({ username: 'kubernetes-admin' }) as unknown,
        userAgent: expect.stringContaining('kubectl/') as unknown,
        objectRef: expect.objectContaining({ resource: 'configmaps', name: 'witnessed' }) as unknown,
      }),
    );
    expect(events.filter((event) => String(event['requestURI']).startsWith('/readyz'))).toEqual([]);
  });

  test('is what it was when its data were saved, once they are put back', async () => {
    const folder = join(own.dataDir, 'saved');
    const maps = (): Promise<string> =>
      kubectl(own.kubeconfig, 'get', 'configmaps', '--output=name').then(({ stdout }) => stdout);
    await kubectl(own.kubeconfig, 'create', 'configmap', 'before');
    await own.saveData(folder);
    await kubectl(own.kubeconfig, 'create', 'configmap', 'after');
    expect(await maps()).toContain('configmap/after');

    await own.putBackData(folder);

    expect(await maps()).toContain('configmap/before');
    expect(await maps()).not.toContain('configmap/after');
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'keeps address and data when both servers are restarted with %s',
    async (signal) => {
      const name = `kept-${signal.toLowerCase()}`;
      await kubectl(own.kubeconfig, 'create', 'configmap', name, '--from-literal=a=b');
      const before = { server: own.server, pids: own.pids() };

      await own.restartApiServer({ signal });
      await own.restartEtcd({ signal });

      expect(own.server).toBe(before.server);
      expect(own.pids().apiServer).not.toBe(before.pids.apiServer);
      expect(own.pids().etcd).not.toBe(before.pids.etcd);
      const { stdout } = await kubectl(own.kubeconfig, 'get', 'configmap', name, '-o', 'jsonpath={.data.a}');
      expect(stdout).toBe('b');
    },
  );
});

describe('the end of a control plane', () => {
  test('leaves no process and no folder', async () => {
    const own = await startControlPlane();
    const { etcd, apiServer } = own.pids();
    expect([isAlive(etcd), isAlive(apiServer), await exists(own.dataDir)]).toEqual([true, true, true]);
    await own.stop();
    expect([isAlive(etcd), isAlive(apiServer), await exists(own.dataDir)]).toEqual([false, false, false]);
  });

  test('is reported with the end of the log when a server dies', async () => {
    const own = await startControlPlane();
    try {
      process.kill(own.pids().apiServer, 'SIGKILL');
      const death = await own.died;
      expect(death).toMatchObject({
        code: 'ProcessDied',
        message: 'kube-apiserver ended. It was ended by SIGKILL.',
      });
      expect(death.details.length).toBeGreaterThan(0);
    } finally {
      await own.stop();
    }
  });

  test('fails the start with the log when a flag is wrong, and cleans up', async () => {
    await expect(startControlPlane({ extraApiServerArgs: ['--no-such-flag'] })).rejects.toMatchObject({
      code: 'ProcessDied',
      details: expect.arrayContaining([expect.stringContaining('unknown flag: --no-such-flag')]) as unknown,
    });
  });
});

describe('the command', () => {
  interface Started {
    child: ReturnType<typeof spawn>;
    ready: { kubeconfig: string; server: string; dataDir: string; auditLog: string | null };
    servers: number[];
    ended: Promise<number | null>;
    errors: () => string;
  }

  /** Runs the command until it reports ready. */
  async function start(...args: string[]): Promise<Started> {
    const child = spawn(process.execPath, [MAIN, '--json', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    const ended = new Promise<number | null>((resolve) => {
      child.once('close', resolve);
    });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const line = await new Promise<string>((resolve) => {
      createInterface(child.stdout).once('line', resolve);
    });
    const ready = JSON.parse(line) as Started['ready'];
    const { stdout } = await run('ps', ['-A', '-o', 'pid=,args=']);
    const servers = stdout
      .split('\n')
      .filter((process) => /\/(etcd|kube-apiserver) /u.test(process) && process.includes(ready.dataDir))
      .map((process) => Number.parseInt(process, 10));
    expect(servers).toHaveLength(2);
    return { child, ready, servers, ended, errors: () => errors };
  }

  test.each(['SIGINT', 'SIGTERM'] as const)('ends with code 0 on %s and leaves nothing', async (signal) => {
    const { child, ready, servers, ended } = await start();
    expect(Object.keys(ready)).toEqual(['kubeconfig', 'server', 'dataDir', 'auditLog']);
    expect(ready.auditLog).toBeNull();
    child.kill(signal);
    expect(await ended).toBe(0);
    expect(servers.map(isAlive)).toEqual([false, false]);
    expect(await exists(ready.dataDir)).toBe(false);
  });

  test('ends when its standard input closes, if requested', async () => {
    const { child, ready, ended } = await start('--exit-with-stdin');
    child.stdin?.end();
    expect(await ended).toBe(0);
    expect(await exists(ready.dataDir)).toBe(false);
  });

  test('ends its servers too when it is killed with SIGKILL', async () => {
    const { child, ready, servers, ended } = await start();
    child.kill('SIGKILL');
    await ended;
    // Another process cleans up, so wait for it; otherwise the test's time limit fails.
    await until(async () => !servers.some(isAlive) && !(await exists(ready.dataDir)));
    expect(servers.map(isAlive)).toEqual([false, false]);
  });

  test('ends with code 1 and the log when a server dies', async () => {
    const { servers, ended, errors, ready } = await start();
    process.kill(servers[0] ?? 0, 'SIGKILL');
    expect(await ended).toBe(1);
    expect(errors()).toMatch(/(etcd|kube-apiserver) ended\. It was ended by SIGKILL\./u);
    expect(await exists(ready.dataDir)).toBe(false);
  });
});

test('binaries that were found once are found again without work', async () => {
  const lines: string[] = [];
  const binaries = await ensureBinaries({ kubectl: true, progress: (line) => lines.push(line) });
  expect(lines).toEqual([]);
  expect(binaries.version).toMatch(/^Kubernetes v1\.36\./u);
});

import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { leases } from '../../src/kube/lease.ts';
import { listen } from '../support/kube/kube-socket.ts';
import { controlPlane } from '../support/world/control-plane.ts';
import { aCAcertWorld } from '../support/world/cacert-world.ts';
import { type Asked, type HeldApi, holdApi, kubeconfig } from '../support/world/held-api.ts';
import {
  buildFailpoints,
  buildOperator,
  type OperatorProcess,
  runOperatorProcess,
} from '../support/world/operator-process.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { type World, aWorld } from '../support/world/world.ts';

let stage: Stage;
let failpoints: string;
beforeAll(async () => {
  await buildOperator();
  failpoints = await buildFailpoints();
  stage = await openStage({ keyPool: 4, keyPoolReuse: true });
});
afterAll(() => stage.close());

let folder: string;
let api: HeldApi;
let world: World;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'start-stop-'));
  api = await holdApi(controlPlane());
  world = await aWorld(stage);
});
afterEach(async () => {
  await api.close();
  await rm(folder, { recursive: true });
});

const SILENT = ['--metrics-bind-address=0', '--health-probe-bind-address=0'];
/** What the log says if a stop did not end by itself. */
const LIMITS = /What still runs is aborted|although something still runs/;

/** Starts the operator in the test's namespace, by the proxy unless told otherwise. */
async function start(
  more: readonly string[] = [],
  { config = '', faster = 0 } = {},
): Promise<OperatorProcess> {
  const file = config === '' ? await api.kubeconfig(join(folder, 'api')) : config;
  const args = [
    `--kubeconfig=${file}`,
    `--namespace=${world.namespace}`,
    `--cluster-resource-namespace=${world.namespace}`,
    `--allowed-endpoints=${stage.dev.endpoint}`,
    // Other tests have bought certificates for the same names a moment ago.
    '--unclaimed-wait=0s',
    ...SILENT,
    ...more,
  ];
  if (faster === 0) return runOperatorProcess(args);
  return runOperatorProcess(args, { TINYCERT_CLOCK: `${faster}@${Date.now()}` }, failpoints);
}

/** Sends SIGTERM, after which the operator has to stop with 0. */
async function expectStops(operator: OperatorProcess): Promise<void> {
  operator.kill('SIGTERM');
  expect(await operator.ended).toBe(0);
  expect(operator.log().at(-1)).toMatchObject({ msg: 'Operator stopped' });
  expect(operator.stderr()).toBe('');
}

/** Sends SIGTERM, after which the operator has to stop before any limit makes it. */
async function expectEnds(operator: OperatorProcess): Promise<void> {
  await expectStops(operator);
  expect(operator.stdout()).not.toMatch(LIMITS);
}

async function write(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

function pipe(): string {
  const file = join(folder, 'pipe');
  expect(spawnSync('mkfifo', [file]).status).toBe(0);
  return file;
}

/** A kubeconfig with a credential plugin, which writes its process id and then does this. */
async function pluginConfig(script: string): Promise<string> {
  const command = await write('plugin', `#!/bin/sh\necho $$ > ${join(folder, 'pid')}\n${script}\n`);
  await chmod(command, 0o755);
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command, interactiveMode: 'Never' };
  return write('config', kubeconfig({ server: 'https://127.0.0.1:1' }, { exec }));
}

async function pluginRuns(): Promise<number> {
  for (;;) {
    const text = await readFile(join(folder, 'pid'), 'utf8').catch(() => '');
    if (text.endsWith('\n')) return Number(text);
    await pause(5);
  }
}

/** Resolves once the process has gone; one that nobody has waited for yet counts as gone. */
async function gone(pid: number): Promise<void> {
  const isThere = async (): Promise<boolean> =>
    readFile(`/proc/${pid}/stat`, 'utf8').then(
      (text) => !text.includes(') Z '),
      () => false,
    );
  while (await isThere()) await pause(5);
}

/** A server that accepts connections and says nothing, and when the first one has come. */
async function silentServer(): Promise<{ port: string; reached: Promise<void> }> {
  const reached = Promise.withResolvers<void>();
  const server = await listen(
    createServer(() => reached.resolve()),
    'tcp',
  );
  onTestFinished(() => server.close());
  return { port: new URL(server.url).port, reached: reached.promise };
}

describe('SIGTERM ends a start', () => {
  test('that waits for a kubeconfig from a pipe', async () => {
    const health = await freeAddress();
    const operator = await start([`--health-probe-bind-address=${health}`], { config: pipe() });
    expect(await ready(health)).toBe('[-]start failed: The operator is starting.\nreadyz check failed\n');
    await expectEnds(operator);
  });

  test('that waits for a CA from a pipe', async () => {
    const health = await freeAddress();
    const cluster = { server: 'https://127.0.0.1:1', 'certificate-authority': pipe() };
    const operator = await start([`--health-probe-bind-address=${health}`], {
      config: await write('config', kubeconfig(cluster)),
    });
    await ready(health);
    await expectEnds(operator);
  });

  test.each([
    ['hangs', 'exec sleep 600'],
    ['ignores SIGTERM', "trap '' TERM; while :; do sleep 600; done"],
  ])('whose credential plugin %s, and the plugin with it', async (_, script) => {
    const operator = await start([], { config: await pluginConfig(script) });
    const pid = await pluginRuns();
    await expectEnds(operator);
    await gone(pid);
  });

  test.each(['http', 'https'])('whose API server accepts %s connections and says nothing', async (scheme) => {
    const { port, reached } = await silentServer();
    const cluster = { server: `${scheme}://127.0.0.1:${port}` };
    const operator = await start([], { config: await write('config', kubeconfig(cluster)) });
    await reached;
    await expectEnds(operator);
  });

  test.each<[string, (asked: Asked) => boolean, string[]]>([
    ['look at the CRDs', ({ path }) => path.startsWith('/openapi/'), []],
    ['first list of a kind', ({ path }) => /tinycertcertificates\?.*limit=/.test(path), []],
    ['first watch of a kind', ({ path }) => /tinycertcertificates\?.*watch=/.test(path), []],
    ['list of the Secrets', ({ path }) => /\/secrets\?.*labelSelector=/.test(path), []],
    [
      'read of the Lease',
      ({ method, path }) => method === 'GET' && path.includes('/leases'),
      ['--leader-elect'],
    ],
    [
      'write of the Lease',
      ({ method, path }) => method === 'POST' && path.includes('/leases'),
      ['--leader-elect'],
    ],
    ['read of the key for seals', ({ path }) => path.endsWith('/secrets/tinycert-operator-seal'), []],
    ['write of the key for seals', ({ method, path }) => method === 'POST' && path.includes('/secrets'), []],
    ['read of the journal', ({ path }) => path.endsWith('/secrets/tinycert-operator-journal'), []],
    ['read of its records', ({ path }) => path.endsWith('/secrets/tinycert-operator-journal-records'), []],
  ])('whose %s hangs', async (_, matches, more) => {
    const held = api.hold(matches);
    const operator = await start(['--leader-elect=false', ...more]);
    await held;
    await expectEnds(operator);
  });

  test('of a replica that waits for the Lease of another', async () => {
    const spec = {
      holderIdentity: 'another',
      leaseDurationSeconds: 3600,
      renewTime: '2026-01-01T00:00:00.000000Z',
    };
    await world.create(leases, 'tinycert-operator', { spec });
    const operator = await start(['--leader-elect', '--log-level=debug']);
    await operator.logged(({ msg }) => msg === 'Operator started');
    await expectEnds(operator);
  });

  test('that waits for CRDs, each of which is named with its command', async () => {
    api.hide(({ path }) => path.includes('tinycert-operator.io'));
    const health = await freeAddress();
    const operator = await start([`--health-probe-bind-address=${health}`, '--leader-elect=false']);
    for (const plural of [
      'tinycertcertificates',
      'tinycertissuers',
      'cacertaccounts',
      'cacertcertificates',
    ]) {
      const crd = `${plural}.tinycert-operator.io`;
      const sentence = `The CRD ${crd} is not installed: run kubectl apply -f crds/${crd}.yaml of this release.`;
      await operator.logged(({ level, msg }) => level === 'error' && msg.startsWith(sentence));
    }
    expect(await ready(health)).toContain(
      '[-]crds failed: The CRD tinycertcertificates.tinycert-operator.io is not',
    );
    await expectEnds(operator);
  });
});

describe('SIGTERM ends an operator, on a clock that runs faster,', () => {
  test('whose login at TinyCert hangs', async () => {
    stage.dev.addFault({ call: 'connect', kind: 'hang' });
    onTestFinished(() => stage.dev.clearFaults());
    await world.account();
    const operator = await start(['--leader-elect=false'], { faster: 20 });
    await world.call(({ call, fault }) => call === 'connect' && fault === 'hang');
    await expectStops(operator);
  });

  /** An operator whose purchase at TinyCert hangs. */
  async function buying(): Promise<OperatorProcess> {
    stage.dev.addFault({ call: 'cert/new', kind: 'hang' });
    onTestFinished(() => stage.dev.clearFaults());
    await world.account();
    await world.certificate('web');
    const operator = await start(['--leader-elect=false'], { faster: 20 });
    await world.call(({ call, fault }) => call === 'cert/new' && fault === 'hang');
    return operator;
  }

  test('whose purchase at TinyCert hangs, within the limit of the call', async () => {
    await expectStops(await buying());
  });

  test('whose logout hangs after a purchase that hung: the process ends without it', async () => {
    stage.dev.addFault({ call: 'disconnect', kind: 'hang' });
    const operator = await buying();
    await expectStops(operator);
    expect(operator.stdout()).toMatch(LIMITS);
  });

  test.each<[string, (asked: Asked) => boolean]>([
    [
      'write of a status',
      ({ method, path }) => method === 'PATCH' && path.includes('/tinycertcertificates/other/status'),
    ],
    ['read of the credentials', ({ method, path }) => method === 'GET' && path.endsWith('/secrets/account')],
    [
      'write of a certificate’s Secret',
      ({ method, path }) => method === 'POST' && path.includes('/secrets?'),
    ],
  ])('whose %s hangs', async (_, matches) => {
    await world.account();
    await world.certificate('web');
    // A first start makes the operator's own Secrets.
    const first = await start(['--leader-elect=false']);
    await first.logged(({ msg }) => msg === 'The journal is taken over');
    await world.ready('web');
    await expectEnds(first);
    await world.certificate('other');
    const held = api.hold(matches);
    const operator = await start(['--leader-elect=false'], { faster: 20 });
    await held;
    await expectStops(operator);
  });

  test('whose Lease cannot be released', async () => {
    const operator = await start(['--leader-elect'], { faster: 5 });
    await operator.logged(({ msg }) => msg === 'Leading');
    const held = api.hold(({ path }) => path.includes('/leases/'));
    await held;
    await expectStops(operator);
  });

  test('whose call to CAcert hangs, within the limit of the call', async () => {
    const cacert = await aCAcertWorld(stage);
    world = cacert.world;
    cacert.server.addFault({ call: 'ccsr', kind: 'hang' });
    await cacert.account();
    await cacert.certificate('mail');
    const operator = await start(['--leader-elect=false', `--allowed-endpoints=${cacert.server.endpoint}`], {
      faster: 20,
    });
    await cacert.server.waitForCall(({ call, fault }) => call === 'ccsr' && fault === 'hang');
    await expectStops(operator);
    expect(operator.stdout()).toContain('Waiting for a call to CAcert');
  });
});

describe('a port that is taken ends the start with 1 and the name of its flag:', () => {
  test.each(['metrics-bind-address', 'health-probe-bind-address'])('%s', async (flag) => {
    const { port } = await silentServer();
    const operator = await start([`--${flag}=127.0.0.1:${port}`]);
    expect(await operator.ended).toBe(1);
    expect(operator.log()).toMatchObject([{ level: 'error' }]);
    expect(operator.log()[0]?.msg).toContain(`--${flag}: 127.0.0.1:${port} is in use already: `);
  });
});

test('an older Node is refused in one sentence', () => {
  const older = "Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.17.0'}})";
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(older)}`, 'dist/operator.js', '--version'],
    { encoding: 'utf8' },
  );
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toMatch(/^tinycert-operator needs Node 24\.11 or later, and this is Node 20\.17\.0: .*\n$/);
});

async function freeAddress(): Promise<string> {
  const server = await listen(createServer(), 'http');
  await server.close();
  return new URL(server.url).host;
}

/** The answer of /readyz, once it answers. */
async function ready(address: string): Promise<string> {
  for (;;) {
    const answer = await fetch(`http://${address}/readyz`).catch(() => undefined);
    if (answer) return answer.text();
    await pause(5);
  }
}

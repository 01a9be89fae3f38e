import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubeObject, ResourceType } from '../../src/kube/objects.ts';
import { type ControlPlane, startControlPlane } from '../../tools/control-plane/index.ts';
import { freePorts } from '../../tools/control-plane/ports.ts';
import { installCrds } from '../support/world/crds.ts';
import { journalOf } from '../support/world/journal.ts';
import { buildOperator, runOperatorProcess } from '../support/world/operator-process.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { type World, aWorld } from '../support/world/world.ts';

let folder: string;
beforeAll(async () => {
  await buildOperator();
  folder = await mkdtemp(join(tmpdir(), 'operator-process-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Without listeners, whose ports somebody else may have. */
const SILENT = ['--metrics-bind-address=0', '--health-probe-bind-address=0'];

interface Lease extends KubeObject {
  spec: { holderIdentity?: string };
}

const leases: ResourceType<Lease> = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
};

/** Status and body of a GET on this machine; undefined if nothing listens yet. */
function get(port: number, path: string): Promise<{ status: number; body: string } | undefined> {
  return new Promise((resolve) => {
    const outgoing = request({ host: '127.0.0.1', port, path, agent: false }, (incoming) => {
      let body = '';
      incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
      incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, body }));
    });
    outgoing.once('error', () => resolve(undefined));
    outgoing.end();
  });
}

describe('the command line', () => {
  test('--help lists every flag and its environment variable, and ends with 0', async () => {
    const operator = runOperatorProcess(['--help']);

    expect(await operator.ended).toBe(0);
    expect([...operator.stdout().matchAll(/^ {2}--([a-z-]+)/gm)].map(([, flag]) => flag)).toEqual([
      'kubeconfig',
      'namespace',
      'cacert',
      'cluster-resource-namespace',
      'leader-elect',
      'metrics-bind-address',
      'health-probe-bind-address',
      'log-level',
      'log-format',
      'allowed-endpoints',
      'unclaimed-wait',
      'concurrency',
      'version',
      'help',
    ]);
    expect(operator.stdout().match(/TINYCERT_OPERATOR_[A-Z_]+/g)).toHaveLength(12);
    expect(operator.stderr()).toBe('');
  });

  test('--version prints the version', async () => {
    const operator = runOperatorProcess(['--version']);

    expect(await operator.ended).toBe(0);
    expect(operator.stdout()).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each<[string, string[], Record<string, string>, string]>([
    ['an unknown flag', ['--frobnicate'], {}, "Unknown option '--frobnicate'"],
    ['an invalid value', ['--concurrency=0'], {}, '--concurrency: "0" is not a whole number from 1 to 256.'],
    [
      'an invalid variable',
      [],
      { TINYCERT_OPERATOR_LOG_LEVEL: 'loud' },
      '--log-level: "loud" is none of debug, info, warn, error.',
    ],
    [
      'an endpoint that is no URL',
      ['--allowed-endpoints=example.com'],
      {},
      '--allowed-endpoints: "example.com" is not an https:// or http:// URL.',
    ],
  ])('%s ends it with 2 and a sentence', async (_, args, env, sentence) => {
    const operator = runOperatorProcess(args, env);

    expect(await operator.ended).toBe(2);
    expect(operator.stderr()).toContain(sentence);
    expect(operator.stderr()).not.toContain('    at ');
    expect(operator.stdout()).toBe('');
  });

  test.each<[string, string | undefined, string]>([
    ['a kubeconfig that does not exist', undefined, 'The kubeconfig cannot be read.'],
    ['a kubeconfig that is not YAML', 'a: [', 'The kubeconfig is not a YAML mapping.'],
    [
      'an empty kubeconfig',
      '{}',
      'The kubeconfig has no current-context: set one with kubectl config use-context.',
    ],
  ])('%s ends it with 1 and a sentence', async (_, text, sentence) => {
    const file = join(folder, 'kubeconfig');
    await rm(file, { force: true });
    if (text !== undefined) await writeFile(file, text);
    const operator = runOperatorProcess([`--kubeconfig=${file}`, ...SILENT]);

    expect(await operator.ended).toBe(1);
    expect(operator.log()).toMatchObject([{ level: 'error', msg: sentence }]);
    expect(operator.stderr()).toBe('');
  });

  test('without any cluster it ends with 1 and names the missing option', async () => {
    const operator = runOperatorProcess(SILENT);

    expect(await operator.ended).toBe(1);
    expect(operator.log()).toMatchObject([
      {
        level: 'error',
        msg: 'No cluster is configured: give --kubeconfig, set KUBECONFIG, or run in a pod with a ServiceAccount.',
      },
    ]);
  });
});

test('it waits for an unreachable API server until it is stopped', async () => {
  const file = join(folder, 'unreachable');
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
    clusters: [{ name: 'x', cluster: { server: 'https://127.0.0.1:1' } }],
    users: [{ name: 'x', user: {} }],
  };
  await writeFile(file, JSON.stringify(kubeconfig));
  const operator = runOperatorProcess([
    `--kubeconfig=${file}`,
    '--leader-elect=false',
    '--metrics-bind-address=0',
    '--health-probe-bind-address=0',
  ]);
  expect(await operator.logged(({ msg }) => msg === 'Waiting for the API server')).toMatchObject({
    level: 'warn',
    error: { message: 'The connection to the API server failed.' },
  });

  operator.kill('SIGTERM');
  expect(await operator.ended).toBe(0);
});

describe('the process', () => {
  let cluster: ControlPlane;
  let stage: Stage;
  beforeAll(async () => {
    cluster = await startControlPlane();
    stage = await openStage({}, cluster);
  });
  afterAll(async () => {
    await stage.close();
    await cluster.stop();
  });

  function flags(world: World, ...more: string[]): string[] {
    return [
      `--kubeconfig=${cluster.kubeconfig}`,
      `--namespace=${world.namespace}`,
      `--cluster-resource-namespace=${world.namespace}`,
      `--allowed-endpoints=${stage.dev.endpoint}`,
      // Other tests have bought certificates for the same names a moment ago.
      '--unclaimed-wait=0s',
      '--metrics-bind-address=0',
      '--health-probe-bind-address=0',
      ...more,
    ];
  }

  test('asks for the CRDs, is not ready until they exist, then issues, and stops on SIGTERM', async () => {
    const world = await aWorld(stage);
    const [health = 0, metrics = 0] = await freePorts(2);
    const operator = runOperatorProcess(
      flags(
        world,
        `--health-probe-bind-address=127.0.0.1:${health}`,
        `--metrics-bind-address=127.0.0.1:${metrics}`,
      ),
    );
    await operator.logged(
      ({ level, msg }) =>
        level === 'error' &&
        msg ===
          'The CRD tinycertcertificates.tinycert-operator.io is not installed: run kubectl apply -f crds/tinycertcertificates.tinycert-operator.io.yaml of this release. TinyCertCertificates, TinyCertIssuers and TinyCertClusterIssuers wait until then.',
    );
    expect(await get(health, '/livez')).toEqual({ status: 200, body: 'ok' });
    expect(await get(health, '/readyz')).toMatchObject({
      status: 500,
      body: expect.stringContaining(
        '[-]crds failed: The CRD tinycertcertificates.tinycert-operator.io is not installed: run kubectl apply -f ',
      ) as string,
    });

    await installCrds(stage.kube);
    await world.account();
    await world.certificate('web');
    await world.ready('web');
    expect(await get(health, '/readyz')).toEqual({ status: 200, body: 'ok' });
    expect((await get(metrics, '/metrics'))?.body.split('\n')).toEqual(
      expect.arrayContaining([
        'tinycert_client_requests_total{call="connect",code="200"} 1',
        'tinycert_client_requests_total{call="cert/new",code="200"} 1',
      ]),
    );

    operator.kill('SIGTERM');
    expect(await operator.ended).toBe(0);
    expect(operator.log().at(-1)).toMatchObject({ msg: 'Operator stopped' });
    const { items } = await stage.kube.list(leases, { namespace: world.namespace });
    expect(items.map(({ spec }) => spec.holderIdentity ?? '')).toEqual(['']);
    const { passphrase, apiKey } = stage.dev;
    for (const secret of [passphrase, apiKey, 'PRIVATE KEY']) expect(operator.stdout()).not.toContain(secret);
  });

  test('completes its work on the first signal, so no purchase is lost', async () => {
    await installCrds(stage.kube);
    const world = await aWorld(stage);
    stage.dev.addFault({ call: 'cert/new', kind: 'hold', when: 'after' });
    await world.account();
    await world.certificate('web');
    const operator = runOperatorProcess(flags(world, '--leader-elect=false'));
    await world.call(({ call, fault }) => call === 'cert/new' && fault === 'hold');
    while (stage.dev.counts().held === 0) await pause(5);

    operator.kill('SIGTERM');
    stage.dev.release();

    expect(await operator.ended).toBe(0);
    const { status } = await world.ready('web');
    expect(status?.certificateId).toBe(stage.dev.certificates().at(-1)?.id);
  });

  test('abandons its work on the second signal', async () => {
    await installCrds(stage.kube);
    const world = await aWorld(stage);
    stage.dev.addFault({ call: 'cert/new', kind: 'hang' });
    await world.account();
    await world.certificate('web');
    const operator = runOperatorProcess(flags(world, '--leader-elect=false'));
    const hanging = await world.call(({ call, fault }) => call === 'cert/new' && fault === 'hang');

    operator.kill('SIGTERM');
    operator.kill('SIGINT');

    expect(await operator.ended).toBe(0);
    // Its own deadline had not passed.
    await stage.dev.waitForCall(({ seq, aborted }) => seq === hanging.seq && aborted === true);
    expect((hanging.endedAt ?? 0) - hanging.at).toBeLessThan(20_000);
    // What it bought, if anything, is for the next operator to find out.
    expect((await journalOf(world)).attempts).toMatchObject([{ operation: 'New' }]);
  });
});

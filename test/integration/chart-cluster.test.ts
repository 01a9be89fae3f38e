import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { manifestsOf, textOf } from '../../tools/chart/objects.ts';
import { OVERLAYS, plain } from '../../tools/chart/manifests.ts';
import { CHART, render, runHelm, type Values } from '../../tools/chart/render.ts';
import { chart, helm, namesOf, objectsOf, podTemplate, type Rendered } from '../support/chart/chart.ts';
import { VARIANTS } from '../support/chart/variants.ts';
import { ClusterApi, type Outcome } from '../support/world/cluster-api.ts';
import { controlPlane } from '../support/world/control-plane.ts';

const NAMESPACE = 'tinycert-operator';
const DEPLOY = fileURLToPath(new URL('../../deploy/', import.meta.url));
const monitors = new URL('../support/chart/monitors.yaml', import.meta.url);

let api: ClusterApi;
beforeAll(async () => {
  await helm();
  api = new ClusterApi();
  await api.installCrds();
  await apply(await readFile(monitors, 'utf8'));
  await api.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
  for (const name of [NAMESPACE, 'chart-team-a', 'chart-team-b']) await apply(namespace(name));
});
afterAll(() => api.close());

function namespace(name: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      labels: {
        'pod-security.kubernetes.io/enforce': 'restricted',
        'pod-security.kubernetes.io/warn': 'restricted',
      },
    },
  });
}

async function apply(manifests: string): Promise<void> {
  const { code, stderr } = await api.kubectl(
    ['apply', '--server-side', '--force-conflicts', '-f', '-'],
    manifests,
  );
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('Warning')]);
}

/** What the API server says to manifests, strictly read: an unknown field is an error. */
function dryRun(manifests: string): Promise<Outcome> {
  return api.kubectl(
    ['apply', '--server-side', '--force-conflicts', '--dry-run=server', '--validate=strict', '-f', '-'],
    manifests,
  );
}

describe('the API server accepts, without a warning,', () => {
  test.each(Object.entries(VARIANTS))('the chart with %s', async (_, values) => {
    const { code, stdout, stderr } = await dryRun(await render(await helm(), values));
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.trim().split('\n')).toHaveLength((await chart(values)).length);
  });

  test('install.yaml, whole', async () => {
    const text = await readFile(`${DEPLOY}install.yaml`, 'utf8');
    const { code, stdout, stderr } = await dryRun(text);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.trim().split('\n')).toHaveLength(objectsOf(text).length);
  });
});

describe('Pods in a namespace that enforces the restricted Pod Security Standard', () => {
  const pod = (objects: readonly Rendered[]): string => {
    const { metadata, spec } = podTemplate(objects);
    const named = { ...metadata, name: 'try', namespace: NAMESPACE };
    return JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: named, spec });
  };

  test.each(['the defaults', 'two replicas', 'flags and names'])('are admitted: %s', async (name) => {
    const objects = await chart(VARIANTS[name]);
    await apply(JSON.stringify(objects.find(({ kind }) => kind === 'ServiceAccount')));
    expect(await dryRun(pod(objects))).toMatchObject({ code: 0, stderr: '' });
  });

  test('are refused with one setting less', async () => {
    const securityContext = { capabilities: { drop: ['NET_RAW'] } };
    const { code, stderr } = await dryRun(pod(await chart({ securityContext })));
    expect([code, stderr]).toEqual([1, expect.stringContaining('violates PodSecurity "restricted:latest"')]);
  });
});

describe('kustomize makes of', () => {
  const kustomize = async (folder: string): Promise<Rendered[]> => {
    const { code, stdout, stderr } = await api.kubectl(['kustomize', join(DEPLOY, 'kustomize', folder)]);
    expect([code, stderr]).toEqual([0, '']);
    return objectsOf(stdout);
  };
  const sorted = (objects: readonly Rendered[]): Rendered[] =>
    objects.toSorted((a, b) => (namesOf([a]).join() < namesOf([b]).join() ? -1 : 1));

  test.each<[string, Values]>([
    ['base', {}],
    ...Object.entries(OVERLAYS).map(([name, values]): [string, Values] => [`overlays/${name}`, values]),
  ])('%s what Helm makes of the same values', async (folder, values) => {
    const wanted = sorted(objectsOf(textOf(await plain(await helm(), values))));
    const made = sorted(await kustomize(folder));
    expect(namesOf(made)).toEqual(namesOf(wanted));
    expect(made.filter((each, index) => !isDeepStrictEqual(each, wanted[index]))).toEqual([]);
  });

  test('the base in another namespace something that names the first nowhere', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kustomize-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const base = relative(await realpath(folder), join(DEPLOY, 'kustomize/base'));
    await writeFile(
      join(folder, 'kustomization.yaml'),
      JSON.stringify({ namespace: 'pki', resources: [base] }),
    );
    const { stdout, stderr } = await api.kubectl(['kustomize', folder]);
    expect(stderr).toBe('');
    const objects = objectsOf(stdout);
    const moved = await chart({}, { namespace: 'pki' });
    expect(namesOf(objects)).toEqual([...namesOf(moved), 'Namespace pki'].toSorted());
    expect(podTemplate(objects)).toEqual(podTemplate(objectsOf(textOf(await plain(await helm(), {})))));
    expect(objects.flatMap(({ subjects = [] }) => subjects.map(({ namespace }) => namespace))).toEqual(
      moved.flatMap(({ subjects = [] }) => subjects.map(() => 'pki')),
    );
  });

  test('the plain manifests what Helm makes of the defaults, without Helm’s marks', async () => {
    const text = await readFile(`${DEPLOY}install.yaml`, 'utf8');
    expect(text).not.toMatch(/helm\.sh|managed-by/);
    expect(sorted(objectsOf(text))).toEqual(sorted(await kustomize('base')));
    expect(manifestsOf(await render(await helm())).length + 1).toBe(objectsOf(text).length);
  });
});

describe('a pull secret that imagePullSecrets names', () => {
  const name = 'registry-login';
  const values = ['--set', `imagePullSecrets[0].name=${name}`];

  /** Helm against the API server, as a user installs. */
  async function install(...more: string[]): Promise<string> {
    const home = await mkdtemp(join(tmpdir(), 'helm-home-'));
    onTestFinished(() => rm(home, { recursive: true }));
    return runHelm(
      await helm(),
      [
        'install',
        'another',
        CHART,
        `--namespace=${NAMESPACE}`,
        '--dry-run=server',
        '--set=crds.enabled=false',
        ...more,
      ],
      { env: { HOME: home, KUBECONFIG: controlPlane().kubeconfig } },
    );
  }

  test('and that is missing is refused in one sentence', async () => {
    await expect(install(...values)).rejects.toThrow(
      `There is no Secret ${name} in the namespace ${NAMESPACE}, which imagePullSecrets names: create it first.`,
    );
  });

  test('and that exists is used', async () => {
    const metadata = { name, namespace: NAMESPACE };
    await apply(JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata }));
    onTestFinished(async () => {
      await api.kubectl(['delete', 'secret', name, `--namespace=${NAMESPACE}`]);
    });
    expect(await install(...values)).toContain(`- name: ${name}`);
  });

  test('cannot be looked for without a cluster', async () => {
    await expect(chart({ imagePullSecrets: [{ name }] })).resolves.toBeDefined();
  });
});

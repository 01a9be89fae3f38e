import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { optionsOf, valuesSchema } from '../../tools/chart/options.ts';
import { CHART, runHelm, type Values } from '../../tools/chart/render.ts';
import { staleFiles } from '../../tools/chart/files.ts';
import { chart, helm, objectsOf } from '../support/chart/chart.ts';
import { VARIANTS } from '../support/chart/variants.ts';

beforeAll(() => helm());

function valueAt(values: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Values | undefined)?.[key], values);
}

test('every file that is generated for the chart or from it is up to date', async () => {
  expect([...(await staleFiles(await helm())).keys()]).toEqual([]);
});

test('Helm’s own lint finds nothing in the chart', async () => {
  expect(await runHelm(await helm(), ['lint', '--strict', '--namespace=tinycert-operator', CHART])).toContain(
    '1 chart(s) linted, 0 chart(s) failed',
  );
});

test('the packed chart is whole: it renders what its folder does', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chart-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await runHelm(await helm(), ['package', CHART, `--destination=${folder}`]);
  const [archive = '', ...more] = await readdir(folder);
  const args = ['template', 'x', join(folder, archive), '--namespace=y'];

  expect(more).toEqual([]);
  expect(objectsOf(await runHelm(await helm(), args))).toEqual(
    await chart({}, { release: 'x', namespace: 'y' }),
  );
  await expect(runHelm(await helm(), [...args, '--set=what=1'])).rejects.toThrow("'what' not allowed");
});

test('values.yaml has every option of the schema, with its default, and no other', () => {
  const values = parse(readFileSync(`${CHART}values.yaml`, 'utf8')) as Values;
  const options = optionsOf(valuesSchema());
  for (const { path, default: value } of options)
    expect([path, valueAt(values, path)]).toEqual([path, value]);
  const leaves = (value: unknown, path: string[]): string[] => {
    const isOption = options.some((option) => option.path.join('.') === path.join('.'));
    if (isOption || typeof value !== 'object' || value === null) return [path.join('.')];
    return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
  };
  expect(leaves(values, [])).toEqual(options.map(({ path }) => path.join('.')));
});

test('the variants of the other tests use every option', () => {
  const unused = optionsOf(valuesSchema())
    .map(({ path }) => path)
    .filter((path) => Object.values(VARIANTS).every((values) => valueAt(values, path) === undefined));
  expect(unused.map((path) => path.join('.'))).toEqual([]);
});

describe('Helm refuses', () => {
  test.each<[what: string, values: Values, why: string]>([
    ['an unknown value', { replica: 2 }, "at '': additional properties 'replica' not allowed"],
    [
      'an unknown value further down',
      { image: { name: 'x' } },
      "at '/image': additional properties 'name' not allowed",
    ],
    [
      'a value that is none of those allowed',
      { log: { level: 'loud' } },
      "at '/log/level': value must be one of",
    ],
    ['a text for a number', { replicas: 'two' }, "at '/replicas': got string, want integer"],
    ['a digest that is none', { image: { digest: 'sha256:abc' } }, "at '/image/digest'"],
    ['a pull secret without a name', { imagePullSecrets: [{ nam: 'x' }] }, "at '/imagePullSecrets/0'"],
    ['an endpoint that is not a URL', { allowedEndpoints: ['ca.example.com'] }, "at '/allowedEndpoints/0'"],
    [
      'a CIDR without a prefix',
      { networkPolicy: { cas: { cidrs: ['192.0.2.1'] } } },
      "at '/networkPolicy/cas/cidrs/0'",
    ],
    [
      'a cluster issuer in given namespaces',
      { namespaces: ['a'], clusterIssuers: { enabled: true } },
      'TinyCertClusterIssuers need an operator of all namespaces: remove namespaces, or set clusterIssuers.enabled to auto.',
    ],
    [
      'an operator of all namespaces without cluster issuers',
      { clusterIssuers: { enabled: false } },
      'An operator of all namespaces always serves TinyCertClusterIssuers: set namespaces, or clusterIssuers.enabled to auto.',
    ],
    [
      'a disruption budget for one replica',
      { podDisruptionBudget: { enabled: true } },
      'A PodDisruptionBudget needs two replicas: set replicas to 2, or podDisruptionBudget.enabled to false.',
    ],
    [
      'a monitor without metrics',
      { metrics: { enabled: false, podMonitor: { enabled: true } } },
      'A monitor needs metrics: set metrics.enabled to true.',
    ],
    [
      'a ServiceMonitor without the Service',
      { metrics: { service: { enabled: false }, serviceMonitor: { enabled: true } } },
      'A ServiceMonitor needs the Service: set metrics.service.enabled to true, or use metrics.podMonitor instead.',
    ],
    [
      'both monitors',
      { metrics: { serviceMonitor: { enabled: true }, podMonitor: { enabled: true } } },
      'A ServiceMonitor and a PodMonitor would scrape everything twice: enable one of them.',
    ],
    ['one port for both listeners', { health: { port: 8080 } }, 'metrics.port and health.port are the same.'],
    [
      'exceptions from a proxy without one',
      { proxy: { noProxy: ['a'] } },
      'proxy.noProxy has no effect without proxy.url.',
    ],
    [
      'a variable that the chart sets itself',
      { proxy: { url: 'http://p:1' }, extraEnv: [{ name: 'NO_PROXY', value: '' }] },
      'The environment variable NO_PROXY is set twice: remove it from extraEnv, or what sets it besides.',
    ],
  ])('%s', async (_, values, why) => {
    await expect(chart(values)).rejects.toThrow(why);
  });

  test('nothing of a parent chart’s global values', async () => {
    expect(await chart({ global: { imageRegistry: 'x', nested: { a: 1 } } })).toEqual(await chart());
  });
});

import { expect, test } from 'vitest';
import { FlagError, helpText, parseFlags, type Settings, variableOf } from './flags.ts';

function settings(args: string[], env: Record<string, string> = {}): Settings {
  const parsed = parseFlags(args, env);
  if (typeof parsed === 'string') throw new Error(`unexpected ${parsed}`);
  return parsed;
}

test('without flags the defaults apply', () => {
  expect(settings([])).toEqual({
    kubeconfig: undefined,
    namespaces: undefined,
    cacert: true,
    clusterResourceNamespace: undefined,
    leaderElect: true,
    metricsBindAddress: ':8080',
    healthProbeBindAddress: ':8081',
    logLevel: 'info',
    logFormat: 'json',
    allowedEndpoints: [],
    concurrency: 32,
    unclaimedWaitMs: 900_000,
  });
});

test('every flag is read, and lists are split', () => {
  const given = settings([
    '--kubeconfig=config.yaml',
    '--namespace=a,b',
    '--cacert=false',
    '--cluster-resource-namespace=system',
    '--leader-elect=false',
    '--metrics-bind-address=127.0.0.1:9402',
    '--health-probe-bind-address=0',
    '--log-level=debug',
    '--log-format=text',
    '--allowed-endpoints=https://127.0.0.1:1/api/, http://[::1]:2/',
    '--concurrency=4',
    '--unclaimed-wait=1h30m',
  ]);
  expect(given).toMatchObject({
    namespaces: ['a', 'b'],
    cacert: false,
    leaderElect: false,
    concurrency: 4,
    unclaimedWaitMs: 5_400_000,
    logFormat: 'text',
  });
  expect(given.allowedEndpoints).toEqual(['https://127.0.0.1:1/api/', 'http://[::1]:2/']);
});

test('a flag takes precedence over its environment variable, and the variable over the default', () => {
  const env = { [variableOf('log-level')]: 'warn', [variableOf('concurrency')]: '8' };
  expect(settings(['--log-level=error'], env)).toMatchObject({ logLevel: 'error', concurrency: 8 });
});

test('--leader-elect and --cacert alone mean true', () => {
  const env = { [variableOf('leader-elect')]: 'false', [variableOf('cacert')]: 'false' };
  expect(settings(['--leader-elect', '--cacert'], env)).toMatchObject({ leaderElect: true, cacert: true });
});

test.each([
  ['an unknown flag', ['--what=1']],
  ['a word that is not a flag', ['what']],
  ['a level that does not exist', ['--log-level=loud']],
  ['an address without a port', ['--metrics-bind-address=localhost']],
  ['a port out of range', ['--metrics-bind-address=:70000']],
  ['a concurrency of zero', ['--concurrency=0']],
  ['a concurrency that is not a number', ['--concurrency=many']],
  ['a wait without a unit', ['--unclaimed-wait=15']],
  ['a wait below zero', ['--unclaimed-wait=-1m']],
  ['a wait of more than a week', ['--unclaimed-wait=169h']],
  ['an invalid name of a namespace', ['--namespace=Not_A_Name']],
  ['an endpoint that is not a URL', ['--allowed-endpoints=tinycert']],
  ['an endpoint of another scheme', ['--allowed-endpoints=ftp://example.org/']],
  ['a boolean that is neither true nor false', ['--leader-elect=maybe']],
])('%s is refused with the reason', (_, args) => {
  expect(() => parseFlags(args, {})).toThrow(FlagError);
});

test('the help names every flag and its variable', () => {
  const text = helpText();
  for (const flag of ['kubeconfig', 'namespace', 'leader-elect', 'allowed-endpoints', 'concurrency']) {
    expect(text).toContain(`--${flag}=`);
    expect(text).toContain(variableOf(flag));
  }
  expect(parseFlags(['--help'], {})).toBe('help');
  expect(parseFlags(['--version'], {})).toBe('version');
});

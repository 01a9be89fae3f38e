import { parseArgs } from 'node:util';
import type { LogLevel } from '../lib/log.ts';
import { AppError } from '../lib/errors.ts';

/** How the operator was asked to run. */
export interface Settings {
  kubeconfig: string | undefined;
  /** Absent: all namespaces. */
  namespaces: readonly string[] | undefined;
  clusterResourceNamespace: string | undefined;
  leaderElect: boolean;
  metricsBindAddress: string;
  healthProbeBindAddress: string;
  logLevel: LogLevel;
  logFormat: 'json' | 'text';
  allowedEndpoints: readonly string[];
  concurrency: number;
}

/** A flag or environment variable that cannot be used. The message says why. */
export class FlagError extends AppError {
  constructor(message: string) {
    super('InvalidFlag', message);
  }
}

interface Flag {
  value: string;
  about: string;
  /** Used where neither flag nor variable is given; undefined: nothing. */
  fallback?: string;
}

const flags = {
  kubeconfig: {
    value: 'FILE',
    about: 'Kubeconfig to use. Without it: KUBECONFIG, then the pod’s ServiceAccount, then ~/.kube/config.',
  },
  namespace: {
    value: 'NAME[,NAME…]',
    about:
      'Look after these namespaces only. TinyCertClusterIssuers are then not used. Default: all namespaces.',
  },
  'cluster-resource-namespace': {
    value: 'NAME',
    about:
      'Where Secrets of TinyCertClusterIssuers, and the Lease, lie. Default: the operator’s own namespace.',
  },
  'leader-elect': {
    value: 'true|false',
    about: 'Elect one leader among several replicas by a Lease.',
    fallback: 'true',
  },
  'metrics-bind-address': {
    value: '[HOST]:PORT',
    about: 'Where /metrics is served; 0 switches it off.',
    fallback: ':8080',
  },
  'health-probe-bind-address': {
    value: '[HOST]:PORT',
    about: 'Where /livez and /readyz are served; 0 switches them off.',
    fallback: ':8081',
  },
  'log-level': { value: 'debug|info|warn|error', about: 'Least level of what is logged.', fallback: 'info' },
  'log-format': { value: 'json|text', about: 'json for machines, text for people.', fallback: 'json' },
  'allowed-endpoints': {
    value: 'URL[,URL…]',
    about:
      'Endpoints that TinyCertIssuers may name beside the public one, and http:// endpoints on this machine for any issuer.',
  },
  concurrency: { value: 'N', about: 'Certificates worked on at once, 1 to 256.', fallback: '32' },
} satisfies Record<string, Flag>;

type Name = keyof typeof flags;

/** The environment variable of a flag. */
export function variableOf(flag: string): string {
  return `TINYCERT_OPERATOR_${flag.toUpperCase().replaceAll('-', '_')}`;
}

/** What `--help` prints. */
export function helpText(): string {
  const rows = Object.entries<Flag>(flags).map(([name, { value, about, fallback }]) => {
    const more = fallback === undefined ? '' : ` Default: ${fallback}.`;
    return `  --${name}=${value}\n        ${about}${more}\n        Environment: ${variableOf(name)}\n`;
  });
  return `tinycert-operator turns TinyCertCertificate resources into TLS Secrets by way of the TinyCert API.

Usage: operator.js [flags]

${rows.join('\n')}
  --version
        Print the version and exit.

  --help
        Print this and exit.

A flag wins over its environment variable.
`;
}

/** Reads flags and environment. Throws a `FlagError` for anything unknown or out of range. */
export function parseFlags(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Settings | 'help' | 'version' {
  const given = read(args);
  if (given['help']) return 'help';
  if (given['version']) return 'version';
  const text = (name: Name): string | undefined => {
    const flag: Flag = flags[name];
    const value = given[name] ?? env[variableOf(name)];
    return typeof value === 'string' && value !== '' ? value : flag.fallback;
  };
  const namespaces = list(text('namespace'));
  return {
    kubeconfig: text('kubeconfig'),
    namespaces: namespaces.length === 0 ? undefined : namespaces.map(checkName),
    clusterResourceNamespace: optional(text('cluster-resource-namespace'), checkName),
    leaderElect: oneOf('leader-elect', text('leader-elect'), ['true', 'false']) === 'true',
    metricsBindAddress: address('metrics-bind-address', text('metrics-bind-address')),
    healthProbeBindAddress: address('health-probe-bind-address', text('health-probe-bind-address')),
    logLevel: oneOf('log-level', text('log-level'), ['debug', 'info', 'warn', 'error']),
    logFormat: oneOf('log-format', text('log-format'), ['json', 'text']),
    allowedEndpoints: list(text('allowed-endpoints')).map(checkUrl),
    concurrency: whole('concurrency', text('concurrency'), 1, 256),
  };
}

function read(args: readonly string[]): Record<string, string | boolean | undefined> {
  const options = Object.fromEntries(Object.keys(flags).map((name) => [name, { type: 'string' as const }]));
  // `--leader-elect` alone means true, as with every Go operator.
  const spelled = args.map((arg) => (arg === '--leader-elect' ? '--leader-elect=true' : arg));
  try {
    const { values } = parseArgs({
      args: spelled,
      options: { ...options, help: { type: 'boolean', short: 'h' }, version: { type: 'boolean' } },
    });
    return values;
  } catch (error) {
    throw new FlagError(`${error instanceof Error ? error.message : String(error)} Try --help.`);
  }
}

function list(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function optional<T>(text: string | undefined, check: (text: string) => T): T | undefined {
  return text === undefined ? undefined : check(text);
}

function checkName(text: string): string {
  if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) return text;
  throw new FlagError(`"${text}" is not the name of a namespace.`);
}

function checkUrl(text: string): string {
  const url = URL.parse(text);
  if (url && (url.protocol === 'https:' || url.protocol === 'http:')) return text;
  throw new FlagError(`--allowed-endpoints: "${text}" is not an https:// or http:// URL.`);
}

function oneOf<const T extends string>(name: Name, text: string | undefined, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === text);
  if (found !== undefined) return found;
  throw new FlagError(`--${name}: "${text}" is none of ${allowed.join(', ')}.`);
}

function address(name: Name, text: string | undefined): string {
  const port = Number(
    /^(?:0|(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]*):([0-9]{1,5}))$/.exec(text ?? '')?.[1] ??
      (text === '0' ? 0 : NaN),
  );
  if (text !== undefined && port <= 65_535) return text;
  throw new FlagError(`--${name}: "${text}" is no address: write :8080, 127.0.0.1:8080, or 0 for none.`);
}

function whole(name: Name, text: string | undefined, least: number, most: number): number {
  const value = /^[0-9]{1,6}$/.test(text ?? '') ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw new FlagError(`--${name}: "${text}" is not a whole number from ${least} to ${most}.`);
}

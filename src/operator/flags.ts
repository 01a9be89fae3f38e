import { parseArgs } from 'node:util';
import type { LogLevel } from '../lib/log.ts';
import { DurationError, parseDuration } from '../lib/duration.ts';
import { AppError } from '../lib/errors.ts';

/** The operator's configuration, from flags and environment. */
export interface Settings {
  kubeconfig: string | undefined;
  /** Absent: all namespaces. */
  namespaces: readonly string[] | undefined;
  cacert: boolean;
  clusterResourceNamespace: string | undefined;
  leaderElect: boolean;
  metricsBindAddress: string;
  healthProbeBindAddress: string;
  logLevel: LogLevel;
  logFormat: 'json' | 'text';
  allowedEndpoints: readonly string[];
  concurrency: number;
  /** How long a first purchase waits for an owner of what its resource may have lost, in milliseconds. */
  unclaimedWaitMs: number;
}

/** A week: the longest that a flag may have a purchase wait. */
const MAX_WAIT_MS = 604_800_000;

/** A flag or environment variable that cannot be used. The message states why. */
export class FlagError extends AppError {
  constructor(message: string) {
    super('InvalidFlag', message);
  }
}

interface Flag {
  value: string;
  about: string;
  /** The default. */
  fallback?: string;
}

const flags = {
  kubeconfig: {
    value: 'FILE',
    about: 'The kubeconfig file. Default: KUBECONFIG, then the pod’s ServiceAccount, then ~/.kube/config.',
  },
  namespace: {
    value: 'NAME[,NAME…]',
    about:
      'Work in these namespaces only; TinyCertClusterIssuers are not used then. Default: all namespaces.',
  },
  cacert: {
    value: 'true|false',
    about: 'Serve CAcertAccounts and CAcertCertificates.',
    fallback: 'true',
  },
  'cluster-resource-namespace': {
    value: 'NAME',
    about:
      'The namespace of the Lease and of the Secrets of TinyCertClusterIssuers. Default: the operator’s own namespace.',
  },
  'leader-elect': {
    value: 'true|false',
    about: 'Elect one leader among the replicas, with a Lease.',
    fallback: 'true',
  },
  'metrics-bind-address': {
    value: '[HOST]:PORT',
    about: 'Address of /metrics; 0 turns it off.',
    fallback: ':8080',
  },
  'health-probe-bind-address': {
    value: '[HOST]:PORT',
    about: 'Address of /livez and /readyz; 0 turns them off.',
    fallback: ':8081',
  },
  'log-level': {
    value: 'debug|info|warn|error',
    about: 'The lowest level that is logged.',
    fallback: 'info',
  },
  'log-format': { value: 'json|text', about: 'json for machines, text for people.', fallback: 'json' },
  'allowed-endpoints': {
    value: 'URL[,URL…]',
    about:
      'Endpoints that TinyCertIssuers and CAcertAccounts may use besides the public ones. An http:// endpoint, which must be on this machine, always has to be listed, also for TinyCertClusterIssuers.',
  },
  'unclaimed-wait': {
    value: 'DURATION',
    about:
      'How long a TinyCertCertificate without a certificate waits before it buys one, while TinyCert has unclaimed ones for its names that were issued after it was made, as after a backup of etcd was put back. At most 168h; with 0s it does not look for them.',
    fallback: '15m',
  },
  concurrency: { value: 'N', about: 'Certificates reconciled at once, 1 to 256.', fallback: '32' },
} satisfies Record<string, Flag>;

type Name = keyof typeof flags;

/** A flag that says where to listen. */
export type AddressFlag = Extract<Name, `${string}-bind-address`>;

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
  return `tinycert-operator turns TinyCertCertificate and CAcertCertificate resources into TLS Secrets.

Usage: operator.js [flags]

${rows.join('\n')}
  --version
        Print the version and exit.

  --help
        Print this and exit.

A flag takes precedence over its environment variable.
`;
}

/** Parses flags and environment. Throws a `FlagError` for anything unknown or out of range. */
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
    cacert: oneOf('cacert', text('cacert'), ['true', 'false']) === 'true',
    clusterResourceNamespace: optional(text('cluster-resource-namespace'), checkName),
    leaderElect: oneOf('leader-elect', text('leader-elect'), ['true', 'false']) === 'true',
    metricsBindAddress: address('metrics-bind-address', text('metrics-bind-address')),
    healthProbeBindAddress: address('health-probe-bind-address', text('health-probe-bind-address')),
    logLevel: oneOf('log-level', text('log-level'), ['debug', 'info', 'warn', 'error']),
    logFormat: oneOf('log-format', text('log-format'), ['json', 'text']),
    allowedEndpoints: list(text('allowed-endpoints')).map(checkUrl),
    concurrency: whole('concurrency', text('concurrency'), 1, 256),
    unclaimedWaitMs: duration('unclaimed-wait', text('unclaimed-wait')),
  };
}

function read(args: readonly string[]): Record<string, string | boolean | undefined> {
  const options = Object.fromEntries(Object.keys(flags).map((name) => [name, { type: 'string' as const }]));
  // `--leader-elect` alone means true, as in Go operators.
  const spelled = args.map((arg) => (arg === '--leader-elect' || arg === '--cacert' ? `${arg}=true` : arg));
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
  throw new FlagError(`--${name}: "${text}" is not an address: write :8080, 127.0.0.1:8080, or 0 for none.`);
}

function duration(name: Name, text = ''): number {
  try {
    const ms = parseDuration(text);
    if (ms >= 0 && ms <= MAX_WAIT_MS) return ms;
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
  }
  throw new FlagError(`--${name}: "${text}" is not a duration from 0s to 168h: write 15m, 90s or 1h30m.`);
}

function whole(name: Name, text: string | undefined, least: number, most: number): number {
  const value = /^[0-9]{1,6}$/.test(text ?? '') ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw new FlagError(`--${name}: "${text}" is not a whole number from ${least} to ${most}.`);
}

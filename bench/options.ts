import { parseArgs } from 'node:util';

export interface BenchOptions {
  certificates: number;
  concurrency: number;
  pairs: number;
  json: boolean;
  /** The operator's bundle; absent: dist/operator.js, built first if it is older than its sources. */
  operator?: string;
  /** Another bundle, measured in the same rounds. */
  against?: string;
  /** The folder of its CRDs, if they are not the present ones. */
  againstCrds?: string;
  /** Folder for a CPU profile of the operator. */
  profile?: string;
  /** How the operator is run; the baseline is run as always. */
  node?: NodeSetup;
}

/** What the operator's process gets beside its own flags. */
export interface NodeSetup {
  /** Flags of Node. */
  flags: readonly string[];
  /** Environment variables beside those of the bench. */
  env: Readonly<Record<string, string>>;
}

/** What `--outage` measures, see outage.ts. */
export interface OutageOptions extends Omit<BenchOptions, 'pairs' | 'against' | 'againstCrds' | 'node'> {
  rounds: number;
}

/** An argument is invalid. The message gives the valid values. */
export class OptionError extends Error {}

/** Larger numbers prove nothing more on one machine. Objects are never deleted, so they add up in etcd. */
const LIMITS = {
  certificates: { least: 1, most: 5000, usual: 500 },
  concurrency: { least: 1, most: 256, usual: 32 },
  pairs: { least: 1, most: 20, usual: 5 },
  rounds: { least: 1, most: 20, usual: 3 },
};
/** The default of `--certificates` with `--outage`. */
const WAITING_CERTIFICATES = 1000;
const MOST_CERTIFICATES = 100_000;

/** With fewer, a difference cannot be distinguished from noise. */
export const ENOUGH_PAIRS = 5;

export const HELP = `Measures the operator against what the API server alone costs.

Usage: npm run bench -- [options]

Options
  --certificates N   Certificates of each round, ${range('certificates')}.
  --concurrency N    Certificates that each contestant works on at once, ${range('concurrency')}.
  --pairs N          Rounds of each contestant, in turn, ${range('pairs')}. Fewer than ${ENOUGH_PAIRS} prove nothing.
  --outage           Measure an outage and its end instead: the credentials are wrong, certificates
                     (${WAITING_CERTIFICATES} unless given) wait, the credentials are corrected.
  --rounds N         With --outage: how often, ${range('rounds')}. A round takes about two minutes.
  --json             Print one line of JSON instead of a table.
  --operator FILE    Measure this bundle instead of dist/operator.js.
  --against FILE     Measure this bundle too, in the same rounds: the baseline to compare the operator with.
  --against-crds FOLDER  The CRDs of that bundle: those of both are installed together.
  --node-flag FLAG   Run the operator, and not the baseline, with this flag of Node; may be repeated. Together with
                     --against dist/operator.js it shows what the flag does.
  --env NAME=VALUE   The same for an environment variable.
  --profile FOLDER   Write a CPU profile of the operator there (.cpuprofile, for Chrome's developer tools).
  --help             Print this text.

It starts a control plane (etcd, kube-apiserver) and the dev server on this machine, then in turn
  the operator         dist/operator.js, built first if it is older than src
  the bare floor       the three writes of an issuance, and nothing else
  the floor with CA    the same writes and the same three CA calls
  the baseline         the bundle of --against, if given
each as a process of its own. bench/README.md explains the figures. It needs Linux.
`;

/** Reads the arguments after the program's name. Throws an `OptionError` for an unknown or absurd one. */
export function readOptions(args: readonly string[]): BenchOptions | OutageOptions | 'help' {
  const values = parse(args);
  if (values.help) return 'help';
  const isOutage = values.outage ?? false;
  for (const stray of isOutage
    ? (['pairs', 'against', 'against-crds', 'node-flag', 'env'] as const)
    : (['rounds'] as const)) {
    if (values[stray] !== undefined)
      throw new OptionError(`--${stray} is for measurements ${isOutage ? 'without' : 'with'} --outage.`);
  }
  if (values.against !== undefined && values.profile !== undefined)
    throw new OptionError(
      '--profile slows the operator, so it cannot be compared: leave out --against or --profile.',
    );
  const common = {
    certificates: whole('certificates', values.certificates, isOutage ? WAITING_CERTIFICATES : undefined),
    concurrency: whole('concurrency', values.concurrency),
    json: values.json ?? false,
    ...(values.operator === undefined ? {} : { operator: values.operator }),
    ...(values.profile === undefined ? {} : { profile: values.profile }),
  };
  if (isOutage) {
    const rounds = whole('rounds', values.rounds);
    assertFew(common.certificates, rounds, `${rounds} rounds`);
    return { ...common, rounds };
  }
  const pairs = whole('pairs', values.pairs);
  const { against, 'against-crds': againstCrds } = values;
  if (againstCrds !== undefined && against === undefined)
    throw new OptionError('--against-crds is for the bundle of --against.');
  const flags = values['node-flag'] ?? [];
  const env = (values.env ?? []).map(variable);
  const kindsOfRounds = against === undefined ? 3 : 4;
  assertFew(common.certificates, kindsOfRounds * pairs, `${pairs} pairs`);
  return {
    ...common,
    pairs,
    ...(against === undefined ? {} : { against }),
    ...(againstCrds === undefined ? {} : { againstCrds }),
    ...(flags.length === 0 && env.length === 0 ? {} : { node: { flags, env: Object.fromEntries(env) } }),
  };
}

function variable(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new OptionError(`--env: "${text}" is not NAME=VALUE.`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function assertFew(certificates: number, times: number, words: string): void {
  const total = certificates * times;
  if (total <= MOST_CERTIFICATES) return;
  throw new OptionError(
    `--certificates ${certificates} in ${words} make ${total} objects, more than ${MOST_CERTIFICATES}: take fewer of either.`,
  );
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        certificates: { type: 'string' },
        concurrency: { type: 'string' },
        pairs: { type: 'string' },
        outage: { type: 'boolean' },
        rounds: { type: 'string' },
        json: { type: 'boolean' },
        operator: { type: 'string' },
        against: { type: 'string' },
        'against-crds': { type: 'string' },
        profile: { type: 'string' },
        'node-flag': { type: 'string', multiple: true },
        env: { type: 'string', multiple: true },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new OptionError(error instanceof Error ? error.message : String(error));
  }
}

function whole(name: keyof typeof LIMITS, text: string | undefined, other?: number): number {
  const { least, most, usual: first } = LIMITS[name];
  const usual = other ?? first;
  const value = text === undefined ? usual : /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new OptionError(`--${name}: "${text}" is not a whole number from ${least} to ${most}.`);
}

function range(name: keyof typeof LIMITS): string {
  const { least, most, usual } = LIMITS[name];
  return `${least} to ${most} (${usual})`;
}

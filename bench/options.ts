import { parseArgs } from 'node:util';

export interface BenchOptions {
  certificates: number;
  concurrency: number;
  pairs: number;
  json: boolean;
  /** The operator's bundle; absent: dist/operator.js, built first if it is older than its sources. */
  operator?: string;
  /** Folder for a CPU profile of the operator. */
  profile?: string;
}

/** An argument that cannot be. The message says what can. */
export class OptionError extends Error {}

/** More than these prove nothing more on one machine. Objects are never deleted, so that they add up in etcd. */
const LIMITS = {
  certificates: { least: 1, most: 5000, usual: 500 },
  concurrency: { least: 1, most: 256, usual: 32 },
  pairs: { least: 1, most: 20, usual: 5 },
};
const MOST_CERTIFICATES = 100_000;

/** With fewer one cannot tell a difference from noise. */
export const ENOUGH_PAIRS = 5;

export const HELP = `Measures the operator against what the API server alone costs.

Usage: npm run bench -- [options]

Options
  --certificates N   Certificates of each round, ${range('certificates')}.
  --concurrency N    Certificates worked on at once, by all three, ${range('concurrency')}.
  --pairs N          Rounds of each, one after the other in turn, ${range('pairs')}. Fewer than ${ENOUGH_PAIRS} prove nothing.
  --json             Print one line of JSON instead of a table.
  --operator FILE    Another bundle than dist/operator.js, to compare builds.
  --profile FOLDER   Write a CPU profile of the operator there (.cpuprofile, for Chrome's developer tools).
  --help             Print this text.

It starts a control plane (etcd, kube-apiserver) and the dev server on this machine, then in turn
  the operator         dist/operator.js, built first if it is older than src
  the bare floor       the three writes of an issuance, and nothing else
  the floor with CA    the same writes and the same three CA calls
each as a process of its own. bench/README.md says what the figures mean. It needs Linux.
`;

/** Reads the arguments behind the program's name. Throws an `OptionError` for what is unknown or absurd. */
export function readOptions(args: readonly string[]): BenchOptions | 'help' {
  const values = parse(args);
  if (values.help) return 'help';
  const options = {
    certificates: whole('certificates', values.certificates),
    concurrency: whole('concurrency', values.concurrency),
    pairs: whole('pairs', values.pairs),
    json: values.json ?? false,
    ...(values.operator === undefined ? {} : { operator: values.operator }),
    ...(values.profile === undefined ? {} : { profile: values.profile }),
  };
  // Three kinds of rounds.
  const total = options.certificates * options.pairs * 3;
  if (total > MOST_CERTIFICATES) {
    throw new OptionError(
      `--certificates ${options.certificates} in ${options.pairs} pairs make ${total} objects, more than ${MOST_CERTIFICATES}: take fewer of either.`,
    );
  }
  return options;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        certificates: { type: 'string' },
        concurrency: { type: 'string' },
        pairs: { type: 'string' },
        json: { type: 'boolean' },
        operator: { type: 'string' },
        profile: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new OptionError(error instanceof Error ? error.message : String(error));
  }
}

function whole(name: keyof typeof LIMITS, text: string | undefined): number {
  const { least, most, usual } = LIMITS[name];
  const value = text === undefined ? usual : /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new OptionError(`--${name}: "${text}" is not a whole number from ${least} to ${most}.`);
}

function range(name: keyof typeof LIMITS): string {
  const { least, most, usual } = LIMITS[name];
  return `${least} to ${most} (${usual})`;
}

import { parseArgs } from 'node:util';

export const HELP = `Usage: npm run chaos -- [options]

Kills, freezes and deceives operators on a real etcd and kube-apiserver and a TinyCert-compatible server, and lets
witnesses that share no code with the operator judge what came of it: the CA's journal, and every version of every Secret
and resource in etcd.

  --seed N               the same seed does the same, in the same order (a new one each time)
  --certificates N       certificates of the main installation, at least 20 (40)
  --kills N              how often a process is killed; freezes come on top (40)
  --duration-limit SPAN  no new kills after this time, such as 10m (60m)
  --settle SPAN          how long everything may take to come to rest afterwards (5m)
  --speed N              how fast time runs for operators and CA (6)
  --logs FOLDER          keep the operators' logs there
  --json                 print one line of JSON
  --help                 print this

Exit code 0 if nothing was lost, doubled, mixed up or stuck, 1 if something was, 2 for wrong options.
`;

export interface Options {
  seed: number;
  certificates: number;
  kills: number;
  /** Milliseconds. */
  durationLimit: number;
  settle: number;
  speed: number;
  logs: string | undefined;
  json: boolean;
}

/** An option is invalid. */
export class OptionError extends Error {}

const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Reads the command line. Throws an `OptionError`. */
export function parseOptions(args: readonly string[]): Options | 'help' {
  const values = read(args);
  if (values.help) return 'help';
  return {
    seed: whole('seed', values.seed ?? String(Math.floor(Math.random() * 2 ** 31)), 0, 2 ** 32),
    certificates: whole('certificates', values.certificates ?? '40', 20, 2_000),
    kills: whole('kills', values.kills ?? '40', 0, 10_000),
    durationLimit: span('duration-limit', values['duration-limit'] ?? '60m'),
    settle: span('settle', values.settle ?? '5m'),
    speed: whole('speed', values.speed ?? '6', 1, 50),
    logs: values.logs,
    json: values.json ?? false,
  };
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        seed: { type: 'string' },
        certificates: { type: 'string' },
        kills: { type: 'string' },
        'duration-limit': { type: 'string' },
        settle: { type: 'string' },
        speed: { type: 'string' },
        logs: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new OptionError(error instanceof Error ? error.message : String(error));
  }
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = /^[0-9]+$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw new OptionError(`--${name}: "${text}" is not a whole number from ${least} to ${most}.`);
}

function span(name: string, text: string): number {
  const [, number, unit = ''] = /^([0-9]+)(ms|s|m|h)$/.exec(text) ?? [];
  const factor = UNITS[unit];
  if (number === undefined || factor === undefined)
    throw new OptionError(`--${name}: "${text}" is not a span of time: write 90s, 10m or 1h.`);
  return Number(number) * factor;
}

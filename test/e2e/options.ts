import { parseArgs } from 'node:util';
import { TRIALS } from './trials/index.ts';

/** Tests of the run itself, which need a machine to look at and so the node of our own. */
export const TEAR_DOWN = ['clean-after-run', 'clean-after-kill'] as const;

const width = Math.max(...[...TRIALS, ...TEAR_DOWN.map((name) => ({ name }))].map(({ name }) => name.length));

export const HELP = `Usage: npm run e2e -- [options]

Installs the operator in a real cluster, lets an ingress controller serve what it issues, and breaks things. The cluster is
made for it and is gone afterwards: kind where a Docker engine answers, else a node of its own in namespaces of its own,
which takes root and some Debian packages (test/e2e/README.md). What is built for it is kept in the cache folder.

  --only NAME         run this test only; may be repeated
  --image FILE        use this OCI archive of the operator's image instead of building one
  --upgrade-from REF  the git revision whose chart the upgrade starts from (the last tag; without one there is no such test)
  --logs FOLDER       keep the logs of the cluster and of the operator there
  --keep              leave the cluster running until Ctrl-C, and say how to use it
  --json              print one JSON document with the result of each test at the end
  --help              print this

Progress goes to standard error.

Tests
${TRIALS.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`).join('\n')}
  ${'clean-after-run'.padEnd(width)}  the machine is as it was before the run
  ${'clean-after-kill'.padEnd(width)}  it is so after SIGKILL of a run too

Exit code 0 if all passed, 1 if one failed, 2 for wrong options, 130 after Ctrl-C.
`;

export interface Options {
  /** Empty: all. */
  only: readonly string[];
  image: string | undefined;
  upgradeFrom: string | undefined;
  logs: string | undefined;
  keep: boolean;
  json: boolean;
}

/** An option is invalid. */
export class OptionError extends Error {}

/** Reads the command line. Throws an `OptionError`. */
export function parseOptions(args: readonly string[]): Options | 'help' {
  const values = read(args);
  if (values.help === true) return 'help';
  const known: readonly string[] = [...TRIALS.map(({ name }) => name), ...TEAR_DOWN];
  const only = values.only ?? [];
  const unknown = only.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new OptionError(`--only: there is no test "${unknown}". There are ${known.join(', ')}.`);
  }
  return {
    only,
    image: values.image,
    upgradeFrom: values['upgrade-from'],
    logs: values.logs,
    keep: values.keep ?? false,
    json: values.json ?? false,
  };
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string', multiple: true },
        image: { type: 'string' },
        'upgrade-from': { type: 'string' },
        logs: { type: 'string' },
        keep: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new OptionError(error instanceof Error ? error.message : String(error));
  }
}

/** `npm run dev-server`: starts a server, prints where it is, and stops it on SIGINT or SIGTERM. */
import { CACERT_HELP, readCAcertCommandLine } from './cacert/cli.ts';
import { startCAcertServer } from './cacert/server.ts';
import { readyLine as cacertReadyLine, welcome as cacertWelcome } from './cacert/welcome.ts';
import type { CommandLine } from './cli/command-line.ts';
import { HELP, readTinyCertCommandLine } from './cli/tinycert.ts';
import { startDevServer } from './server.ts';
import { readyLine, welcome } from './welcome.ts';

/** One of the two servers, as far as the program needs it. */
interface Kind<O, S extends { stop: () => Promise<void> }> {
  help: string;
  read: (args: string[]) => Promise<CommandLine<O>>;
  start: (options: O) => Promise<S>;
  /** The words for programs and for people. */
  readyLine: (server: S) => string;
  welcome: (server: S) => string;
}

/** Runs until a signal comes, and returns the exit code. */
async function run<O, S extends { stop: () => Promise<void> }>(
  kind: Kind<O, S>,
  args: string[],
): Promise<number> {
  const line = await kind.read(args);
  if (line.kind === 'refused') {
    process.stderr.write(`${line.reason}\nSee --help.\n`);
    return 2;
  }
  if (line.kind === 'help') {
    process.stdout.write(kind.help);
    return 0;
  }
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  try {
    const server = await kind.start(line.options);
    process.stdout.write(`${line.json ? kind.readyLine(server) : kind.welcome(server)}\n`);
    await stopped;
    await server.stop();
    return 0;
  } catch (error) {
    process.stderr.write(`The dev server failed: ${error instanceof Error ? error.message : 'unknown'}\n`);
    return 1;
  }
}

const args = process.argv.slice(2);
process.exitCode = await (args.includes('--cacert')
  ? run(
      {
        help: CACERT_HELP,
        read: readCAcertCommandLine,
        start: startCAcertServer,
        readyLine: cacertReadyLine,
        welcome: cacertWelcome,
      },
      args,
    )
  : run({ help: HELP, read: readTinyCertCommandLine, start: startDevServer, readyLine, welcome }, args));

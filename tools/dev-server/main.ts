/** `npm run dev-server`: starts a server, says where it is, and stops it on SIGINT or SIGTERM. */
import { CACERT_HELP, readCAcertCommandLine } from './cacert/cli.ts';
import { startCAcertServer } from './cacert/server.ts';
import { readyLine as cacertReadyLine, welcome as cacertWelcome } from './cacert/welcome.ts';
import { HELP, readCommandLine } from './cli.ts';
import { startDevServer } from './server.ts';
import { readyLine, welcome } from './welcome.ts';

interface Program {
  help: string;
  refusal?: string;
  /** Starts the server; its words for the terminal, and what stops it. Absent where there is nothing to run. */
  start?: () => Promise<{ words: string; stop: () => Promise<void> }>;
}

async function tinyCert(args: string[]): Promise<Program> {
  const line = await readCommandLine(args);
  if (line.kind === 'refused') return { help: HELP, refusal: line.reason };
  if (line.kind === 'help') return { help: HELP };
  return {
    help: HELP,
    start: async () => {
      const server = await startDevServer(line.options);
      return { words: line.json ? readyLine(server) : welcome(server), stop: () => server.stop() };
    },
  };
}

async function cacert(args: string[]): Promise<Program> {
  const line = await readCAcertCommandLine(args);
  if (line.kind === 'refused') return { help: CACERT_HELP, refusal: line.reason };
  if (line.kind === 'help') return { help: CACERT_HELP };
  return {
    help: CACERT_HELP,
    start: async () => {
      const server = await startCAcertServer(line.options);
      return {
        words: line.json ? cacertReadyLine(server) : cacertWelcome(server),
        stop: () => server.stop(),
      };
    },
  };
}

const args = process.argv.slice(2);
const program = await (args.includes('--cacert') ? cacert(args) : tinyCert(args));
if (program.refusal !== undefined) {
  process.stderr.write(`${program.refusal}\nSee --help.\n`);
  process.exitCode = 2;
} else if (!program.start) {
  process.stdout.write(program.help);
} else {
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  try {
    const { words, stop } = await program.start();
    process.stdout.write(`${words}\n`);
    await stopped;
    await stop();
  } catch (error) {
    process.stderr.write(`The dev server failed: ${error instanceof Error ? error.message : 'unknown'}\n`);
    process.exitCode = 1;
  }
}

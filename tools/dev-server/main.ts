/** `npm run dev-server`: starts the server, says where it is, and stops it on SIGINT or SIGTERM. */
import { HELP, readCommandLine } from './cli.ts';
import { startDevServer } from './server.ts';
import { readyLine, welcome } from './welcome.ts';

const commandLine = await readCommandLine(process.argv.slice(2));
if (commandLine.kind === 'help') {
  process.stdout.write(HELP);
} else if (commandLine.kind === 'refused') {
  process.stderr.write(`${commandLine.reason}\nSee --help.\n`);
  process.exitCode = 2;
} else {
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  try {
    const server = await startDevServer(commandLine.options);
    process.stdout.write(`${commandLine.json ? readyLine(server) : welcome(server)}\n`);
    await stopped;
    await server.stop();
  } catch (error) {
    process.stderr.write(`The dev server failed: ${error instanceof Error ? error.message : 'unknown'}\n`);
    process.exitCode = 1;
  }
}

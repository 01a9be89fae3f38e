import { processClock } from './lib/accelerated-clock.ts';
import { AppError, asError } from './lib/errors.ts';
import { createLogger } from './lib/log.ts';
import { FlagError, helpText, parseFlags, type Settings } from './operator/flags.ts';
import { runOperator } from './operator/run.ts';
import type { Stop } from './operator/stop.ts';
import { version } from './operator/version.ts';

/** Exit codes: 0 stopped by a signal, 1 failed at run time, 2 invalid flags. */
async function main(): Promise<number> {
  let settings: Settings | 'help' | 'version';
  try {
    settings = parseFlags(process.argv.slice(2), process.env);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
  if (typeof settings === 'string') {
    process.stdout.write(settings === 'help' ? helpText() : `${version}\n`);
    return 0;
  }
  const log = createLogger({ level: settings.logLevel, format: settings.logFormat });
  try {
    await runOperator(settings, processClock(), log, stopOnSignals());
    return 0;
  } catch (thrown) {
    const error = asError(thrown);
    log.error({ error }, error instanceof AppError ? error.message : 'The operator failed');
    return 1;
  }
}

/** The first signal stops gently; the second aborts what still runs. */
function stopOnSignals(): Stop {
  const gentle = new AbortController();
  const forced = new AbortController();
  const onSignal = (): void => (gentle.signal.aborted ? forced.abort() : gentle.abort());
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return { gentle: gentle.signal, forced: forced.signal };
}

process.exitCode = await main();

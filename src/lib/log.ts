import { pino, type DestinationStream } from 'pino';
import { type Clock, systemClock } from './clock.ts';
import { type LogFields, safeFields, safeText } from './log-safe.ts';
import { formatText } from './log-text.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Writes one line: a fixed sentence, with variable data in fields. The order of arguments is pino's. */
export interface LogMethod {
  (fields: LogFields, message: string): void;
  (message: string): void;
}

/** The interface for logging. */
export interface Logger {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  /** A logger that adds `fields` to each line. Costs almost nothing until something is written. */
  child(fields: LogFields): Logger;
}

export interface LogOptions {
  level: LogLevel;
  /** `json`: one object per line. `text`: for people. */
  format: 'json' | 'text';
  /** Receives whole lines. Default: standard output. */
  destination?: DestinationStream;
  /** Supplies the time of each line. Default: the clock of the process. */
  clock?: Clock;
}

/**
 * Creates the logger of the process: pino, writing in this thread. `safeFields` filters every field of every line, also of child
 * loggers, so no secret and no property of a foreign error is logged.
 */
export function createLogger(options: LogOptions): Logger {
  const { level, format, clock = systemClock } = options;
  const lines = options.destination ?? pino.destination({ dest: 1, sync: true });
  const writer = pino(
    {
      level,
      base: null,
      formatters: { level: (label) => ({ level: label }) },
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
    },
    format === 'json' ? lines : { write: (line: string) => lines.write(formatText(line)) },
  );
  return bind(writer, {});
}

type Writer = Pick<pino.Logger, LogLevel | 'isLevelEnabled'>;

function bind(writer: Writer, bound: LogFields): Logger {
  const method = (level: LogLevel): LogMethod =>
    function write(first: LogFields | string, second?: string): void {
      if (!writer.isLevelEnabled(level)) return;
      const fields = typeof first === 'string' ? bound : { ...bound, ...first };
      const message = typeof first === 'string' ? first : (second ?? '');
      writer[level](safeFields(fields), safeText(message));
    };
  return {
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    child: (fields) => bind(writer, { ...bound, ...fields }),
  };
}

function nothing(): void {
  // Silence.
}

/** Writes nothing; for tests and for callers that want no log. */
export const silentLog: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silentLog,
};

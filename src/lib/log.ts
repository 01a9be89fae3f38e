import { pino, type DestinationStream } from 'pino';
import { type Clock, systemClock } from './clock.ts';
import { type LogFields, safeFields, safeText } from './log-safe.ts';
import { formatText } from './log-text.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Writes one line: a fixed sentence, and what varies as fields. The order of arguments is pino's. */
export interface LogMethod {
  (fields: LogFields, message: string): void;
  (message: string): void;
}

/** What the code logs through. */
export interface Logger {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  /** A logger that adds `fields` to each line. Costs next to nothing until something is written. */
  child(fields: LogFields): Logger;
}

export interface LogOptions {
  level: LogLevel;
  /** `json`: one object a line. `text`: for people. */
  format: 'json' | 'text';
  /** Takes whole lines; standard output unless given. */
  destination?: DestinationStream;
  /** Stamps the lines; the clock of the process unless given. */
  clock?: Clock;
}

/**
 * Makes the logger of the process: pino, writing in this thread. Every field of every line, those of child loggers too, goes
 * through `safeFields`, so that no secret and no property of a foreign error gets out.
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

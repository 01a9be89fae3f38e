import { AppError, clip } from './errors.ts';

/** A text that is not a duration. */
export class DurationError extends AppError {
  readonly text: string;

  constructor(text: string) {
    super('InvalidDuration', 'Not a duration: write numbers with units, such as 720h, 1h30m or 90s.');
    this.text = clip(text, 64);
  }
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;

/**
 * Milliseconds of a duration in the syntax of Go's `time.ParseDuration`: `720h`, `1h30m`, `-1.5s`, `0`. There is no unit
 * above hours, since days have no fixed length. Throws `DurationError`.
 */
export function parseDuration(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  const body = /^[+-]/.test(text) ? text.slice(1) : text;
  if (body === '0') return 0;
  let total = 0;
  let at = 0;
  while (at < body.length) {
    PART.lastIndex = at;
    const part = PART.exec(body);
    const unit = UNITS[part?.[2] ?? ''];
    if (!part || unit === undefined) throw new DurationError(text);
    total += Number(part[1]) * unit;
    at = PART.lastIndex;
  }
  if (at === 0 || !Number.isSafeInteger(Math.ceil(total))) throw new DurationError(text);
  return total === 0 ? 0 : sign * total;
}

/** A duration as text, in the largest units: `1h30m`, `1m30s` for 90 s, `1.5s`, `0s`. Rounds to whole milliseconds. */
export function formatDuration(ms: number): string {
  const total = Math.round(Math.abs(ms));
  if (total === 0) return '0s';
  const sign = ms < 0 ? '-' : '';
  if (total < 1000) return `${sign}${total}ms`;
  const hours = Math.floor(total / 3_600_000);
  const minutes = Math.floor((total % 3_600_000) / 60_000);
  const seconds = (total % 60_000) / 1000;
  const parts = [
    hours > 0 ? `${hours}h` : '',
    minutes > 0 ? `${minutes}m` : '',
    seconds > 0 ? `${seconds}s` : '',
  ];
  return sign + parts.join('');
}

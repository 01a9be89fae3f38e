import { type DerElement, TAG } from './der.ts';
import { X509Error } from './errors.ts';

const digits = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/**
 * Milliseconds since the epoch of a UTCTime or GeneralizedTime in the only form that certificates may use: with seconds,
 * in UTC (RFC 5280 section 4.1.2.5). Throws `X509Error`.
 */
export function readTime({ tag, content }: DerElement): number {
  const text = content.toString('latin1');
  const match = digits.exec(tag === TAG.utcTime ? `${century(text)}${text}` : text);
  if (!match || (tag !== TAG.utcTime && tag !== TAG.generalizedTime)) throw invalid();
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  // February 31 would become a day in March. Refuse it, since OpenSSL might read another day.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day || date.getUTCSeconds() !== second)
    throw invalid();
  return date.getTime();
}

/** Two-digit years from 50 on are in the 20th century (RFC 5280 section 4.1.2.5.1). */
function century(text: string): '19' | '20' {
  return text >= '50' ? '19' : '20';
}

function invalid(): X509Error {
  return new X509Error('InvalidDer', 'a date in the certificate is not valid');
}

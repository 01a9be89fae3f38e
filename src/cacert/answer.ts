import type { Reply } from '../http/exchange.ts';
import { parseRetryAfter } from '../http/retry-after.ts';
import type { Cleaner } from '../http/secrecy.ts';
import { replaceEnclosed } from '../lib/text.ts';
import { decodeEntities, readTexts } from './entities.ts';
import { CAcertError, type CAcertErrorDetails } from './errors.ts';

/** What reading a reply needs to know. */
export interface AnswerContext {
  readonly call: string;
  readonly clean: Cleaner;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** An answer of one of CAcert's scripts, read as ISO-8859-1. */
export interface Answer {
  /** The number in its status line: CAcert's word for the outcome, since the HTTP status is always 200. */
  readonly code: number;
  /** What stands behind the number, without blanks around it. */
  readonly text: string;
  /** All that follows the status line. */
  readonly rest: string;
}

/** HTTP errors of a web server that has not run the script. A firewall that keeps the answer back has others. */
const beforeTheScript: ReadonlySet<number> = new Set([404, 405, 410, 413, 429]);

/** The status line; a byte order mark or blanks may precede it in included files. */
const statusLine = /^(?:\xef\xbb\xbf)*[ \t\xa0]*(\d{3}),([^\n]*)/m;
const webPage = /<!doctype\s+html|<html\b/i;

/**
 * Finds the status line of a reply: the first line of a number, a comma and a text. Blank lines and notices of PHP may
 * stand before it. Throws a `CAcertError` for a reply that has none, and for any other HTTP status than 200.
 */
export function readAnswer(reply: Reply, context: AnswerContext): Answer {
  if (reply.status !== 200) throw statusError(reply, context);
  const text = reply.body.toString('latin1').replaceAll('\r\n', '\n');
  const match = statusLine.exec(text);
  const before = match ? text.slice(0, match.index) : text;
  if (webPage.test(before)) throw protocolError(context.call, 'The answer is a web page.');
  if (!match) throw protocolError(context.call, 'The answer has no status line.');
  const [line, code = '', explanation = ''] = match;
  return {
    code: Number(code),
    text: explanation.trim(),
    rest: text.slice(match.index + line.length),
  };
}

/** The error for an answer of HTTP status 200 that cannot be used. The service may have acted. */
export function protocolError(
  call: string,
  detail: string,
  details: Partial<CAcertErrorDetails> = {},
): CAcertError {
  return new CAcertError('ProtocolError', { call, status: 200, maybeExecuted: true, detail, ...details });
}

/** The error for a refusal in words that are not documented, which the service may have spoken after it acted. */
export function unknownAnswer(answer: Answer, { call, clean }: AnswerContext): CAcertError {
  const detail = `The status line has a meaning that is not documented (${answer.code}).`;
  return protocolError(call, detail, { text: shownText(answer, clean) });
}

/** The explanation of an answer over all of its lines, without tags, on one line. */
export function plainText({ text, rest }: Answer): string {
  return readable(replaceEnclosed(`${text} ${rest}`, '<', '>', ' '))
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/**
 * The same as it may be shown: cut, and withheld if it repeats a secret. A secret is looked for before tags and blanks
 * are taken out, as it may hold some, and in each encoding that the answer may have.
 */
export function shownText(answer: Answer, clean: Cleaner): string | undefined {
  const whole = `${answer.text}${answer.rest}`;
  const readings = [whole, Buffer.from(whole, 'latin1').toString('utf8'), readable(whole)];
  if (readings.some((reading) => clean(reading, undefined) === undefined)) return undefined;
  return clean(plainText(answer), undefined);
}

function readable(text: string): string {
  return readTexts([decodeEntities(text)]).texts.join('');
}

function statusError({ status, headers }: Reply, { call, now }: AnswerContext): CAcertError {
  if (status >= 400) {
    const retryAfterMs = parseRetryAfter(headers['retry-after'], now);
    const detail =
      status === 404
        ? `The endpoint has no ${call}. Check its path; the API may also have been removed.`
        : undefined;
    const maybeExecuted = !beforeTheScript.has(status);
    return new CAcertError('UnexpectedStatus', { call, status, retryAfterMs, detail, maybeExecuted });
  }
  if (status < 300) return protocolError(call, 'The endpoint answered another success than 200.', { status });
  // CAcert looks at the Host header before anything else, but whoever answered need not be CAcert.
  const detail =
    'The endpoint answered a redirect. Its host name is probably not one that CAcert goes by; it must be exact, without a port.';
  return protocolError(call, detail, { status });
}

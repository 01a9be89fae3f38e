import type { Reply } from '../http/exchange.ts';
import { parseRetryAfter } from '../http/retry-after.ts';
import type { Cleaner } from '../http/secrecy.ts';
import { replaceEnclosed } from '../lib/text.ts';
import { decodeEntities, readTexts } from './entities.ts';
import { CAcertError, type CAcertErrorDetails } from './errors.ts';

/** What is needed to read a reply. */
export interface AnswerContext {
  readonly call: string;
  readonly clean: Cleaner;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** An answer of one of CAcert's scripts, read as ISO-8859-1. */
export interface Answer {
  /** The number in the status line. It is the outcome; the HTTP status is always 200. */
  readonly code: number;
  /** The text after the number, trimmed. */
  readonly text: string;
  /** Everything after the status line. */
  readonly rest: string;
}

/** HTTP errors of a web server that did not run the script. A firewall that withholds the answer uses other ones. */
const beforeTheScript: ReadonlySet<number> = new Set([404, 405, 410, 413, 429]);

/** The status line. Included files may put a byte order mark or blanks before it. */
const statusLine = /^(?:\xef\xbb\xbf)*[ \t\xa0]*(\d{3}),([^\n]*)/m;
const webPage = /<!doctype\s+html|<html\b/i;

/**
 * Finds the status line of a reply: the first line with a number, a comma and a text. Blank lines and notices of PHP may
 * precede it. Throws a `CAcertError` if there is none, or if the HTTP status is not 200.
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

/** The error for an unusable answer with HTTP status 200. The service may have acted. */
export function protocolError(
  call: string,
  detail: string,
  details: Partial<CAcertErrorDetails> = {},
): CAcertError {
  return new CAcertError('ProtocolError', { call, status: 200, maybeExecuted: true, detail, ...details });
}

/** The error for an undocumented status line. The service may have acted before it sent that. */
export function unknownAnswer(answer: Answer, { call, clean }: AnswerContext): CAcertError {
  const detail = `The status line is not a documented one (${answer.code}).`;
  return protocolError(call, detail, { text: shownText(answer, clean) });
}

/** The explanation in an answer: all of its lines as one, without tags. */
export function plainText({ text, rest }: Answer): string {
  return readable(replaceEnclosed(`${text} ${rest}`, '<', '>', ' '))
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/**
 * The explanation as it may be shown: clipped, and undefined if it repeats a secret. The search for secrets comes before
 * the removal of tags and blanks, which a secret may contain, and covers each possible encoding of the answer.
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
  if (status < 300)
    return protocolError(call, 'The endpoint answered with a success other than 200.', { status });
  // CAcert checks the Host header before anything else, but this answer need not come from CAcert.
  const detail =
    'The endpoint answered with a redirect. Its host name is probably not one that CAcert accepts; it must be exact, without a port.';
  return protocolError(call, detail, { status });
}

import { z } from 'zod';
import type { Reply } from '../http/exchange.ts';
import { parseRetryAfter } from '../http/retry-after.ts';
import type { Cleaner } from '../http/secrecy.ts';
import { isUpstreamCode, type TinyCertErrorCode } from './error-codes.ts';
import { TinyCertError } from './errors.ts';

const errorBody = z.object({ code: z.string().min(1), text: z.string().catch('') });

/** Names of parameters, as the text of InputFailure and MissingParameter may give them. */
const parameterName = /\b(?:SANs|hash_method|passphrase|email|cert_id|ca_id|what|CN|OU|ST|C|L|O)\b/g;

/** How all codes of TinyCert look. Only such a code is shown to a person: digits might be a session token. */
const plausibleCode = /^[A-Z][A-Za-z]{1,39}$/;

/** What reading a reply needs to know. */
export interface ReplyContext {
  readonly call: string;
  /** The session token of the request, which the reply may repeat. */
  readonly token: string | undefined;
  readonly clean: Cleaner;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * The body of a 200, parsed as JSON and by the schema. The text is read as UTF-8, a byte that is none becomes U+FFFD.
 * Nothing of the body gets into the error, as it may be a key.
 */
export function parseBody<T>(call: string, body: Buffer, schema: z.ZodType<T>): T {
  const result = schema.safeParse(parseJson(call, body));
  if (result.success) return result.data;
  throw wrongShape(call, result.error);
}

/** Whether a body is a web page, as a sign-in portal or a parked domain answers with status 200. */
export function isWebPage(body: Buffer): boolean {
  return /^\ufeff?\s*<(?:!doctype\s+html|html)\b/i.test(body.toString('utf8', 0, 256));
}

/** The error for a reply of the wrong shape: says where and what was expected, never what was there. */
export function wrongShape(call: string, error: z.ZodError): TinyCertError {
  const [issue] = error.issues;
  const path = issue?.path.map(String).join('.');
  return protocolError(
    call,
    `The reply is not as documented at ${path || 'its top'} (${issue?.code ?? ''}).`,
  );
}

/** The error for a reply of status 200 that cannot be used. The service may have acted. */
export function protocolError(call: string, detail: string): TinyCertError {
  return new TinyCertError('ProtocolError', { call, status: 200, maybeExecuted: true, detail });
}

function parseJson(call: string, body: Buffer): unknown {
  try {
    return JSON.parse(withoutBom(body.toString('utf8')));
  } catch {
    // The parser's own message quotes the text.
    throw protocolError(call, 'The reply is not JSON.');
  }
}

function withoutBom(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** The error that a reply of another status than 200 means. Decided by the code in it; without one by the status. */
export function readError({ status, headers, body }: Reply, context: ReplyContext): TinyCertError {
  const { call, token, clean, now } = context;
  const retryAfterMs = parseRetryAfter(headers['retry-after'], now);
  const known = { call, status, retryAfterMs };
  if (status < 400)
    return new TinyCertError('ProtocolError', {
      ...known,
      maybeExecuted: true,
      detail:
        status >= 300
          ? 'The endpoint answered a redirect.'
          : 'The endpoint answered another success than 200.',
    });
  const reply = parseErrorBody(body);
  if (!reply)
    return new TinyCertError(status === 429 ? 'RateLimitExceeded' : 'UnexpectedStatus', {
      ...known,
      // Whoever wrote this, it was not the API: a gateway that gave up, or a firewall that kept the answer back, says
      // nothing of what happened behind it. Only those who limit requests are known to stop them on their way in.
      maybeExecuted: status !== 429,
    });
  const text = clean(reply.text, token);
  const code: TinyCertErrorCode = isUpstreamCode(reply.code) ? reply.code : 'UnrecognizedCode';
  return new TinyCertError(code, {
    ...known,
    text,
    // These two do not say at which point the service failed. What status UnknownError has is not documented.
    maybeExecuted: code === 'UnknownError' || (code === 'UnrecognizedCode' && status >= 500),
    parameter: code === 'InputFailure' || code === 'MissingParameter' ? parameterIn(text) : undefined,
    upstreamCode: code === 'UnrecognizedCode' ? shownCode(clean(reply.code, token)) : undefined,
  });
}

function parseErrorBody(body: Buffer): { code: string; text: string } | undefined {
  try {
    return errorBody.safeParse(JSON.parse(withoutBom(body.toString('utf8')))).data;
  } catch {
    return undefined;
  }
}

function shownCode(code: string | undefined): string | undefined {
  return code !== undefined && plausibleCode.test(code) ? code : undefined;
}

/** The one parameter a text names. Safe to show, as it is a word of our own list. */
function parameterIn(text = ''): string | undefined {
  const names = new Set(text.match(parameterName));
  const [name] = names;
  return names.size === 1 ? name : undefined;
}

import { z } from 'zod';
import type { Reply } from '../http/exchange.ts';
import { parseRetryAfter } from '../http/retry-after.ts';
import type { Cleaner } from '../http/secrecy.ts';
import { isUpstreamCode, provesNothingDone, type TinyCertErrorCode } from './error-codes.ts';
import { TinyCertError } from './errors.ts';

const errorBody = z.object({ code: z.string().min(1), text: z.string().catch('') });

/** The names of parameters, as they may appear in the text of InputFailure and MissingParameter. */
const parameterName = /\b(?:SANs|hash_method|passphrase|email|cert_id|ca_id|what|CN|OU|ST|C|L|O)\b/g;

/** The form of all codes of TinyCert. Only such a code is shown to a person: one with digits might be a session token. */
const plausibleCode = /^[A-Z][A-Za-z]{1,39}$/;

/** What is needed to read a reply. */
export interface ReplyContext {
  readonly call: string;
  /** The session token of the request, which the reply may echo. */
  readonly token: string | undefined;
  readonly clean: Cleaner;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Parses the body of a 200 as JSON and by the schema. Invalid UTF-8 becomes U+FFFD. Throws a `ProtocolError` that contains
 * nothing of the body, because the body may be a key.
 */
export function parseBody<T>(call: string, body: Buffer, schema: z.ZodType<T>): T {
  const result = schema.safeParse(parseJson(call, body));
  if (result.success) return result.data;
  throw wrongShape(call, result.error);
}

/**
 * Throws a `ProtocolError` for a 200 that cannot be the success of a call without a documented body: a page, JSON that is
 * not whole, or an error. Every other body is taken for one, even none, since nobody knows the true one.
 */
export function assertSuccess(call: string, body: Buffer): void {
  if (isWebPage(body)) throw protocolError(call, 'The reply is a web page.');
  if (parseErrorBody(body)) throw protocolError(call, 'The reply is an error with the status of a success.');
  const text = withoutBom(body.toString('utf8')).trimStart();
  if (text.startsWith('{') || text.startsWith('[') || text.startsWith('"')) parseJson(call, body);
}

/** Whether a body is a web page, as from a sign-in portal or a parked domain. */
function isWebPage(body: Buffer): boolean {
  return /^\ufeff?\s*<(?:!doctype\s+html|html)\b/i.test(body.toString('utf8', 0, 256));
}

/** The error for a reply of the wrong shape. It has the position and the expectation, never the content. */
export function wrongShape(call: string, error: z.ZodError): TinyCertError {
  const [issue] = error.issues;
  const path = issue?.path.map(String).join('.');
  return protocolError(
    call,
    `The reply is not as documented at ${path || 'its top'} (${issue?.code ?? ''}).`,
  );
}

/** The error for an unusable reply with status 200. The service may have acted. */
export function protocolError(call: string, detail: string): TinyCertError {
  return new TinyCertError('ProtocolError', { call, status: 200, maybeExecuted: true, detail });
}

function parseJson(call: string, body: Buffer): unknown {
  try {
    return JSON.parse(withoutBom(body.toString('utf8')));
  } catch {
    // The message of the parser quotes the text.
    throw protocolError(call, 'The reply is not JSON.');
  }
}

function withoutBom(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** The error for a reply with a status other than 200. The code in the reply decides; without a code, the status does. */
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
          ? 'The endpoint answered with a redirect.'
          : 'The endpoint answered with a success other than 200.',
    });
  const reply = parseErrorBody(body);
  if (!reply)
    return new TinyCertError(status === 429 ? 'RateLimitExceeded' : 'UnexpectedStatus', {
      ...known,
      // This answer did not come from the API. A gateway that timed out or a firewall that withheld the answer does not
      // know what happened behind it. Only a rate limiter is known to stop a request before it arrives.
      maybeExecuted: status !== 429,
    });
  const text = clean(reply.text, token);
  const code: TinyCertErrorCode = isUpstreamCode(reply.code) ? reply.code : 'UnrecognizedCode';
  return new TinyCertError(code, {
    ...known,
    text,
    maybeExecuted: status !== 429 && !provesNothingDone(reply.code),
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

/** The parameter in a text that names only one. It is safe to show, because it is a word of our own list. */
function parameterIn(text = ''): string | undefined {
  const names = new Set(text.match(parameterName));
  const [name] = names;
  return names.size === 1 ? name : undefined;
}

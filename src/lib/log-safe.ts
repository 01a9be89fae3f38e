import { clip } from './errors.ts';

/** The fields of a log line besides its message. */
export type LogFields = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 6;
const MAX_ITEMS = 50;
const MAX_TEXT = 4096;
const REDACTED = '[redacted]';

/** Names of fields whose values never reach a log, in lower case without separators. */
const SECRET_NAMES = new Set([
  'accesstoken',
  'apikey',
  'authorization',
  'cookie',
  'credential',
  'credentials',
  'data',
  'idtoken',
  'passphrase',
  'password',
  'privatekey',
  'proxyauthorization',
  'refreshtoken',
  'setcookie',
  'stringdata',
  'tlskey',
  'token',
]);

const SECRET_TEXT =
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)|\b(?:Bearer|Basic)\s+[\w.~+/=-]{8,}/gi;

/**
 * A copy of `fields` that is safe to log. Fields with the name of a secret are replaced at any depth, and so are private keys and
 * bearer tokens inside texts. An Error becomes its name, code, message, stack and causes, without its other properties. Bytes become
 * their count. Depth, length and number of values are limited.
 */
export function safeFields(fields: LogFields): Record<string, unknown> {
  return safeObject(fields, MAX_DEPTH);
}

/** A text without private keys and bearer tokens, cut to a limited length. */
export function safeText(text: string): string {
  return clip(text.replace(SECRET_TEXT, REDACTED), MAX_TEXT);
}

function safeObject(object: object, depth: number): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(object).slice(0, MAX_ITEMS))
    safe[name] = isSecretName(name) && value !== undefined ? REDACTED : safeValue(value, depth - 1);
  return safe;
}

function isSecretName(name: string): boolean {
  return SECRET_NAMES.has(name.toLowerCase().replaceAll(/[-_.]/g, ''));
}

function safeValue(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return safeText(value);
    case 'bigint':
      return value.toString();
    case 'object':
      return value === null ? null : safeReference(value, depth);
    case 'boolean':
    case 'number':
      return value;
    case 'function':
    case 'symbol':
    case 'undefined':
    default:
      return undefined;
  }
}

function safeReference(value: object, depth: number): unknown {
  if (depth <= 0) return '[deep]';
  if (value instanceof Error) return safeError(value, depth);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  if (value instanceof URL) return safeText(`${value.origin}${value.pathname}`);
  if (value instanceof Map || value instanceof Set) return `[${value.size} items]`;
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => safeValue(item, depth - 1));
  return safeObject(value, depth);
}

function safeError(error: Error, depth: number): Record<string, unknown> {
  const code: unknown = 'code' in error ? error.code : undefined;
  return {
    name: safeText(error.name),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    message: safeText(error.message),
    ...(typeof error.stack === 'string' ? { stack: safeText(error.stack) } : {}),
    ...(error.cause === undefined ? {} : { cause: safeValue(error.cause, depth - 1) }),
  };
}

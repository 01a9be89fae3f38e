import { clip } from '../lib/errors.ts';
import { holds, trimEndOf } from '../lib/text.ts';
import { escapeForm } from './form.ts';

/**
 * Cleans a text of the service before it may appear anywhere. Returns undefined if it must be withheld. `token` is the
 * secret of this one request, if it has one.
 */
export type Cleaner = (text: string, token: string | undefined) => string | undefined;

/**
 * Creates a cleaner for an account. A text that repeats a secret in any usual spelling is withheld completely: with the
 * secret cut out, its position would remain visible, and for a short secret that would give it away.
 */
export function createCleaner(secrets: readonly string[]): Cleaner {
  const fixed = secrets.flatMap(spellings);
  return (text, token) => {
    const haystack = text.toLowerCase();
    const needles = token ? [...fixed, ...spellings(token)] : fixed;
    if (needles.some((needle) => holds(haystack, needle)) || haystack.includes('private key'))
      return undefined;
    return clip(text);
  };
}

/** The spellings of a secret in an echo: plain, as a form or URL value, in JSON, HTML, base64 and hex. Lower case. */
function spellings(secret: string): string[] {
  const escaped = encodeURIComponent(secret.toWellFormed());
  const html = secret
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
  const plain = new Set([
    secret,
    escaped,
    escapeForm(secret),
    new URLSearchParams([['', secret]]).toString().slice(1),
    JSON.stringify(secret).slice(1, -1),
    JSON.stringify(secret).slice(1, -1).replaceAll('/', '\\/'),
    html,
    html.replaceAll("'", '&#039;'),
    html.replaceAll("'", '&#39;'),
    trimEndOf(Buffer.from(secret).toString('base64'), '='),
    Buffer.from(secret).toString('base64url'),
    Buffer.from(secret).toString('hex'),
  ]);
  return [...plain].filter((text) => text !== '').map((text) => text.toLowerCase());
}

/**
 * A cause that is safe to keep: it has the code and the message of a network error. The original may contain a slice of
 * the reply (the HTTP parser's `data`), which may be a private key.
 */
export function safeCause(error: Error, clean: Cleaner): Error {
  const code = (error as NodeJS.ErrnoException).code;
  const parts = error instanceof AggregateError ? error.errors : [error];
  const text = parts.map((part) => (part instanceof Error ? part.message : '')).join('; ');
  const cause = new Error(clean(text, undefined) ?? 'The message was withheld because it repeats a secret.');
  cause.name = error.name;
  return typeof code === 'string' ? Object.assign(cause, { code }) : cause;
}

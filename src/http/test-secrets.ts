/** Searches for secrets in everything that a program may print. */
import { inspect } from 'node:util';
import { expect } from 'vitest';

/** A value in all the forms in which a program may print it. */
export function printed(value: unknown): string {
  const parts = [
    inspect(value, { depth: Infinity, showHidden: true, getters: true }),
    String(value),
    json(value),
  ];
  for (let error = value; error instanceof Error; error = error.cause)
    parts.push(
      error.message,
      error.stack ?? '',
      json(Object.entries(error)),
      json(Object.getOwnPropertyDescriptors(error)),
    );
  if (value instanceof Object && 'text' in value) parts.push(String(value.text));
  return parts.join('\n');
}

/** JSON, or an empty text for a value that has no JSON. */
export function json(value: unknown): string {
  return JSON.stringify(value) ?? '';
}

/** Expects that the text contains none of the secrets, in upper or lower case. */
export function expectNone(secrets: readonly string[], text: string): void {
  for (const secret of secrets) expect(text.toLowerCase()).not.toContain(secret.toLowerCase());
}

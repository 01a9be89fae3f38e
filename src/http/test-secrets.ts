/** What tests look for secrets in. */
import { inspect } from 'node:util';
import { expect } from 'vitest';

/** All the ways in which a program may print a value. */
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

/** JSON, also of what has none. */
export function json(value: unknown): string {
  return JSON.stringify(value) ?? '';
}

/** Looks for each secret, in any case. */
export function expectNone(secrets: readonly string[], text: string): void {
  for (const secret of secrets) expect(text.toLowerCase()).not.toContain(secret.toLowerCase());
}

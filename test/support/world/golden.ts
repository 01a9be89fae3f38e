import { readFileSync, writeFileSync } from 'node:fs';

/**
 * The content of `test/golden/<name>`, to compare with `text`. After an intended change, `UPDATE_GOLDEN=1 npm run
 * test:integration` rewrites the files; their diff is then part of the review.
 */
export function golden(name: string, actual: string): string {
  const file = new URL(`../../golden/${name}`, import.meta.url);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, actual);
  return readFileSync(file, 'utf8');
}

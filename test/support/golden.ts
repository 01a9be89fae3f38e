import { readFileSync, writeFileSync } from 'node:fs';

/**
 * What `test/golden/<name>` holds, for comparing with the text at hand. After a change that is meant,
 * `UPDATE_GOLDEN=1 npm run test:integration` writes the files anew; their diff is then part of the review.
 */
export function golden(name: string, actual: string): string {
  const file = new URL(`../golden/${name}`, import.meta.url);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, actual);
  return readFileSync(file, 'utf8');
}

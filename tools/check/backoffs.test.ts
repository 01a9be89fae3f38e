import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { BackoffOptions } from '../../src/lib/backoff.ts';

const root = join(import.meta.dirname, '../..');

/** The rows of the table in docs/guarantees.md: `| when | constant | file | value |`. */
const rows = [
  ...readFileSync(join(root, 'docs/guarantees.md'), 'utf8').matchAll(
    /^\|[^|]+\| `([A-Z_]+)` \| `([\w./-]+)` \| ([^|]+) \|$/gm,
  ),
].map(([, name = '', file = '', value = '']) => ({ name, file, value }));

/** How a constant whose name says that something is waited for is declared. */
const WAIT =
  /^export const ([A-Z_]*(?:BACKOFF|RETRY|RETRIES|AFTER|AGAIN_MS|PAUSE|DELAY|INTERVAL|POLL|RECHECK|CHECK|WAIT|REPEAT|REFILL|REQUEUE|PER_PERIOD|RELEASE)[A-Z_]*)(?::[^=]+)? = /gm;

describe('docs/guarantees.md lists the waits', () => {
  test.each(rows)('$name of $file with its value', async ({ name, file, value }) => {
    const module = (await import(join(root, file))) as Record<string, unknown>;
    expect(describeWait(name, module[name])).toBe(value);
  });

  test('all of them', () => {
    const declared = globSync('src/**/*.ts', { cwd: root })
      .filter((file) => !file.endsWith('.test.ts'))
      .flatMap((file) =>
        [...readFileSync(join(root, file), 'utf8').matchAll(WAIT)].map(([, name]) => `${name} of ${file}`),
      );
    expect(declared.length).toBeGreaterThan(20);
    expect(declared.filter((wait) => !rows.some(({ name, file }) => wait === `${name} of ${file}`))).toEqual(
      [],
    );
  });
});

/** The value of a constant as the table has it. */
function describeWait(name: string, value: unknown): string {
  if (Array.isArray(value)) return value.map((each: number) => duration(each)).join(', ');
  if (typeof value === 'number') return name.endsWith('_MS') ? duration(value) : String(value);
  const { base, max, jitter = 0 } = value as BackoffOptions;
  const growth = base === max ? '' : `, doubling to ${duration(max)}`;
  return `${duration(base)}${growth}, ±${jitter * 100} %`;
}

function duration(ms: number): string {
  const units = [
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1_000, 's'],
  ] as const;
  const unit = units.find(([size]) => ms % size === 0);
  return unit ? `${ms / unit[0]} ${unit[1]}` : `${ms} ms`;
}

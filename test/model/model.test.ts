import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Outcome, tell } from './search/breadth-first.ts';
import type { Case } from './cases/case.ts';
import { cases, savers } from './cases/cases.ts';
import { judge, wantedOf } from './cases/judge.ts';
import { type RuleName, ruleNames } from './rules.ts';
import type { Scenario } from './cases/scenarios.ts';
import { search } from './search/search.ts';
import { limits, scenarios } from './cases/worlds.ts';

/** Some searches take seconds, and several times as long on a busy machine. */
const LONG = { timeout: 120_000 };

describe('with all rules on', LONG, () => {
  test.each(Object.entries<Scenario>(scenarios))('nothing breaks in the world %s', (name, scenario) => {
    const { finding, states, depth, isComplete } = search(scenario);

    expect(finding && tell(finding)).toBeUndefined();
    expect(isComplete).toBe(true);
    console.log(`${name}: ${states} states, ${depth} steps deep, ${scenario.about}`);
  });

  test.each(limits)('it is known that $about', (limit) => {
    expect(judge(search(limit.world).finding, limit)).toEqual(wantedOf(limit));
  });
});

describe('with a rule off', LONG, () => {
  const short = cases.filter(({ isLong }) => !isLong);

  test.each(short)('$breaks after $steps steps: $off', (example) => {
    const { off, steps } = example;

    const { finding, depth } = searchOf(example);
    const withEach =
      off.length < 2
        ? []
        : off.map((rule) => searchOf({ ...example, off: without(off, rule) }, steps).finding);
    const withAll = searchOf({ ...example, off: [] }, depth);

    expect(judge(finding, example)).toEqual(wantedOf(example));
    expect(withEach.filter((found) => found !== undefined)).toEqual([]);
    expect(withAll.finding).toBeUndefined();
  });

  test.each(savers)('nothing breaks without $off, which only saves work', ({ off, world }) => {
    expect(search(world, off)).toMatchObject({ isComplete: true, finding: undefined });
  });

  test('every rule has a case', () => {
    const shown = new Set([...cases, ...savers].flatMap(({ off }) => off));

    expect([...shown].sort()).toEqual([...ruleNames].sort());
  });
});

test('the README tells where every rule is, in files that exist', () => {
  const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8');
  const table = readme.slice(readme.indexOf('| rule | code | test |')).split('\n\n')[0] ?? '';
  const rows = table.split('\n').map((row) => row.split('|').map((cell) => [...cell.matchAll(/`(.*?)`/g)]));
  const listed = (column: number): string[] =>
    rows.flatMap((row) => (row[column] ?? []).map(([, each = '']) => each));
  const files = globSync('{src,test}/**/*.ts', { cwd: new URL('../..', import.meta.url) });
  const isThere = (name: string): boolean => files.some((file) => file.endsWith(`/${name}`));

  expect(listed(1).sort()).toEqual([...ruleNames].sort());
  expect([...listed(2), ...listed(3)].filter((name) => !isThere(name))).toEqual([]);
});

function without(rules: readonly RuleName[], rule: RuleName): RuleName[] {
  return rules.filter((other) => other !== rule);
}

/** Searches the world of a case, up to a depth. */
function searchOf(
  { world, off, breaks, isOnly }: Pick<Case, 'world' | 'breaks' | 'isOnly'> & { off: readonly RuleName[] },
  depth = Infinity,
): Outcome {
  return search(world, off, { depth, ...(isOnly ? { only: breaks } : {}) });
}

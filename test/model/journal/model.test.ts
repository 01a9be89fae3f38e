import { describe, expect, test } from 'vitest';
import { type Outcome, tell } from '../breadth-first.ts';
import type { Case } from './case.ts';
import { cases, savers } from './cases.ts';
import { judge, wantedOf } from './judge.ts';
import { type RuleName, ruleNames } from './rules.ts';
import type { Scenario } from './scenarios.ts';
import { search } from './search.ts';
import { limits, scenarios } from './worlds.ts';

describe('with all rules of the journal on', () => {
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

describe('with a rule of the journal off', () => {
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

  test.each(savers)('nothing breaks without $off, which another rule makes good', ({ off, world }) => {
    expect(search(world, off)).toMatchObject({ isComplete: true, finding: undefined });
  });

  test('every rule has a case', () => {
    const shown = new Set([...cases, ...savers].map(({ off }) => off[0]));

    expect([...shown].sort()).toEqual([...ruleNames].sort());
  });

  test('every trace of the reference has a case', () => {
    const numbers = new Set(
      [...cases, ...limits].flatMap(({ trace }) => trace?.match(/^\d+/)?.map(Number) ?? []),
    );

    expect([...numbers].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });
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

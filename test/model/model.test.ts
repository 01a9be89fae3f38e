import { describe, expect, test } from 'vitest';
import { type Finding, tell } from './breadth-first.ts';
import { type Case, cases, limits, savers } from './cases.ts';
import { type RuleName, ruleNames } from './rules.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import { search } from './search.ts';

describe('with all rules on', () => {
  test.each(Object.entries<Scenario>(scenarios))('nothing breaks in the scenario %s', (name, scenario) => {
    const { finding, states, depth, isComplete } = search(scenario);

    expect(finding && tell(finding)).toBeUndefined();
    expect(isComplete).toBe(true);
    console.log(`${name}: ${states} states, ${depth} steps deep, ${scenario.about}`);
  });

  test.each(limits)('it is known that $about', (limit) => {
    const { finding } = search(limit.world, [], limit.isOnly ? { only: limit.breaks } : {});

    expect(judge(finding, limit)).toMatchObject(wantedOf(limit));
  });
});

describe('with a rule off', () => {
  test.each(cases)('$breaks: $off', (example) => {
    const { off, world, breaks, isOnly } = example;
    const only = isOnly ? { only: breaks } : {};

    const { finding, depth } = search(world, off, only);
    const withEach = off.map((rule) => search(world, without(off, rule), { ...only, depth }).finding);
    const withAll = search(world, [], { depth });

    expect(judge(finding, example)).toMatchObject(wantedOf(example));
    expect(withEach.filter((found) => found !== undefined)).toEqual([]);
    expect(withAll.finding).toBeUndefined();
  });

  test.each(savers)('nothing breaks without $off, which only saves', ({ off, world }) => {
    expect(search(world, off)).toMatchObject({ isComplete: true, finding: undefined });
  });

  test('every rule has a case', () => {
    const shown = new Set([...cases, ...savers].map(({ off }) => off[0]));

    expect([...shown].sort()).toEqual([...ruleNames].sort());
  });
});

function without(rules: readonly RuleName[], rule: RuleName): RuleName[] {
  return rules.filter((other) => other !== rule);
}

interface Judgement {
  breaks: string | undefined;
  /** What the trace ought to tell and does not. */
  untold: string[];
  steps: number;
}

function wantedOf({ breaks, steps }: Omit<Case, 'off'>): Partial<Judgement> {
  return { breaks, untold: [], ...(steps === undefined ? {} : { steps }) };
}

/** What a trace tells of what it should, in that order. */
function judge(finding: Finding | undefined, { tells }: Pick<Case, 'tells'>): Judgement {
  const trace = finding?.trace ?? [];
  const untold: string[] = [];
  let from = 0;
  for (const pattern of tells) {
    const index = trace.findIndex((sentence, at) => at >= from && pattern.test(sentence));
    if (index < 0) untold.push(String(pattern));
    else from = index + 1;
  }
  return {
    breaks: finding?.invariant,
    untold,
    steps: trace.length,
  };
}

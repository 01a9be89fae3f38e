import { describe, expect, test } from 'vitest';
import { type Scenario, scenarios } from './scenarios.ts';
import { search, tell } from './search.ts';

describe('with all rules on', () => {
  test.each(Object.entries<Scenario>(scenarios))('nothing breaks in %s', (_, scenario) => {
    const { finding } = search(scenario, [], { states: 20_000 });
    expect(finding && tell(finding)).toBeUndefined();
  });
});

import { expect, test } from 'vitest';
import { MailPopulation } from './population.ts';

test('every wish has a unique order of its addresses, whatever is changed', () => {
  const population = new MailPopulation(6);
  const orders = new Set<string>();
  for (let i = 0; i < 60; i += 1) {
    for (const wanted of population.all) {
      orders.add(wanted.wish.emails.join());
      expect(population.wishOf(wanted.wish.emails)).toBe(wanted.wish);
      if (i % 4 === 0) population.renew(wanted);
      else population.change(wanted, (i * 7.3) % 1);
    }
  }

  expect(orders.size).toBe(360);
});

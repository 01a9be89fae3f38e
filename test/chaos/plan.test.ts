import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CAS } from './issuers.ts';
import { makePlan, STEPS } from './plan.ts';

test('the same seed makes the same plan, another seed another', () => {
  const plan = makePlan(7, 50, 6, STEPS);

  expect(makePlan(7, 50, 6, STEPS)).toEqual(plan);
  expect(makePlan(8, 50, 6, STEPS)).not.toEqual(plan);
});

test.each([0, 1, 20, 200])('a plan with %i kills has that many', (kills) => {
  const { orders } = makePlan(3, kills, 6, STEPS);

  expect(orders.filter((order) => order.do === 'kill' || order.do === 'random')).toHaveLength(kills);
});

test('a plan with 200 kills kills and freezes at every step, with and without election, and while a call waits', () => {
  const { orders, deeds } = makePlan(1, 200, 6, STEPS);
  const at = (what: 'kill' | 'stop', election: boolean): Set<string> =>
    new Set(
      orders.flatMap((order) => (order.do === what && order.election === election ? [order.step] : [])),
    );

  for (const election of [true, false]) expect(at('kill', election)).toEqual(new Set(STEPS));
  expect(at('stop', true)).toEqual(new Set(STEPS));
  expect(new Set(orders.flatMap((order) => (order.do === 'pool' ? [order.how] : [])))).toEqual(
    new Set(['session', 'connections']),
  );
  const kinds = new Set(deeds.map(({ deed }) => deed.do));
  for (const kind of ['api-server', 'etcd', 'compact', 'older-crds', 'forge', 'twin', 'fault'] as const)
    expect(kinds).toContain(kind);
  for (const kind of [
    'switch',
    'rotate-key',
    'remake-issuer',
    'replay',
    'heap-duties',
    'mail',
    'mail-fault',
  ] as const)
    expect(kinds).toContain(kind);
  const faulty = new Set(deeds.flatMap(({ deed }) => ('at' in deed ? [`${deed.do} ${deed.at}`] : [])));
  for (const kind of ['fault', 'replay', 'rotate-key'])
    for (const ca of CAS) expect(faulty).toContain(`${kind} ${ca}`);
});

test('the steps are those of the operator', () => {
  const sources = globSync('src/**/*.ts', { exclude: ['**/*.test.ts'] });
  const steps = sources.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/failpoint\('(\w+)'\)/g)].map(([, step]) => step),
  );

  expect(new Set(steps)).toEqual(new Set(STEPS));
});

import { expect, test } from 'vitest';
import { inputs, issued } from '../../../test/support/inputs/inputs.ts';
import { READY } from './readiness.ts';
import { isUpToDate, upToDateStatus } from './up-to-date.ts';

const metadata = { namespace: 'ns', name: 'web-tls', uid: 'secret-uid', resourceVersion: '11' };
const touched = {
  state: 'changed',
  metadata,
  content: undefined,
  hasOutputs: true,
  hasMetadata: true,
} as const;

test('status is up to date while it says what is wanted, of the present spec', () => {
  expect(isUpToDate(inputs(), READY)).toBe(true);
  expect(isUpToDate(inputs(), { ...READY, message: 'Other words.' })).toBe(false);
  expect(isUpToDate(inputs({ generation: 2 }), READY)).toBe(false);
  expect(isUpToDate(inputs({ status: { ...issued, renewalTime: '2026-03-03T00:00:00Z' } }), READY)).toBe(
    false,
  );
});

test('a Secret that was not checked for the present spec is recorded, whatever has been reported of it', () => {
  const { secretGeneration: _, ...unchecked } = issued;
  expect(isUpToDate(inputs({ status: unchecked }), READY)).toBe(false);
  expect(upToDateStatus(inputs({ status: unchecked, secret: touched }), READY).change).toMatchObject({
    secretResourceVersion: '11',
    secretGeneration: 1,
    awaitedSecret: null,
  });
});

test('a Secret that is missing, or lacks something, counts neither as checked nor as one that has to be recorded', () => {
  const { secretGeneration: _, ...unchecked } = issued;
  for (const secret of [
    { state: 'absent' },
    { ...touched, hasOutputs: false },
    { ...touched, hasMetadata: false },
  ] as const) {
    const given = inputs({ status: unchecked, secret });
    expect(isUpToDate(given, READY)).toBe(true);
    expect(upToDateStatus(given, READY).change).not.toHaveProperty('secretGeneration');
    expect(upToDateStatus(given, READY).change).not.toHaveProperty('secretResourceVersion');
  }
});

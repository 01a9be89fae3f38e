import { expect, test } from 'vitest';
import { DAY, inputs, ISSUED, issued, ref } from '../../../test/support/inputs/inputs.ts';
import { decideAfterAdoption } from './after-adoption.ts';

const brandNew = { status: {}, secret: { state: 'absent' }, sealed: false } as const;

test('what the Secret proves and the resource does not want becomes a former certificate with the purchase', () => {
  expect(decideAfterAdoption(inputs(brandNew), ref(3))).toMatchObject({
    do: 'issue',
    operation: 'New',
    givesUp: ref(3),
  });
});

test('without proof the status decides', () => {
  expect(decideAfterAdoption(inputs(brandNew), undefined)).not.toHaveProperty('givesUp');
  expect(decideAfterAdoption(inputs(), undefined)).toMatchObject({ do: 'nothing' });
});

test('a renewal on the word of a status with a broken seal buys a new key', () => {
  const due = { status: issued, sealed: false, now: ISSUED + 70 * DAY } as const;
  expect(decideAfterAdoption(inputs(due), undefined)).toMatchObject({ do: 'issue', operation: 'New' });
});

test('a purchase that is blocked gives nothing up', () => {
  const blocked = { ...brandNew, elder: 'TinyCertCertificate a' } as const;
  expect(decideAfterAdoption(inputs(blocked), ref(3))).toEqual(
    expect.not.objectContaining({ givesUp: ref(3) }),
  );
});

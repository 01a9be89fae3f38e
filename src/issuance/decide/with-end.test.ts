import { expect, test } from 'vitest';
import { certificate, issued } from '../../../test/support/inputs/inputs.ts';
import { withEnd } from './with-end.ts';

const END = Date.parse(issued.notAfter ?? '');
const served = certificate({ status: issued });

test.each<[string, Parameters<typeof withEnd>[1], number, object]>([
  ['is the only time if there is no other', {}, END - 1, { requeueAt: END }],
  ['comes before a later time', { requeueAt: END + 1 }, 0, { requeueAt: END }],
  ['does not delay an earlier time', { requeueAt: END - 5 }, 0, { requeueAt: END - 5 }],
  ['is added to a delay', { requeueAfterMs: 7 }, 0, { requeueAfterMs: 7, requeueAt: END }],
  ['is not added once it has come', { requeueAfterMs: 7 }, END, { requeueAfterMs: 7 }],
])('the end of a certificate %s', (_, result, now, want) => {
  expect(withEnd(served, result, now)).toEqual(want);
});

test('a resource without a certificate has no end', () => {
  expect(withEnd(certificate(), { requeueAt: 5 }, 0)).toEqual({ requeueAt: 5 });
});

import { describe, expect, test } from 'vitest';
import { brandNew, inputs, ISSUED, issued } from '../../test/support/inputs/cacert-inputs.ts';
import { failedConditions, SERVED, servedUntil, settledCondition, workingConditions } from './readiness.ts';

const why = { reason: 'Renewing', message: 'It is being renewed.' };
const expiry = Date.parse(issued.notAfter ?? '');

describe('the conditions', () => {
  test.each([
    ['while a need is being met', workingConditions, 'True'],
    ['after a failure', failedConditions, 'False'],
  ] as const)('%s leave Ready true while the certificate is served', (_, conditions, status) => {
    expect(conditions(inputs(), why)).toEqual([SERVED, { type: 'Issuing', status, ...why }]);
    expect(conditions(inputs(brandNew), why)).toEqual([
      { type: 'Ready', status: 'False', ...why },
      { type: 'Issuing', status, ...why },
    ]);
  });

  test.each([
    ['a certificate that is valid', ISSUED, SERVED],
    ['a certificate that expired', expiry, { type: 'Ready', status: 'False', reason: 'Expired' }],
  ])('of %s that needs nothing say whether it is valid', (_, now, ready) => {
    expect(settledCondition(inputs({ now }))).toMatchObject(ready);
  });
});

test.each([
  ['served', {}, expiry],
  ['new', brandNew, undefined],
  ['expired', { now: expiry }, undefined],
])(
  'Ready of a certificate that is %s turns false by itself at its expiry, if it is true now',
  (_, change, until) => {
    expect(servedUntil(inputs(change))).toBe(until);
  },
);

import { describe, expect, test } from 'vitest';
import { certificates } from '../../api/kinds.ts';
import { certificate } from '../../../test/support/inputs/inputs.ts';
import { ownersChange } from './owner-references.ts';

const own = {
  apiVersion: 'tinycert-operator.io/v1alpha1',
  kind: 'TinyCertCertificate',
  name: 'web',
  uid: 'uid',
};
const before = { ...own, uid: 'an earlier one' };
const other = { apiVersion: 'v1', kind: 'ConfigMap', name: 'web', uid: 'other' };

describe('the owners of a Secret', () => {
  test.each([
    ['Retain', [], undefined],
    ['Retain', [other], undefined],
    ['Retain', [other, own], [other]],
    ['Retain', [before], []],
    ['Delete', [], [own]],
    ['Delete', [other], [other, own]],
    ['Delete', [other, own], undefined],
    ['Delete', [own, other], undefined],
    ['Delete', [before], [own]],
  ] as const)('with the policy %s and %j become %j', (secretDeletionPolicy, present, wanted) => {
    const resource = certificate({ spec: { secretDeletionPolicy } });
    expect(ownersChange(certificates, resource, { ownerReferences: [...present] })).toEqual(
      wanted === undefined ? {} : { ownerReferences: wanted },
    );
  });

  test('stay the same without a deletion policy', () => {
    expect(ownersChange(certificates, certificate(), undefined)).toEqual({});
  });
});

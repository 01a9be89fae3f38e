import { describe, expect, test } from 'vitest';
import { MANAGED_LABEL, SECRET_ANNOTATIONS } from '../../api/names.ts';
import { hasMetadata, isOwnSecret, madeFor } from './metadata.ts';

const kind = { nameAnnotation: 'example.com/made-for' };
const managed = { [MANAGED_LABEL]: 'true' };
const named = { 'example.com/made-for': 'web' };

function secret(
  labels: Record<string, string> | undefined,
  annotations: Record<string, string> | undefined,
  uid = 'secret-uid',
) {
  const metadata = {
    name: 'web-tls',
    uid,
    ...(labels ? { labels } : {}),
    ...(annotations ? { annotations } : {}),
  };
  return { metadata };
}

describe('a Secret belongs to a certificate', () => {
  const certificate = {
    metadata: { name: 'web' },
    status: { secretUID: 'secret-uid', serialNumber: '07' },
  };

  test.each([
    ['with our label and the name', secret(managed, named, 'restored'), undefined, true],
    ['with our label, if status records it', secret(managed, undefined), undefined, true],
    ['with the name, if status records it', secret(undefined, named), undefined, true],
    ['with its serial number, if status records it', secret(undefined, undefined), '07', true],
    ['not on the word of status alone', secret(undefined, undefined), undefined, false],
    ['not with another serial number', secret(undefined, undefined), '08', false],
    ['not with our label alone', secret(managed, undefined, 'other'), '07', false],
    ['not with the name alone', secret(undefined, named, 'other'), '07', false],
    [
      'not with the name of another resource',
      secret(managed, { 'example.com/made-for': 'api' }, 'x'),
      '07',
      false,
    ],
    ['not with another value of our label', secret({ [MANAGED_LABEL]: 'yes' }, named, 'x'), '07', false],
  ])('%s', (_, present, serialNumber, want) => {
    expect(isOwnSecret(kind, certificate, present, serialNumber)).toBe(want);
  });

  test('not if neither has a serial number', () => {
    const unissued = { metadata: { name: 'web' }, status: { secretUID: 'secret-uid' } };
    expect(isOwnSecret(kind, unissued, secret(undefined, undefined), undefined)).toBe(false);
  });

  test('not if neither has a uid', () => {
    const { uid: _, ...metadata } = secret(managed, undefined).metadata;
    expect(isOwnSecret(kind, { metadata: { name: 'web' }, status: {} }, { metadata }, '07')).toBe(false);
  });
});

test.each([
  ['one of the operator', secret(managed, named), 'web'],
  ['one without our label', secret(undefined, named), undefined],
  ['one without the annotation', secret(managed, undefined), undefined],
])('the resource of a Secret, %s, is %s', (_, present, want) => {
  expect(madeFor(kind, present)).toBe(want);
});

describe('a Secret with what others added', () => {
  const wanted = {
    labels: managed,
    annotations: { ...named, [SECRET_ANNOTATIONS.altNames]: 'a.example.com,b.example.com' },
  };
  const names = (text: string) => ({ ...wanted.annotations, [SECRET_ANNOTATIONS.altNames]: text });

  test.each([
    ['is complete', { ...managed, theirs: 'x' }, { ...wanted.annotations, theirs: 'x' }, true],
    ['may list names in another order', managed, names('b.example.com,a.example.com'), true],
    ['lacks a name', managed, names('a.example.com'), false],
    ['lists a name twice', managed, names('a.example.com,a.example.com,b.example.com'), false],
    ['has a rewritten label', { [MANAGED_LABEL]: 'false' }, wanted.annotations, false],
    ['lacks a label', {}, wanted.annotations, false],
    ['lacks an annotation', managed, named, false],
    [
      'has the characters of a plain value in another order',
      managed,
      { ...wanted.annotations, 'example.com/made-for': 'bew' },
      false,
    ],
  ])('%s', (_, labels, annotations, want) => {
    expect(hasMetadata(secret(labels, annotations), wanted)).toBe(want);
  });

  test('lacks everything if it has no metadata', () => {
    expect(hasMetadata(secret(undefined, undefined), wanted)).toBe(false);
  });
});

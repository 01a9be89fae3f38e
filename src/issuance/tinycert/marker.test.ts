import { expect, test } from 'vitest';
import { installationMark, isMarked, markerOf } from './marker.ts';

const issuer = '11111111-1111-4111-8111-111111111111';
const other = '22222222-2222-4222-8222-222222222222';
const resource = '33333333-3333-4333-8333-333333333333';

test('a marker fits an organizational unit and is the same every time', () => {
  expect(markerOf(issuer, resource)).toBe('tinycert-operator:bd7662a5eeb4:250e5a90d60b4611d0bcfcd19be2bbd0');
  expect(markerOf(issuer, resource).length).toBeLessThanOrEqual(64);
});

test('a marker identifies the resource and the installation', () => {
  const all = [issuer, other].flatMap((of) => [resource, other].map((uid) => markerOf(of, uid)));

  expect(new Set(all).size).toBe(4);
  expect(all.map((marker) => marker.startsWith(installationMark(issuer)))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test.each([
  [{ organizationalUnit: markerOf(issuer, resource) }, true],
  [{ organizationalUnit: 'IT' }, false],
  [{}, false],
])('%j is marked: %s', (subject, want) => {
  expect(isMarked(subject)).toBe(want);
});

import { expect, test } from 'vitest';
import { Directory, type State } from './directory.ts';
import { AtRest } from './at-rest.ts';

interface Issuer {
  account: { name: string };
  authority: number;
}
const account = { name: 'one' };
const ready = (authority = 1): State<Issuer> => ({ ready: true, issuer: { account, authority } });
const notReady = (reason: string): State<Issuer> => ({ ready: false, reason, message: '', account });

test.each<[string, State<Issuer> | undefined, State<Issuer> | undefined, boolean]>([
  ['found it ready, and it is not any more', ready(), notReady('Timeout'), false],
  ['found it not ready, and it is not in other words', notReady('Timeout'), notReady('Refused'), false],
  ['found it ready, and it is ready again', ready(), ready(), false],
  ['found it ready, and it is another one', ready(), ready(2), true],
  ['found it not ready, and it is ready', notReady('Timeout'), ready(), true],
  ['found it ready, and it is gone', ready(), undefined, true],
  ['found none, and it is not ready', undefined, notReady('Timeout'), true],
])('a certificate that needed nothing and %s', (_, found, now, isConcerned) => {
  const directory = new Directory<Issuer>((a, b) => a.authority === b.authority);
  const atRest = new AtRest(directory);
  atRest.note('ns/web', true, found);
  if (now) directory.set('ca', now);
  expect(atRest.isConcerned('ns/web', 'ca')).toBe(isConcerned);
});

test('a certificate that needs something, or that is forgotten, is concerned by every change', () => {
  const directory = new Directory<Issuer>(() => true);
  directory.set('ca', notReady('Timeout'));
  const atRest = new AtRest(directory);
  expect(atRest.isConcerned('ns/web', 'ca')).toBe(true);
  atRest.note('ns/web', true, ready());
  atRest.note('ns/web', false, ready());
  expect(atRest.isConcerned('ns/web', 'ca')).toBe(true);
  atRest.note('ns/web', true, ready());
  atRest.forget('ns/web');
  expect(atRest.isConcerned('ns/web', 'ca')).toBe(true);
});

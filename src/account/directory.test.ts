import { expect, test } from 'vitest';
import { Directory, type State } from './directory.ts';

interface Issuer {
  account: { name: string };
  authority: number;
  key?: string;
}

const one = { name: 'one' };
const two = { name: 'two' };
const FAULT = { reason: 'Refused', message: 'The login is refused.' };

function setup() {
  const directory = new Directory<Issuer>((a, b) => a.authority === b.authority);
  const changed: string[] = [];
  const faulted: string[] = [];
  directory.onChange((key) => changed.push(key));
  directory.onFault((key) => faulted.push(key));
  return { directory, changed, faulted };
}

const ready = (account: Issuer['account'], authority = 1, key = ''): State<Issuer> => ({
  ready: true,
  issuer: { account, authority, key },
});
const notReady = (reason: string, account?: Issuer['account']): State<Issuer> => ({
  ready: false,
  reason,
  message: '',
  ...(account ? { account } : {}),
});

test.each<[string, boolean, State<Issuer>, State<Issuer>]>([
  ['the same issuer', false, ready(one), ready(one)],
  ['an issuer that differs in nothing that matters', false, ready(one), ready(one, 1, 'other')],
  ['an issuer with another authority', true, ready(one), ready(one, 2)],
  ['an issuer with another account', true, ready(one), ready(two)],
  ['one that is not ready any more', true, ready(one), notReady('Refused', one)],
  ['one that is ready again', true, notReady('Refused', one), ready(one)],
  ['the same reason', false, notReady('Refused', one), notReady('Refused', one)],
  ['another reason', true, notReady('Refused', one), notReady('Timeout', one)],
  ['the same reason with another account', true, notReady('Refused', one), notReady('Refused', two)],
  ['the same reason without an account', true, notReady('Refused', one), notReady('Refused')],
])('%s is a change: %s', (_, isChange, before, after) => {
  const { directory, changed } = setup();
  directory.set('a', before);
  changed.splice(0);
  directory.set('a', after);
  expect(changed).toEqual(isChange ? ['a'] : []);
  expect(directory.get('a')).toBe(after);
});

test('a first state is a change, and so is a deletion, once', () => {
  const { directory, changed } = setup();
  directory.set('a', ready(one));
  directory.delete('a');
  directory.delete('a');
  expect(changed).toEqual(['a', 'a']);
  expect(directory.get('a')).toBeUndefined();
});

test('a fault makes every ready user of the account not ready, and no one else', () => {
  const { directory, changed, faulted } = setup();
  directory.set('a', ready(one));
  directory.set('b', ready(two));
  directory.set('c', ready(one, 2));
  directory.set('d', notReady('Timeout', one));
  changed.splice(0);
  directory.fault(one, FAULT);
  expect(directory.get('a')).toEqual({ ready: false, ...FAULT, account: one });
  expect(directory.get('b')).toEqual(ready(two));
  expect(directory.get('d')).toEqual(notReady('Timeout', one));
  expect(changed).toEqual(['a', 'c']);
  expect(faulted).toEqual(['a', 'c']);
  directory.fault(one, FAULT);
  expect(faulted).toEqual(['a', 'c']);
});

test('a listener that has ended is not called', () => {
  const { directory } = setup();
  const heard: string[] = [];
  const ends = [directory.onChange((key) => heard.push(key)), directory.onFault((key) => heard.push(key))];
  for (const end of ends) end();
  directory.set('a', ready(one));
  directory.fault(one, FAULT);
  expect(heard).toEqual([]);
});

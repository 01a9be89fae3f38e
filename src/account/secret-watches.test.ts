import { expect, test } from 'vitest';
import { refKey } from '../kube/objects.ts';
import { MAX_WATCHES, SecretWatches } from './secret-watches.ts';

function setup(): { watches: SecretWatches; open: Map<string, (version: string) => void>; heard: string[] } {
  const open = new Map<string, (version: string) => void>();
  const heard: string[] = [];
  const watches = new SecretWatches((ref, onVersion) => {
    open.set(refKey(ref), onVersion);
    return () => open.delete(refKey(ref));
  });
  watches.onChange((holder) => heard.push(holder));
  return { watches, open, heard };
}

const a = { ref: { namespace: 'ns', name: 'a' }, version: '1' };
const b = { ref: { namespace: 'ns', name: 'b' }, version: '' };

test('holders of one Secret share its watch, and a change is reported for all of them', () => {
  const { watches, open, heard } = setup();
  expect(watches.want('one', [a])).toBe(true);
  expect(watches.want('two', [a, b])).toBe(true);
  expect([...open.keys()]).toEqual(['ns/a', 'ns/b']);
  open.get('ns/a')?.('2');
  expect(heard).toEqual(['one', 'two']);
});

test('a watch ends with its last holder, or when the holder names another Secret', () => {
  const { watches, open } = setup();
  watches.want('one', [a]);
  watches.want('two', [a]);
  watches.want('one', [b]);
  expect([...open.keys()]).toEqual(['ns/a', 'ns/b']);
  watches.release('two');
  expect([...open.keys()]).toEqual(['ns/b']);
  watches.release('one');
  expect(watches.size).toBe(0);
});

test('beyond the limit a Secret is not watched, and `want` returns false', () => {
  const { watches } = setup();
  for (let i = 0; i < MAX_WATCHES; i += 1)
    watches.want(`holder ${i}`, [{ ref: { namespace: 'ns', name: `s${i}` }, version: '' }]);
  expect(watches.want('one more', [a])).toBe(false);
  expect(watches.want('sharing', [{ ref: { namespace: 'ns', name: 's0' }, version: '' }])).toBe(true);
  expect(watches.size).toBe(MAX_WATCHES);
});

test('an event is a change unless it has the version that was read', () => {
  const { watches, open, heard } = setup();
  watches.want('one', [a, b]);
  open.get('ns/a')?.('1');
  open.get('ns/b')?.('');
  expect(heard).toEqual([]);
  open.get('ns/b')?.('7');
  open.get('ns/a')?.('');
  expect(heard).toEqual(['one', 'one']);
});

import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { readArchive } from './archive.ts';
import { testArchive, testTar } from './test-tar.ts';

const CONFIG = { architecture: 'amd64', os: 'linux', config: { User: '1:1' } };

test('upper layers replace and remove what lower ones have', () => {
  const base = testTar([
    { path: 'etc/kept', content: 'kept' },
    { path: 'etc/changed', content: 'old' },
    { path: 'etc/removed', content: 'x' },
    { path: 'opt/tree/deep', content: 'x' },
    { path: 'var/lib/emptied', content: 'x' },
  ]);
  const top = testTar([
    { path: 'etc/changed', content: 'new' },
    { path: 'etc/.wh.removed' },
    { path: 'opt/.wh.tree' },
    { path: 'var/lib/.wh..wh..opq' },
    { path: 'var/lib/added', content: 'x' },
  ]);
  const { files, config } = readArchive(testArchive(CONFIG, base, top));
  expect([...files.keys()].toSorted()).toEqual(['etc/changed', 'etc/kept', 'var/lib/added']);
  expect(files.get('etc/changed')?.content.toString()).toBe('new');
  expect(config.config.User).toBe('1:1');
});

test('a layer may be compressed', () => {
  const zipped = gzipSync(testTar([{ path: 'a', content: 'text' }]));

  const { files, layers } = readArchive(testArchive(CONFIG, zipped));
  expect(files.get('a')?.content.toString()).toBe('text');
  expect(layers[0]?.compressedBytes).toBe(zipped.length);
});

test('what is no archive of one image is refused', () => {
  expect(() => readArchive(testTar([{ path: 'a' }]))).toThrow('has no index.json');
  const two = { manifests: [{ mediaType: 'x.manifest.v1+json' }, { mediaType: 'x.manifest.v1+json' }] };
  expect(() => readArchive(testTar([{ path: 'index.json', content: JSON.stringify(two) }]))).toThrow(
    'has 2 images',
  );
});

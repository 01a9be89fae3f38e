import { expect, test } from 'vitest';
import { readArchive } from './archive.ts';
import { helpfulPrograms, leftSecrets, privilegedFiles, writableFiles, wrongLabels } from './complaints.ts';
import { testArchive, type TestEntry, testTar } from './test-tar.ts';

function image(entries: readonly TestEntry[], config: object = {}) {
  return readArchive(testArchive({ architecture: 'amd64', os: 'linux', config }, testTar(entries)));
}

function files(...entries: readonly TestEntry[]) {
  return image(entries).files;
}

test('a shell is found wherever programs are, also as a link, and nothing else is one', () => {
  expect(helpfulPrograms(files({ path: 'bin/sh', type: '2', target: 'busybox' }))).toHaveLength(1);
  expect(helpfulPrograms(files({ path: 'usr/bin/bash' }, { path: 'usr/sbin/apt-get' }))).toHaveLength(2);
  expect(helpfulPrograms(files({ path: 'nodejs/bin/npm' }))).toHaveLength(1);
  expect(helpfulPrograms(files({ path: 'nodejs/bin/node' }, { path: 'usr/share/sh' }))).toEqual([]);
});

test('what the user may write by owner, group or for all is found', () => {
  const mine = { path: 'app/a', uid: 65532, mode: 0o644 };
  const ofGroup = { path: 'app/b', gid: 65532, mode: 0o664 };
  const ofAll = { path: 'app/c', mode: 0o666 };
  const folder = { path: 'app/d', type: '5', mode: 0o777 };
  expect(writableFiles(files(mine, ofGroup, ofAll, folder))).toHaveLength(4);
});

test('what the user may only read is not, nor a link, nor the folders for what is temporary', () => {
  expect(
    writableFiles(
      files(
        { path: 'app/a', uid: 65532, mode: 0o444 },
        { path: 'app/b', gid: 65532, mode: 0o644 },
        { path: 'app/c', uid: 65532, mode: 0o466 },
        { path: 'app/link', type: '2', mode: 0o777 },
        { path: 'tmp', type: '5', mode: 0o1777 },
      ),
    ),
  ).toEqual([]);
});

test('a setuid or setgid bit is found', () => {
  expect(privilegedFiles(files({ path: 'a', mode: 0o4755 }, { path: 'b', mode: 0o2755 }))).toHaveLength(2);
  expect(privilegedFiles(files({ path: 'a', mode: 0o1755 }))).toEqual([]);
});

test('a label that is missing, empty or another is wrong', () => {
  const { config } = image([], { Labels: { a: '1', b: '', c: '3' } });
  expect(wrongLabels(config, { a: '1' })).toEqual([]);
  expect(wrongLabels(config, { a: '2', b: '', c: '3', d: '4' })).toHaveLength(3);
});

test("a secret is found by its file, in a file that a layer above removes, and in the image's configuration", () => {
  expect(leftSecrets(image([{ path: 'run/secrets/ca' }, { path: 'src/.npmrc' }]), [])).toHaveLength(2);
  const below = testTar([{ path: 'x', content: 'a t0ken here' }]);
  const above = testTar([{ path: '.wh.x' }]);
  const layered = readArchive(testArchive({ config: {} }, below, above));
  expect(leftSecrets(layered, ['t0ken'])).toEqual(['A secret of the build is in layer sha256:layer0.']);
  expect(leftSecrets(image([], { Env: ['TOKEN=t0ken'] }), ['t0ken'])).toHaveLength(1);
  expect(leftSecrets(layered, ['other'])).toEqual([]);
});

import { expect, test } from 'vitest';
import { actionlintFolder, builtFolder, cacheRoot, downloadedFolder, helmFolder } from './folders.ts';

test.each([
  [{ XDG_CACHE_HOME: '/x', HOME: '/h' }, '/x/tinycert-operator/control-plane'],
  [{ HOME: '/h' }, '/h/.cache/tinycert-operator/control-plane'],
  [{ XDG_CACHE_HOME: '', HOME: '/h' }, '/h/.cache/tinycert-operator/control-plane'],
  [{ XDG_CACHE_HOME: 'relative', HOME: '/h' }, '/h/.cache/tinycert-operator/control-plane'],
])('the cache for %o is %s', (env, want) => {
  expect(cacheRoot(env)).toBe(want);
});

test('binaries of different versions, platforms and origins never share a folder', () => {
  expect(builtFolder('/c', 'linux-amd64')).toBe('/c/kubernetes-v1.36.3-etcd-v3.7.3-linux-amd64');
  expect(downloadedFolder('/c', 'darwin-arm64')).toBe('/c/envtest-v1.36.2-darwin-arm64');
  expect(helmFolder('/c', 'linux-arm64')).toBe('/c/helm-v3.22.0-linux-arm64');
  expect(actionlintFolder('/c', 'linux-arm64')).toBe('/c/actionlint-v1.7.12-linux-arm64');
});

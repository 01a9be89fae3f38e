import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  ACTIONLINT_VERSION,
  envtestArchive,
  ETCD_VERSION,
  GO_VERSION,
  HELM_VERSION,
  KUBERNETES_VERSION,
  platform,
} from './versions.ts';

const MODULES = join(import.meta.dirname, 'modules');

describe('platform', () => {
  test.each([
    ['linux', 'x64', 'linux-amd64'],
    ['linux', 'arm64', 'linux-arm64'],
    ['darwin', 'arm64', 'darwin-arm64'],
  ])('%s on %s is %s in the words of Go', (os, arch, want) => {
    expect(platform(os, arch)).toBe(want);
  });
});

describe('the envtest archive', () => {
  test.each(['linux-amd64', 'linux-arm64', 'darwin-amd64', 'darwin-arm64'])('is pinned for %s', (target) => {
    const archive = envtestArchive(target);
    expect(archive?.url).toMatch(new RegExp(`^https://.*/envtest-v1\\.36\\.\\d+-${target}\\.tar\\.gz$`, 'u'));
    expect(archive?.sha512).toMatch(/^[0-9a-f]{128}$/u);
  });

  test('is not guessed for a platform without a published sum', () => {
    expect(envtestArchive('freebsd-amd64')).toBeUndefined();
  });
});

describe('the Go modules', () => {
  test('pin the announced Kubernetes and the matching versions of its parts', async () => {
    const text = await readFile(join(MODULES, 'kubernetes', 'go.mod'), 'utf8');
    expect(text).toContain(`k8s.io/kubernetes ${KUBERNETES_VERSION} `);
    const replaced = [...text.matchAll(/^\t(k8s\.io\/\S+) => (\S+) (\S+)$/gmu)];
    expect(replaced.length).toBeGreaterThan(30);
    for (const [, from, to, version] of replaced) {
      expect([to, version]).toEqual([from, KUBERNETES_VERSION.replace('v1.', 'v0.')]);
    }
  });

  test('pin the announced etcd', async () => {
    const text = await readFile(join(MODULES, 'etcd', 'go.mod'), 'utf8');
    expect(text).toContain(`go.etcd.io/etcd/server/v3 ${ETCD_VERSION} `);
  });

  test('pin the announced Helm', async () => {
    const text = await readFile(join(MODULES, 'helm', 'go.mod'), 'utf8');
    expect(text).toContain(`helm.sh/helm/v3 ${HELM_VERSION} `);
  });

  test('pin the announced actionlint', async () => {
    const text = await readFile(join(MODULES, 'actionlint', 'go.mod'), 'utf8');
    expect(text).toContain(`github.com/rhysd/actionlint ${ACTIONLINT_VERSION} `);
  });

  test.each(['kubernetes', 'etcd', 'helm', 'actionlint'])(
    'of %s need the announced Go, and have sums',
    async (name) => {
      expect(await readFile(join(MODULES, name, 'go.mod'), 'utf8')).toMatch(
        new RegExp(`^go ${GO_VERSION}(\\.\\d+)?$`, 'mu'),
      );
      expect(await readFile(join(MODULES, name, 'go.sum'), 'utf8')).toContain(' h1:');
    },
  );
});

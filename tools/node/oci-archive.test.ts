import { expect, test } from 'vitest';
import { architecture, imageConfig, imageIndex } from './oci-archive.ts';

const IMAGE = {
  name: 'localhost/pause:1',
  files: { pause: '/bin/pause' },
  entrypoint: ['/pause'],
  user: '65532:65532',
};

test('the configuration has the user as a number, by which Kubernetes knows that it is not root', () => {
  expect(imageConfig(IMAGE, 'sha256:1')).toEqual({
    architecture: architecture(),
    os: 'linux',
    config: { User: '65532:65532', Entrypoint: ['/pause'], WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: ['sha256:1'] },
  });
});

test('the index names the image for containerd and for others', () => {
  const manifest = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: 'sha256:2', size: 7 };
  expect(imageIndex(manifest, IMAGE.name)).toMatchObject({
    manifests: [
      {
        digest: 'sha256:2',
        annotations: {
          'io.containerd.image.name': IMAGE.name,
          'org.opencontainers.image.ref.name': IMAGE.name,
        },
      },
    ],
  });
});

test('architectures are in the words of OCI', () => {
  expect([architecture('x64'), architecture('arm64')]).toEqual(['amd64', 'arm64']);
});

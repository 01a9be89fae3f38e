import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { constants, copyFile, mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run } from './run.ts';

/** An image of a few programs that need nothing else: one layer, no shell, no libraries. */
export interface ScratchImage {
  /** Its whole name, such as `localhost/pause:1`. */
  name: string;
  /** Paths in the image, and the files to copy there. */
  files: Readonly<Record<string, string>>;
  entrypoint: readonly string[];
  /** `uid:gid` */
  user: string;
}

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

const OCI = 'application/vnd.oci.image';

/**
 * Writes the image into `file` as an OCI archive, which containerd, kind, Docker and Podman import. No container engine is needed
 * for it. Equal contents make an equal layer.
 */
export async function writeImageArchive(file: string, image: ScratchImage): Promise<void> {
  const folder = await mkdtemp(join(dirname(file), 'image-'));
  try {
    const root = join(folder, 'root');
    const oci = join(folder, 'oci');
    const blobs = join(oci, 'blobs', 'sha256');
    await mkdir(blobs, { recursive: true });
    for (const [path, source] of Object.entries(image.files)) {
      const target = join(root, path);
      await mkdir(dirname(target), { recursive: true });
      await copyFile(source, target, constants.COPYFILE_FICLONE);
    }
    const layerFile = join(folder, 'layer.tar');
    await run('tar', [
      '--create',
      `--file=${layerFile}`,
      `--directory=${root}`,
      '--sort=name',
      '--mtime=@0',
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      '.',
    ]);
    const layer: Descriptor = {
      mediaType: `${OCI}.layer.v1.tar`,
      digest: `sha256:${await digestOf(layerFile)}`,
      size: (await stat(layerFile)).size,
    };
    await rename(layerFile, join(blobs, layer.digest.slice('sha256:'.length)));
    const put = async (mediaType: string, content: unknown): Promise<Descriptor> => {
      const text = JSON.stringify(content);
      const hex = createHash('sha256').update(text).digest('hex');
      await writeFile(join(blobs, hex), text);
      return { mediaType, digest: `sha256:${hex}`, size: Buffer.byteLength(text) };
    };
    const config = await put(`${OCI}.config.v1+json`, imageConfig(image, layer.digest));
    const manifest = await put(`${OCI}.manifest.v1+json`, imageManifest(config, layer));
    await writeFile(join(oci, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    await writeFile(join(oci, 'index.json'), JSON.stringify(imageIndex(manifest, image.name)));
    await run('tar', ['--create', `--file=${file}`, `--directory=${oci}`, '.']);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** An architecture in the words of Go and OCI. */
export function architecture(arch: string = process.arch): string {
  return arch === 'x64' ? 'amd64' : arch;
}

/** The image's configuration, for an uncompressed layer: its digest is also its content's. */
export function imageConfig(image: ScratchImage, layerDigest: string): object {
  return {
    architecture: architecture(),
    os: 'linux',
    config: { User: image.user, Entrypoint: image.entrypoint, WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: [layerDigest] },
  };
}

function imageManifest(config: Descriptor, layer: Descriptor): object {
  return { schemaVersion: 2, mediaType: `${OCI}.manifest.v1+json`, config, layers: [layer] };
}

/** The index of an archive. containerd names the image by the one annotation, others by the other. */
export function imageIndex(manifest: Descriptor, name: string): object {
  return {
    schemaVersion: 2,
    mediaType: `${OCI}.index.v1+json`,
    manifests: [
      {
        ...manifest,
        annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name },
      },
    ],
  };
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

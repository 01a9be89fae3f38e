import { gunzipSync } from 'node:zlib';
import { ImageError } from '../errors.ts';
import { readTar, type TarEntry } from './tar.ts';

/** The part of an image's configuration that is looked at. */
export interface ImageConfig {
  architecture: string;
  os: string;
  config: {
    User?: string;
    Env?: readonly string[];
    Entrypoint?: readonly string[];
    Cmd?: readonly string[];
    WorkingDir?: string;
    Labels?: Readonly<Record<string, string>>;
  };
  history?: readonly { created_by?: string }[];
}

export interface Layer {
  digest: string;
  /** As it is transferred. */
  compressedBytes: number;
  tar: Buffer;
}

export interface Image {
  config: ImageConfig;
  /** From the base upwards. */
  layers: readonly Layer[];
  /** What is there in the end, by path. */
  files: ReadonlyMap<string, TarEntry>;
}

interface Descriptor {
  digest: string;
  mediaType: string;
}

/** Reads a tar of the OCI image layout with one image in it. @throws ImageError if it is something else. */
export function readArchive(archive: Buffer): Image {
  const blobs = new Map(readTar(archive).map(({ path, content }) => [path, content]));
  const blob = (path: string): Buffer => {
    const content = blobs.get(path);
    if (content === undefined)
      throw new ImageError('ArchiveInvalid', `The archive has no ${path}, so it is no OCI image layout.`);
    return content;
  };
  const at = ({ digest }: Descriptor): Buffer => blob(`blobs/${digest.replace(':', '/')}`);
  const json = (content: Buffer): unknown => JSON.parse(content.toString('utf8'));
  const { manifests } = json(blob('index.json')) as { manifests: Descriptor[] };
  const [first, ...more] = manifests;
  if (first === undefined || more.length > 0 || !/manifest\.v\d/.test(first.mediaType))
    throw new ImageError(
      'ArchiveInvalid',
      `The archive has ${manifests.length} images or indexes, where one image is expected.`,
    );
  const manifest = json(at(first)) as { config: Descriptor; layers: Descriptor[] };
  const layers = manifest.layers.map((descriptor) => {
    const content = at(descriptor);
    const isZipped = content[0] === 0x1f && content[1] === 0x8b;
    return {
      digest: descriptor.digest,
      compressedBytes: content.length,
      tar: isZipped ? gunzipSync(content) : content,
    };
  });
  return { config: json(at(manifest.config)) as ImageConfig, layers, files: merged(layers) };
}

const WHITEOUT = '.wh.';

/** Lays the layers on each other. A file with the prefix of a whiteout removes what the layers below have. */
function merged(layers: readonly Layer[]): Map<string, TarEntry> {
  const files = new Map<string, TarEntry>();
  for (const { tar } of layers)
    for (const entry of readTar(tar)) {
      const slash = entry.path.lastIndexOf('/') + 1;
      const name = entry.path.slice(slash);
      if (!name.startsWith(WHITEOUT)) files.set(entry.path, entry);
      else {
        const folder = entry.path.slice(0, slash);
        removeTree(
          files,
          name === `${WHITEOUT}${WHITEOUT}.opq` ? folder : folder + name.slice(WHITEOUT.length),
        );
      }
    }
  return files;
}

function removeTree(files: Map<string, TarEntry>, path: string): void {
  files.delete(path);
  const inside = path.endsWith('/') ? path : `${path}/`;
  for (const each of files.keys()) if (each.startsWith(inside)) files.delete(each);
}

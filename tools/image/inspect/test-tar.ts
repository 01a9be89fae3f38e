/** What a tar for a test has. */
export interface TestEntry {
  path: string;
  type?: string;
  mode?: number;
  uid?: number;
  gid?: number;
  target?: string;
  content?: string | Buffer;
}

/** A tar in the ustar format, of the fields that are read. */
export function testTar(entries: readonly TestEntry[]): Buffer {
  return Buffer.concat([...entries.map(block), Buffer.alloc(1024)]);
}

function block({
  path,
  type = '0',
  mode = 0o644,
  uid = 0,
  gid = 0,
  target = '',
  content = '',
}: TestEntry): Buffer {
  const header = Buffer.alloc(512);
  const body = Buffer.from(content as Buffer);
  const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, '0')}\0`;
  header.write(path, 0);
  header.write(octal(mode, 8), 100);
  header.write(octal(uid, 8), 108);
  header.write(octal(gid, 8), 116);
  header.write(octal(body.length, 12), 124);
  header.write(' '.repeat(8), 148);
  header.write(type, 156);
  header.write(target, 157);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(octal(sum, 7), 148);
  return Buffer.concat([header, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}

/** An OCI archive with these layers. */
export function testArchive(config: object, ...layers: readonly Buffer[]): Buffer {
  const blobs: TestEntry[] = [];
  const add = (name: string, content: string | Buffer): { digest: string; mediaType: string } => {
    blobs.push({ path: `blobs/sha256/${name}`, content });
    return { digest: `sha256:${name}`, mediaType: 'application/vnd.oci.image.manifest.v1+json' };
  };
  const described = layers.map((layer, index) => add(`layer${index}`, layer));
  const manifest = add(
    'manifest',
    JSON.stringify({ config: add('config', JSON.stringify(config)), layers: described }),
  );
  return testTar([...blobs, { path: 'index.json', content: JSON.stringify({ manifests: [manifest] }) }]);
}

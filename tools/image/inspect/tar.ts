import { ImageError } from '../errors.ts';

/** One entry of a tar. */
export interface TarEntry {
  /** Without a leading `./` or a trailing slash; the top folder is ''. */
  path: string;
  type: 'file' | 'folder' | 'symlink' | 'hardlink' | 'other';
  /** Permissions with setuid, setgid and sticky bit. */
  mode: number;
  uid: number;
  gid: number;
  /** Where a link leads. */
  target: string;
  content: Buffer;
}

const BLOCK = 512;
const TYPES: Readonly<Record<string, TarEntry['type']>> = {
  '0': 'file',
  '\0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '5': 'folder',
};

/** The entries of a tar (ustar, with the extensions of pax and GNU for long names). @throws ImageError if it is cut off or none. */
export function readTar(tar: Buffer): TarEntry[] {
  const entries: TarEntry[] = [];
  /** What holds for the next entry only. */
  let next: Record<string, string> = {};
  for (let at = 0; at + BLOCK <= tar.length;) {
    const header = tar.subarray(at, at + BLOCK);
    if (header[0] === 0) break;
    assertHeader(header);
    const size = Number(next['size'] ?? octal(header, 124, 12));
    const content = tar.subarray(at + BLOCK, at + BLOCK + size);
    if (content.length < size)
      throw new ImageError('ArchiveInvalid', 'The tar ends in the middle of a file.');
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    const type = String.fromCharCode(header[156] ?? 0);
    if (type === 'x') next = { ...next, ...paxFields(content) };
    else if (type === 'L') next = { ...next, path: text(content) };
    else if (type === 'K') next = { ...next, linkpath: text(content) };
    else if (type !== 'g') {
      entries.push(entryOf(header, type, content, next));
      next = {};
    }
  }
  return entries;
}

function entryOf(
  header: Buffer,
  type: string,
  content: Buffer,
  { path, linkpath, uid, gid }: Record<string, string>,
): TarEntry {
  const prefix = text(header.subarray(345, 500));
  const name = text(header.subarray(0, 100));
  return {
    path: (path ?? (prefix === '' ? name : `${prefix}/${name}`))
      .replace(/^(?:\.?\/)+|^\.$/, '')
      .replace(/\/$/, ''),
    type: TYPES[type] ?? 'other',
    mode: octal(header, 100, 8),
    uid: Number(uid ?? octal(header, 108, 8)),
    gid: Number(gid ?? octal(header, 116, 8)),
    target: linkpath ?? text(header.subarray(157, 257)),
    content,
  };
}

/** Every header has the sum of its bytes, with spaces in place of the sum. */
function assertHeader(header: Buffer): void {
  const blank = Buffer.from(header);
  blank.fill(' ', 148, 156);
  let sum = 0;
  for (const byte of blank) sum += byte;
  if (sum !== octal(header, 148, 8))
    throw new ImageError('ArchiveInvalid', 'This is no tar: a header has a wrong sum.');
}

/** The fields of a pax header: lines of `LENGTH key=value`. */
function paxFields(content: Buffer): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let at = 0; at < content.length;) {
    const length = Number.parseInt(content.subarray(at, at + 20).toString('latin1'), 10);
    if (!(length > 0))
      throw new ImageError('ArchiveInvalid', 'The tar has a pax header that cannot be read.');
    const line = content.subarray(at, at + length - 1).toString('utf8');
    const field = line.slice(line.indexOf(' ') + 1);
    const equals = field.indexOf('=');
    fields[field.slice(0, equals)] = field.slice(equals + 1);
    at += length;
  }
  return fields;
}

function octal(header: Buffer, at: number, length: number): number {
  return Number.parseInt(text(header.subarray(at, at + length)).trim() || '0', 8);
}

function text(field: Buffer): string {
  const end = field.indexOf(0);
  return field.subarray(0, end === -1 ? field.length : end).toString('utf8');
}

import type { Image } from './archive.ts';

/** What a part of the image is for. The first row that fits a path counts. */
const PURPOSES: readonly { purpose: string; paths: RegExp }[] = [
  { purpose: 'Node', paths: /^nodejs\// },
  { purpose: 'C and C++ libraries', paths: /^(?:usr\/)?lib/ },
  { purpose: 'time zones', paths: /^usr\/share\/zoneinfo/ },
  { purpose: "the public CAs' certificates", paths: /^(?:etc\/ssl|usr\/share\/ca-certificates)/ },
  {
    purpose: 'the operator: code for every start',
    paths: /^app\/(?:operator|chunks\/(?:main|chunk)-[^/]+)\.js$/,
  },
  { purpose: 'the operator: code for OIDC in kubeconfigs', paths: /^app\/chunks\/[^/]+\.js$/ },
  { purpose: 'the operator: source maps', paths: /^app\/.*\.map$/ },
  { purpose: 'bill of materials and licenses', paths: /^app\// },
];
const REST = 'the rest of the base image';

export interface Size {
  purpose: string;
  bytes: number;
}

/** The bytes of the image's files by purpose, those with most first. */
export function sizesOf(files: Image['files']): Size[] {
  const sums = new Map<string, number>();
  for (const { path, type, content } of files.values()) {
    const purpose = PURPOSES.find(({ paths }) => paths.test(path))?.purpose ?? REST;
    if (type === 'file') sums.set(purpose, (sums.get(purpose) ?? 0) + content.length);
  }
  return [...sums].map(([purpose, bytes]) => ({ purpose, bytes })).toSorted((a, b) => b.bytes - a.bytes);
}

/** The sizes, and the layers, as tables of Markdown. */
export function sizeTables({ files, layers }: Image): string {
  const purposes = sizesOf(files).map(({ purpose, bytes }) => [purpose, megabytes(bytes)]);
  const rows = layers.map(({ tar, compressedBytes }, index) => [
    index < layers.length - 1 ? `${index + 1}, of the base image` : `${index + 1}, the operator`,
    megabytes(tar.length),
    megabytes(compressedBytes),
  ]);
  return [table(['what for', 'MB'], purposes), table(['layer', 'MB', 'compressed'], rows)].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')).replaceAll(' ', '') + rows.map(line).join('');
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 1e5 ? 2 : 1);
}

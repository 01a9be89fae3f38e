import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export interface ReleaseOptions {
  /** Where the files go; absolute. */
  folder: string;
  standIns: boolean;
  base?: string;
  builder?: string;
  /** Of the published image, for install.yaml and the chart. */
  imageDigest?: string;
}

/** An argument is invalid. The message says what is valid. */
export class OptionError extends Error {}

export const HELP = `Makes all files of a release in a folder, and publishes nothing.

Usage: npm run release -- --dry-run [options]

Options
  --dry-run              Required. Publishing is the work of .github/workflows/release.yaml.
  --out FOLDER           Where the files go (dist/release). They replace an earlier release there.
  --base IMAGE, --builder IMAGE, --stand-ins
                         As of npm run image.
  --image-digest DIGEST  The digest of the published image (sha256:...), for install.yaml.
  --help                 Print this text.

docs/releases.md describes the files.
`;

/** Reads the arguments after the program's name. @throws OptionError. */
export function readOptions(args: readonly string[]): ReleaseOptions | 'help' {
  const values = parse(args);
  if (values.help === true) return 'help';
  if (values['dry-run'] !== true)
    throw new OptionError('Only --dry-run works here: .github/workflows/release.yaml publishes.');
  const { base, builder, out = 'dist/release', 'image-digest': imageDigest } = values;
  if (imageDigest !== undefined && !/^sha256:[0-9a-f]{64}$/.test(imageDigest))
    throw new OptionError(`--image-digest: "${imageDigest}" is not sha256: and 64 hexadecimal digits.`);
  return {
    folder: resolve(out),
    standIns: values['stand-ins'] ?? false,
    ...(base === undefined ? {} : { base }),
    ...(builder === undefined ? {} : { builder }),
    ...(imageDigest === undefined ? {} : { imageDigest }),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        'dry-run': { type: 'boolean' },
        out: { type: 'string' },
        base: { type: 'string' },
        builder: { type: 'string' },
        'stand-ins': { type: 'boolean' },
        'image-digest': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new OptionError(error instanceof Error ? error.message : String(error));
  }
}

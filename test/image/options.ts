import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ImageError } from '../../tools/image/errors.ts';

export interface CheckOptions {
  /** The image to check; absolute. Absent: one that is built for this. */
  archive?: string;
  /** Build it on stand-ins for the base images. */
  standIns: boolean;
  json: boolean;
}

export const HELP = `Checks the operator's image: builds it, looks into every file, and runs it as a hardened Pod does.

Usage: npm run image:check -- [options]

Options
  --stand-ins      Build it on substitutes for the base images, see npm run image -- --help.
  --archive FILE   Check this image, a tar of the OCI image layout, and build none. Whether a build leaves
                   secrets behind is not checked then.
  --json           Print one line of JSON instead of lines and tables.
  --help           Print this text.

It needs root and runc (on Debian: apt-get install runc), and a control plane, as npm test does.
`;

/** Reads the arguments after the program's name. @throws ImageError `OptionInvalid`. */
export function readOptions(args: readonly string[]): CheckOptions | 'help' {
  const { archive, help = false, json = false, 'stand-ins': standIns = false } = parse(args);
  if (help) return 'help';
  if (archive !== undefined && standIns)
    throw new ImageError(
      'OptionInvalid',
      '--stand-ins is for an image that is built: leave it out, or --archive.',
    );
  return { standIns, json, ...(archive === undefined ? {} : { archive: resolve(archive) }) };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        archive: { type: 'string' },
        'stand-ins': { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new ImageError('OptionInvalid', error instanceof Error ? error.message : String(error));
  }
}

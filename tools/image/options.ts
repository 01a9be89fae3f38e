import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { version } from '../../src/operator/version.ts';
import { ImageError } from './errors.ts';
import { BASE, BUILDER, REPOSITORY } from './facts.ts';

export interface ImageOptions {
  tag: string;
  /** Where to write the image as well; absolute. */
  archive?: string;
  platform?: string;
  base: string;
  builder: string;
  /** Use substitutes for both base images, which are built from Debian's packages. */
  standIns: boolean;
}

/** What `--platform` may be: those that Node and Debian have, and both base images. */
const PLATFORMS = ['linux/amd64', 'linux/arm64'];

export const HELP = `Builds the operator's image, with Docker if its engine answers, else with buildah.

Usage: npm run image -- [options]

Options
  --tag NAME       Name and tag (${REPOSITORY}:${version}).
  --archive FILE   Write the image to this file as well: a tar of the OCI image layout.
  --platform NAME  ${PLATFORMS.join(' or ')} (this machine's).
  --base IMAGE     What the operator runs on (${BASE}).
  --builder IMAGE  What it is built on (${BUILDER}).
  --stand-ins      Where the registries of both cannot be reached: build substitutes from Debian's packages and
                   npm's Node first. They are kept; for tests, not for production. As root, with debootstrap.
  --help           Print this text.

How npm reaches its registry here (.npmrc, npm_config_*, NODE_EXTRA_CA_CERTS) holds for the build too. It is mounted
and gets into no layer. docs/image.md describes what the image contains.
`;

/** Reads the arguments after the program's name. @throws ImageError `OptionInvalid`. */
export function readOptions(args: readonly string[]): ImageOptions | 'help' {
  const values = parse(args);
  if (values.help === true) return 'help';
  const { tag = `${REPOSITORY}:${version}`, archive, platform, base, builder } = values;
  const standIns = values['stand-ins'] ?? false;
  if (!/^[a-z0-9][\w./:-]*$/.test(tag))
    throw new ImageError(
      'OptionInvalid',
      `--tag: "${tag}" is no name of an image, such as example.org/name:tag.`,
    );
  if (platform !== undefined && !PLATFORMS.includes(platform))
    throw new ImageError('OptionInvalid', `--platform: "${platform}" is not ${PLATFORMS.join(' or ')}.`);
  if (standIns)
    for (const [name, value] of Object.entries({ base, builder, platform }))
      if (value !== undefined)
        throw new ImageError(
          'OptionInvalid',
          `--stand-ins takes the place of --base and --builder, for this machine's platform: leave out --${name}.`,
        );
  return {
    tag,
    base: base ?? BASE,
    builder: builder ?? BUILDER,
    standIns,
    ...(archive === undefined ? {} : { archive: resolve(archive) }),
    ...(platform === undefined ? {} : { platform }),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        tag: { type: 'string' },
        archive: { type: 'string' },
        platform: { type: 'string' },
        base: { type: 'string' },
        builder: { type: 'string' },
        'stand-ins': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new ImageError('OptionInvalid', error instanceof Error ? error.message : String(error));
  }
}

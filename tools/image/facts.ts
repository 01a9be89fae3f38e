import { version } from '../../src/operator/version.ts';
import { sourceDate } from '../build/source-date.ts';
import { type Environment } from '../control-plane/folders.ts';
import { outputOf } from './process.ts';

/** The image's name without its tag, as the chart has it. */
export const REPOSITORY = 'ghcr.io/tinycert-operator/tinycert-operator';
/** The base images, as the Dockerfile has them. */
export const BUILDER = 'docker.io/library/node:24-bookworm-slim';
export const BASE = 'gcr.io/distroless/nodejs24-debian12:latest';

/** What the image says about itself in its labels. */
export interface Facts {
  version: string;
  /** The commit, with `-dirty` if files differ from it; empty outside of a checkout. */
  revision: string;
  created: Date;
}

/** The facts of this checkout. */
export async function factsOf(env: Environment = process.env): Promise<Facts> {
  const git = (...args: string[]): Promise<string | undefined> => outputOf('git', args);
  const [commit, changes, time] = await Promise.all([
    git('rev-parse', 'HEAD'),
    git('status', '--porcelain'),
    git('log', '-1', '--format=%ct'),
  ]);
  // Images know no fractions of a second.
  const seconds = Math.floor(sourceDate(env, () => time).getTime() / 1000);
  return {
    version,
    revision: commit === undefined ? '' : `${commit}${changes === '' ? '' : '-dirty'}`,
    created: new Date(seconds * 1000),
  };
}

/** The build arguments of the Dockerfile that say so. */
export function factArgs({ version, revision, created }: Facts): Record<string, string> {
  return { VERSION: version, REVISION: revision, CREATED: created.toISOString().replace('.000Z', 'Z') };
}

/** The labels of an image that was built with these arguments on this base. */
export function labelsOf(facts: Facts, base: string): Record<string, string> {
  const { VERSION, REVISION, CREATED } = factArgs(facts);
  return Object.fromEntries(
    Object.entries({
      title: 'tinycert-operator',
      description: 'Kubernetes operator for certificates from TinyCert and CAcert',
      licenses: 'Apache-2.0',
      source: 'https://github.com/tinycert-operator/tinycert-operator',
      documentation: 'https://github.com/tinycert-operator/tinycert-operator/tree/main/docs',
      version: VERSION,
      revision: REVISION,
      created: CREATED,
      'base.name': base,
    }).map(([name, value]) => [`org.opencontainers.image.${name}`, value ?? '']),
  );
}

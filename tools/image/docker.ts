import type { BuildRequest, Engine } from './engine-types.ts';
import { outputOf, run } from './process.ts';

/** Builds with Docker, whose engine was found to answer. */
export function dockerEngine(): Engine {
  return {
    name: 'docker',
    whereabouts: 'It is among the images of Docker.',
    tidy: () => Promise.resolve(),
    hasImage: async (tag) => (await outputOf('docker', ['image', 'inspect', tag])) !== undefined,
    build: (request, supervision) =>
      run('docker', dockerArgs(request), {
        ...supervision,
        title: request.title,
        env: { ...process.env, DOCKER_BUILDKIT: '1' },
        stepOf: (line) => /^#\d+ (\[.*)$/.exec(line)?.[1],
      }),
    // Since Docker 25 what it saves is an OCI layout too.
    save: (tag, file, supervision) =>
      run('docker', ['save', '--output', file, tag], { ...supervision, title: 'Writing the archive' }),
  };
}

/** The command line of a build with BuildKit. */
export function dockerArgs(request: BuildRequest): string[] {
  const { context, dockerfile, tag, platform, args, secrets, created, pull } = request;
  const all = { ...args, SOURCE_DATE_EPOCH: String(created.getTime() / 1000) };
  return [
    'build',
    '--progress=plain',
    `--file=${dockerfile}`,
    `--tag=${tag}`,
    ...(platform === undefined ? [] : [`--platform=${platform}`]),
    ...(pull ? ['--pull'] : []),
    ...Object.entries(all).map(([name, value]) => `--build-arg=${name}=${value}`),
    ...Object.entries(secrets).map(([id, file]) => `--secret=id=${id},src=${file}`),
    context,
  ];
}

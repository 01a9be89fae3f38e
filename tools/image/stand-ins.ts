import { chmod, chown, copyFile, cp, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from './engine-types.ts';
import { ImageError } from './errors.ts';
import { run, type Supervision } from './process.ts';

/** The npm of the builder's substitute. Its Node is the one that runs this. */
const NPM_VERSION = '11.21.2';
/** Counts changes of what follows, so that substitutes of before are not used any longer. */
const RECIPE = 1;
const SUITE = 'bookworm';

/** The packages of distroless' image for Node, which has neither a shell nor a package manager. */
const RUNTIME_PACKAGES = [
  'base-files',
  'ca-certificates',
  'gcc-12-base',
  'libc6',
  'libgcc-s1',
  'libstdc++6',
  'netbase',
  'tzdata',
];

/** What of them an image for one program does without. */
const SUPERFLUOUS = ['doc', 'info', 'lintian', 'locale', 'man', 'ca-certificates'].map(
  (each) => `usr/share/${each}`,
);

/** User and group of distroless' `nonroot`. */
const NONROOT = 65532;

/** The names of the image that the operator runs on, and of the one that it is built on. */
export interface BaseImages {
  base: string;
  builder: string;
}

/** The names have what the images are made of, so others are built if that changes. */
export function standInNames(node: string = process.versions.node): BaseImages {
  const name = (of: string, tag: string): string =>
    `localhost/tinycert-operator/stand-in-${of}:${tag}-${RECIPE}`;
  return {
    builder: name('node', `${node}-npm-${NPM_VERSION}-${SUITE}`),
    base: name('distroless-nodejs', `${node}-${SUITE}`),
  };
}

/** Builds both images in a few minutes, unless they are there from before. `folder` is empty and removed by the caller. */
export async function ensureStandIns(
  engine: Engine,
  folder: string,
  supervision: Supervision,
): Promise<BaseImages> {
  const names = standInNames();
  if ((await engine.hasImage(names.base)) && (await engine.hasImage(names.builder))) return names;
  if (process.getuid?.() !== 0)
    throw new ImageError(
      'ToolMissing',
      'The stand-ins can only be built by root, since debootstrap unpacks a Debian.',
    );
  const debian = join(folder, 'debian');
  const debs = join(debian, 'var/cache/apt/archives');
  await run('debootstrap', ['--variant=minbase', '--include=ca-certificates,netbase,tzdata', SUITE, debian], {
    ...supervision,
    title: 'Unpacking a Debian',
    stepOf: (line) => /^I: (.{1,60})/.exec(line)?.[1]?.replace(/\.*$/, ''),
  });
  const runtime = join(folder, 'runtime');
  await makeRuntime(debian, debs, runtime, supervision);
  await rm(debs, { recursive: true });
  await makeBuilder(debian, folder, supervision);
  const build = (title: string, tag: string, root: string, config: readonly string[]): Promise<void> =>
    buildFrom(root, config, { title, tag, folder, engine }, supervision);
  await build('Building the stand-in of the runtime', names.base, runtime, [
    'ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt',
    'WORKDIR /home/nonroot',
    'ENTRYPOINT ["/nodejs/bin/node"]',
  ]);
  await build('Building the stand-in of the builder', names.builder, debian, ['CMD ["node"]']);
  return names;
}

/** Adds Node and npm to a Debian, where the official image has them. */
async function makeBuilder(debian: string, folder: string, supervision: Supervision): Promise<void> {
  const packed = join(folder, 'npm');
  await mkdir(packed);
  await run('npm', ['pack', '--silent', `npm@${NPM_VERSION}`], {
    ...supervision,
    title: 'Fetching npm',
    cwd: packed,
  });
  const [archive = ''] = await readdir(packed);
  await run('tar', ['--extract', '--no-same-owner', '--file', archive], {
    ...supervision,
    title: 'Unpacking npm',
    cwd: packed,
  });
  const npm = 'usr/local/lib/node_modules/npm';
  await mkdir(join(debian, 'usr/local/lib/node_modules'), { recursive: true });
  await rename(join(packed, 'package'), join(debian, npm));
  for (const name of ['npm', 'npx']) {
    await chmod(join(debian, npm, `bin/${name}-cli.js`), 0o755);
    await symlink(`../lib/node_modules/npm/bin/${name}-cli.js`, join(debian, `usr/local/bin/${name}`));
  }
  await copyFile(process.execPath, join(debian, 'usr/local/bin/node'));
}

/** Unpacks the few packages that Node needs, and puts it where distroless has it. */
async function makeRuntime(
  debian: string,
  debs: string,
  runtime: string,
  supervision: Supervision,
): Promise<void> {
  const archives = await readdir(debs);
  for (const name of RUNTIME_PACKAGES) {
    const archive = archives.find((each) => each.startsWith(`${name}_`));
    if (archive === undefined)
      throw new ImageError('CommandFailed', `debootstrap has not fetched the package ${name}.`);
    await run('dpkg-deb', ['--extract', join(debs, archive), runtime], {
      ...supervision,
      title: `Unpacking ${name}`,
      progress: () => {},
    });
  }
  for (const path of [...SUPERFLUOUS, 'usr/sbin'])
    await rm(join(runtime, path), { recursive: true, force: true });
  // The package has single certificates. The file with all of them is made when it is installed.
  await cp(join(debian, 'etc/ssl'), join(runtime, 'etc/ssl'), { recursive: true, verbatimSymlinks: true });
  await mkdir(join(runtime, 'nodejs/bin'), { recursive: true });
  await copyFile(process.execPath, join(runtime, 'nodejs/bin/node'));
  await writeFile(join(runtime, 'etc/passwd'), users());
  await writeFile(join(runtime, 'etc/group'), groups());
  await mkdir(join(runtime, 'home/nonroot'), { recursive: true });
  await chown(join(runtime, 'home/nonroot'), NONROOT, NONROOT);
  await chmod(join(runtime, 'tmp'), 0o1777);
}

function users(): string {
  const line = (name: string, id: number, home: string): string =>
    `${name}:x:${id}:${id}:${name}:${home}:/sbin/nologin\n`;
  return (
    line('root', 0, '/root') +
    line('nobody', 65534, '/nonexistent') +
    line('nonroot', NONROOT, '/home/nonroot')
  );
}

function groups(): string {
  return `root:x:0:\nnobody:x:65534:\nnonroot:x:${NONROOT}:\n`;
}

/** Makes an image of a folder. As a tar, which both engines unpack with the owners that it has. */
async function buildFrom(
  root: string,
  config: readonly string[],
  { title, tag, folder, engine }: { title: string; tag: string; folder: string; engine: Engine },
  supervision: Supervision,
): Promise<void> {
  const context = `${root}-context`;
  await mkdir(context);
  const dockerfile = join(context, 'Dockerfile');
  await writeFile(
    dockerfile,
    [
      'FROM scratch',
      'ADD root.tar /',
      'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      ...config,
      '',
    ].join('\n'),
  );
  await run(
    'tar',
    [
      '--create',
      '--numeric-owner',
      '--sort=name',
      '--directory',
      root,
      '--file',
      join(context, 'root.tar'),
      '.',
    ],
    { ...supervision, title: `${title}, packing` },
  );
  await engine.build(
    {
      title,
      context,
      dockerfile,
      tag,
      args: {},
      secrets: {},
      created: new Date(0),
      pull: false,
      temporary: folder,
    },
    supervision,
  );
  await rm(context, { recursive: true });
}

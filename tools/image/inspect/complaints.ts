import type { Image } from './archive.ts';
import type { TarEntry } from './tar.ts';

/** The user that the image runs as, its own group and no other. */
export const USER_ID = 65532;

/** Where that user may write: nothing of the image is read from there. With a read-only root it may not even there. */
const WRITABLE = new Set(['tmp', 'var/tmp', 'run/lock', 'var/lock', 'home/nonroot']);

const SHELLS = ['sh', 'ash', 'bash', 'dash', 'zsh', 'ksh', 'busybox', 'toybox'];
const INSTALLERS = ['apt', 'apt-get', 'dpkg', 'apk', 'npm', 'npx', 'yarn', 'corepack'];

type Files = Image['files'];

/** Programs that would help whoever gets in: shells, and whatever installs others. */
export function helpfulPrograms(files: Files): string[] {
  return [...files.values()]
    .filter(({ path, type }) => type !== 'folder' && [...SHELLS, ...INSTALLERS].includes(nameOf(path)))
    .filter(({ path }) => /(?:^|\/)s?bin\//.test(path))
    .map(({ path }) => `/${path} is a shell or installs programs.`);
}

/** What the image's user could change. */
export function writableFiles(files: Files, uid: number = USER_ID): string[] {
  return [...files.values()]
    .filter(({ type }) => type === 'file' || type === 'folder')
    .filter((entry) => mayWrite(entry, uid) && !WRITABLE.has(entry.path))
    .map(({ path }) => `/${path} can be written by user ${uid}.`);
}

/** What runs with the rights of its owner. */
export function privilegedFiles(files: Files): string[] {
  return [...files.values()]
    .filter(({ type, mode }) => type === 'file' && (mode & 0o6000) !== 0)
    .map(({ path }) => `/${path} has the setuid or setgid bit.`);
}

/** Labels that are missing, empty or have another value than they should have. */
export function wrongLabels(
  { config: { Labels: labels = {} } }: Image['config'],
  expected: Readonly<Record<string, string>>,
): string[] {
  return Object.entries(expected)
    .filter(([name, value]) => labels[name] !== value || value === '')
    .map(([name, value]) => `The label ${name} is "${labels[name] ?? ''}" and should be "${value}".`);
}

/** What a build that mounts secrets must not leave behind: the files, or any of the given texts in any layer. */
export function leftSecrets({ files, layers, config }: Image, texts: readonly string[]): string[] {
  const named = [...files.keys()]
    .filter((path) => path.startsWith('run/secrets/') || nameOf(path) === '.npmrc')
    .map((path) => `/${path} is of the build's registry.`);
  const found = texts.flatMap((text) => [
    ...layers
      .filter(({ tar }) => tar.includes(text))
      .map(({ digest }) => `A secret of the build is in layer ${digest}.`),
    ...(JSON.stringify(config).includes(text)
      ? ["A secret of the build is in the image's configuration."]
      : []),
  ]);
  return [...named, ...found];
}

function mayWrite({ uid, gid, mode }: TarEntry, user: number): boolean {
  if (uid === user) return (mode & 0o200) !== 0;
  if (gid === user) return (mode & 0o020) !== 0;
  return (mode & 0o002) !== 0;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

import { dirname, resolve } from 'node:path';
import { type Document, parseDocument } from 'yaml';
import { AppError } from '../../lib/errors.ts';
import { type ReadOptions, readText } from './read-text.ts';

/** A kubeconfig that cannot be used. The fields name file and entry. No text of the file is kept, since it may be a credential. */
export class KubeconfigError extends AppError {
  readonly file?: string;
  /** Name of the context, cluster or user. */
  readonly entry?: string;
  /** The names that do exist. */
  readonly known?: readonly string[];

  constructor(
    code: string,
    message: string,
    fields: { file?: string; entry?: string; known?: readonly string[]; cause?: unknown } = {},
  ) {
    super(code, message, fields.cause === undefined ? undefined : { cause: fields.cause });
    if (fields.file !== undefined) this.file = fields.file;
    if (fields.entry !== undefined) this.entry = fields.entry;
    if (fields.known !== undefined) this.known = fields.known;
  }
}

export type Entry = Readonly<Record<string, unknown>>;

/** A context of one or several kubeconfig files, with its cluster and user. Paths are absolute. */
export interface KubeconfigContext {
  readonly contextName: string;
  readonly namespace?: string;
  readonly clusterName: string;
  readonly cluster: Entry;
  readonly userName: string;
  readonly user: Entry;
}

interface Merged {
  currentContext: string | undefined;
  readonly contexts: Map<string, Entry>;
  readonly clusters: Map<string, Entry>;
  readonly users: Map<string, Entry>;
}

/**
 * Reads the files and looks up `context`, else the current context. If several files have an entry of one name, the first counts, as
 * in kubectl. Throws a KubeconfigError, or the signal's reason.
 */
export async function readContext(
  files: readonly string[],
  context: string | undefined,
  reading: ReadOptions,
): Promise<KubeconfigContext> {
  const merged: Merged = {
    currentContext: undefined,
    contexts: new Map(),
    clusters: new Map(),
    users: new Map(),
  };
  for (const file of files) merge(merged, file, await parseFile(file, reading));
  const known = [...merged.contexts.keys()];
  const contextName = context ?? merged.currentContext;
  const file = files.join(', ');
  if (contextName === undefined || contextName === '')
    throw new KubeconfigError(
      'KUBECONFIG_NO_CONTEXT',
      'The kubeconfig has no current-context: set one with kubectl config use-context.',
      {
        file,
        known,
      },
    );
  const found = lookUp(merged.contexts, contextName, 'The kubeconfig does not contain this context.', file);
  const clusterName = textOf(found, 'cluster') ?? '';
  const userName = textOf(found, 'user') ?? '';
  const namespace = textOf(found, 'namespace');
  const absentUser = userName === '';
  return {
    contextName,
    ...(namespace === undefined ? {} : { namespace }),
    clusterName,
    cluster: lookUp(
      merged.clusters,
      clusterName,
      'The kubeconfig does not contain the cluster of its context.',
      file,
    ),
    userName,
    user: absentUser
      ? {}
      : lookUp(merged.users, userName, 'The kubeconfig does not contain the user of its context.', file),
  };
}

/** A text field of an entry; undefined if it is absent or empty. */
export function textOf(entry: Entry, name: string): string | undefined {
  const value = entry[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function lookUp(entries: Map<string, Entry>, name: string, message: string, file: string): Entry {
  const entry = entries.get(name);
  if (entry) return entry;
  throw new KubeconfigError('KUBECONFIG_UNKNOWN_ENTRY', message, {
    file,
    entry: name,
    known: [...entries.keys()],
  });
}

async function parseFile(file: string, reading: ReadOptions): Promise<Entry> {
  let text: string;
  try {
    text = await readText(file, reading);
  } catch (cause) {
    reading.signal.throwIfAborted();
    throw new KubeconfigError('KUBECONFIG_UNREADABLE', 'The kubeconfig cannot be read.', { file, cause });
  }
  return parseKubeconfig(text, file);
}

/**
 * The mapping that a kubeconfig consists of. The last of several equal keys counts, as in kubectl. `file` is for the
 * KubeconfigError that it throws.
 */
export function parseKubeconfig(text: string, file: string): Entry {
  // A pretty error would quote the line, which may be a token. The parser's error is not kept as cause either.
  // The library's check for equal keys takes quadratic time.
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'silent', uniqueKeys: false });
  const value = document.errors.length > 0 ? undefined : resolved(document, file);
  if (isEntry(value)) return value;
  throw new KubeconfigError('KUBECONFIG_NOT_YAML', 'The kubeconfig is not a YAML mapping.', { file });
}

/** The value of a document. Throws a KubeconfigError for an alias without an anchor, and for more aliases than the library follows. */
function resolved(document: Document, file: string): unknown {
  try {
    return document.toJS();
  } catch {
    // The library's error names the alias.
    throw new KubeconfigError(
      'KUBECONFIG_NOT_YAML',
      'The aliases in the kubeconfig cannot be followed: write the values in their place.',
      { file },
    );
  }
}

/** Fields that name a file, relative to the kubeconfig's own folder. */
const PATHS = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile'];

function merge(merged: Merged, file: string, config: Entry): void {
  merged.currentContext ??= textOf(config, 'current-context');
  const folder = dirname(resolve(file));
  collect(merged.contexts, config['contexts'], 'context', folder);
  collect(merged.clusters, config['clusters'], 'cluster', folder);
  collect(merged.users, config['users'], 'user', folder);
}

function collect(entries: Map<string, Entry>, list: unknown, inner: string, folder: string): void {
  if (!Array.isArray(list)) return;
  for (const item of list as unknown[]) {
    if (!isEntry(item)) continue;
    const name = textOf(item, 'name');
    const entry = item[inner];
    if (name !== undefined && !entries.has(name))
      entries.set(name, withPaths(isEntry(entry) ? entry : {}, folder));
  }
}

function withPaths(entry: Entry, folder: string): Entry {
  const absolute: Record<string, unknown> = { ...entry };
  for (const name of PATHS) {
    const path = textOf(entry, name);
    if (path !== undefined) absolute[name] = resolve(folder, path);
  }
  const exec = entry['exec'];
  if (isEntry(exec)) absolute['exec'] = withCommand(exec, folder);
  return absolute;
}

/** A command with a slash is a path, as in client-go. Any other is looked up in PATH. */
function withCommand(exec: Entry, folder: string): Entry {
  const command = textOf(exec, 'command');
  if (command === undefined || !command.includes('/')) return exec;
  return { ...exec, command: resolve(folder, command) };
}

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { EnvHttpProxyAgent, fetch } from 'undici';
import { asError } from '../../src/lib/errors.ts';
import { ControlPlaneError } from './errors.ts';
import { startReaper } from './reaper.ts';
import { ENVTEST_VERSION, envtestArchive, platform, type Archive } from './versions.ts';

export interface DownloadOptions {
  progress?: (line: string) => void;
  signal?: AbortSignal;
}

/** Short, since a closed network is common and a build can follow. */
const CONNECT_TIMEOUT_MS = 5000;
/** Limits silence, not the whole transfer. */
const STALL_TIMEOUT_MS = 15_000;
/** Four times the size of the archive. */
const LARGEST_ARCHIVE = 256 * 1024 * 1024;

/** Fetches the envtest archive and unpacks it into `folder`, which appears only once the sum is verified. */
export async function downloadEnvtest(
  folder: string,
  options: DownloadOptions,
  target: string = platform(),
  archive: Archive | undefined = envtestArchive(target),
): Promise<void> {
  if (archive === undefined) {
    throw new ControlPlaneError('DownloadFailed', 'No envtest archive is pinned for this platform.', [
      target,
    ]);
  }
  options.progress?.(`Fetching the envtest archive ${ENVTEST_VERSION}.`);
  await mkdir(dirname(folder), { recursive: true });
  const temporary = await mkdtemp(join(dirname(folder), '.download-'));
  const reaper = startReaper(temporary);
  try {
    const file = join(temporary, 'archive.tar.gz');
    const sum = await fetchTo(archive.url, file, options.signal);
    if (sum !== archive.sha512) {
      throw new ControlPlaneError(
        'DownloadFailed',
        'The envtest archive does not have the published SHA-512 sum.',
        [`expected ${archive.sha512}`, `received ${sum}`],
      );
    }
    const out = join(temporary, 'bin');
    await mkdir(out);
    // The archive's files are under controller-tools/envtest.
    await promisify(execFile)('tar', ['-xzf', file, '-C', out, '--strip-components=2']);
    await rename(out, folder);
  } finally {
    await reaper.close();
  }
}

/** Streams `url` into `file` and returns the SHA-512 of the content. */
async function fetchTo(url: string, file: string, signal: AbortSignal | undefined): Promise<string> {
  const agent = new EnvHttpProxyAgent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: STALL_TIMEOUT_MS,
    bodyTimeout: STALL_TIMEOUT_MS,
  });
  const hash = createHash('sha512');
  let size = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      hash.update(chunk);
      done(size > LARGEST_ARCHIVE ? new Error('The answer is too large.') : null, chunk);
    },
  });
  try {
    const reply = await fetch(url, { dispatcher: agent, ...(signal === undefined ? {} : { signal }) });
    if (!reply.ok || reply.body === null) throw new Error(`The server answered ${reply.status}.`);
    await pipeline(Readable.fromWeb(reply.body), meter, createWriteStream(file));
    return hash.digest('hex');
  } catch (error) {
    throw new ControlPlaneError('DownloadFailed', 'The envtest archive could not be fetched.', [url], {
      cause: rootCause(error),
    });
  } finally {
    await agent.destroy();
  }
}

/** The innermost error: fetch wraps the cause into a bare "fetch failed". */
function rootCause(thrown: unknown): Error {
  let error = asError(thrown);
  while (error.cause instanceof Error) error = error.cause;
  return error;
}

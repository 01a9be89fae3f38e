import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Clock } from '../../lib/clock.ts';

/** How long to wait for more from a pipe that has nothing yet, in milliseconds. */
const PIPE_AGAIN_MS = 50;
/** Most that is read from a file that does not say its size, in bytes. */
const MAX_BYTES = 16 * 2 ** 20;

/** How a read may be ended. */
export interface ReadOptions {
  clock: Clock;
  signal: AbortSignal;
}

/**
 * The text of a file. Waits for whoever writes to a pipe until the signal aborts, and rejects with its reason. A plain read of a pipe
 * would keep a thread, for which the process waits even at its end. Rejects with the system's error.
 */
export async function readText(file: string, { clock, signal }: ReadOptions): Promise<string> {
  signal.throwIfAborted();
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    if (stats.isFile()) return await handle.readFile('utf8');
    return (await readPieces(handle, stats.isFIFO(), { clock, signal })).toString('utf8');
  } finally {
    await handle.close();
  }
}

/** Everything up to the end. A pipe that nobody has opened to write looks like its end, so there the end counts only after a byte. */
async function readPieces(
  handle: FileHandle,
  isPipe: boolean,
  { clock, signal }: ReadOptions,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for (;;) {
    const piece = await readPiece(handle);
    if (piece?.length === 0 && (size > 0 || !isPipe)) return Buffer.concat(pieces);
    if (!piece || piece.length === 0) {
      await clock.sleep(PIPE_AGAIN_MS, signal);
      continue;
    }
    pieces.push(piece);
    size += piece.length;
    if (size > MAX_BYTES) throw new RangeError('The file is larger than 16 MiB.');
    signal.throwIfAborted();
  }
}

/** What can be read now; nothing at the end; undefined if there is nothing yet. */
async function readPiece(handle: FileHandle): Promise<Buffer | undefined> {
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(64 * 1024), 0, 64 * 1024, null);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return undefined;
    throw error;
  }
}

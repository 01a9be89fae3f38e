/** What both servers do around a call: read the body, wait, and note the end in the journal. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AnswerContext } from './answer.ts';
import type { JournalLine } from '../types.ts';

const LARGEST_BODY = 1024 * 1024;

/** The whole body; undefined if the client went away or sent more than a megabyte, which no call needs. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  let length = 0;
  try {
    for await (const piece of request as AsyncIterable<Buffer>) {
      length += piece.length;
      if (length > LARGEST_BODY) break;
      pieces.push(piece);
    }
  } catch {
    return undefined;
  }
  if (length <= LARGEST_BODY) return Buffer.concat(pieces);
  request.socket.destroy();
  return undefined;
}

/** Whether the body is a form. */
export function isForm({ headers }: IncomingMessage): boolean {
  return /^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(headers['content-type'] ?? '');
}

/** Waits for a random time between the bounds, in milliseconds. Rejects if the signal aborts. */
export async function waitLatency(
  { min, max }: { min: number; max: number },
  signal: AbortSignal,
): Promise<void> {
  if (max > 0) await sleep(min + Math.random() * (max - min), undefined, { signal });
}

/** Notes in the journal when the response ends, and whether the client had gone before. */
export function noteEnd(
  { journal, service }: Pick<AnswerContext, 'journal' | 'service'>,
  entry: JournalLine,
  response: ServerResponse,
): void {
  response.once('close', () => {
    const end = { endedAt: entry.endedAt ?? service.now() };
    journal.update(entry, response.writableFinished ? end : { ...end, aborted: true });
  });
}

/** Runs a call, and notes that it took effect late if the client had gone before. */
export async function noteLate<T>(
  { journal, service }: Pick<AnswerContext, 'journal' | 'service'>,
  entry: JournalLine,
  response: ServerResponse,
  call: () => Promise<T>,
): Promise<T> {
  const hasGone = response.closed || response.destroyed;
  const result = await call();
  if (hasGone) journal.update(entry, { late: true, endedAt: service.now() });
  return result;
}

import type { IncomingMessage } from 'node:http';

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

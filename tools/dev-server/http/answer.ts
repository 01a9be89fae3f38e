/** What the client receives, whole or damaged. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Service } from '../calls/call.ts';
import type { Faults } from '../faults/faults.ts';
import type { Gate } from '../faults/gate.ts';
import type { Journal } from '../state/journal.ts';
import { STATUS_OF_CODE, type ServiceErrorCode } from '../service-error.ts';
import type { Fault, FaultEffect, JournalLine } from '../types.ts';

export const HUGE = 64 * 1024 * 1024;
const PIECE = Buffer.alloc(64 * 1024, 'A');

/** What an answer of either service needs. */
export interface AnswerContext {
  service: { now: () => number };
  journal: { update(entry: JournalLine, known: Partial<JournalLine>): void };
  gate: Gate;
  /** Aborted when the server stops; ends every wait. */
  stopping: AbortSignal;
}

/** What the exchanges of the TinyCert API share. */
export interface ApiContext extends AnswerContext {
  service: Service;
  journal: Journal;
  faults: Faults<Fault>;
  /** The last success of each call, for answers that are repeated. */
  lastAnswers: Map<string, Answer>;
}

export interface Answer {
  status: number;
  body: string | Buffer;
  headers?: Record<string, string>;
  code?: string;
}

export interface Exchange {
  context: AnswerContext;
  request: IncomingMessage;
  response: ServerResponse;
  entry: JournalLine;
  /** Headers of every answer, unless it has its own. */
  headers: Record<string, string>;
  /** The beginning and end of a huge answer. */
  hugeFrame: readonly [start: string, end: string];
  /** Runs the call; never rejects for a refusal of the service. */
  act: () => Promise<Answer>;
}

/** The answer of a fault that does not use the true one. */
export function falseAnswer(
  effect: FaultEffect & { kind: 'error' | 'html' | 'not-json' | 'redirect' },
): Answer {
  if (effect.kind === 'html') return page(effect.status ?? 502);
  if (effect.kind === 'redirect') return page(effect.status ?? 302, { location: effect.location });
  if (effect.kind === 'not-json') {
    return { status: effect.status ?? 200, body: effect.body ?? 'PHP Warning: this is not JSON' };
  }
  const { code, status = STATUS_OF_CODE[code as ServiceErrorCode] ?? 500, retryAfter } = effect;
  const answer = refusal(code, effect.text ?? 'A fault was asked for', status);
  return retryAfter === undefined ? answer : { ...answer, headers: { 'retry-after': String(retryAfter) } };
}

/** The answer to `cert/list` with one more line. */
export function withStrayLine(answer: Answer, id: number): Answer {
  if (answer.status !== 200) return answer;
  const lines = JSON.parse(answer.body.toString()) as object[];
  const stray = { id, name: 'stray.example', status: 'good', expires: 4_102_444_800 };
  return { ...answer, body: JSON.stringify([...lines, stray]) };
}

/** The service's refusal. */
export function refusal(code: string, text: string, status: number): Answer {
  return { status, code, body: JSON.stringify({ code, text }) };
}

/** An error page of a proxy in front of the service. */
export function page(status: number, headers: Record<string, string> = {}): Answer {
  const body = `<html><head><title>${status}</title></head><body><h1>Error ${status}</h1></body></html>`;
  return { status, body, headers: { 'content-type': 'text/html', ...headers } };
}

/** Sends the answer; only notes it in the journal if the client has gone. */
export async function send(one: Exchange, answer: Answer): Promise<void> {
  begin(one, answer, Buffer.byteLength(answer.body));
  finish(one);
  one.response.end(answer.body);
}

/** Writes the head and notes the status before the client can see the end of the answer. */
function begin({ context, entry, response, headers }: Exchange, answer: Answer, length?: number): void {
  const { status, code } = answer;
  const isNews = code !== undefined && code !== entry.code;
  context.journal.update(entry, { httpStatus: status, ...(isNews ? { code } : {}) });
  if (response.closed || response.destroyed) return;
  response.writeHead(status, {
    ...headers,
    // From the service's own clock, which also dates certificates.
    date: new Date(context.service.now()).toUTCString(),
    ...(length === undefined ? {} : { 'content-length': length }),
    ...answer.headers,
  });
}

function finish({ context, entry }: Exchange): void {
  context.journal.update(entry, { endedAt: context.service.now() });
}

/** Announces the whole answer and closes the connection after a part of it. */
export async function sendTruncated(one: Exchange, answer: Answer, bytes?: number): Promise<void> {
  const { response, request } = one;
  const body = Buffer.from(answer.body);
  begin(one, answer, body.length);
  if (response.destroyed) return;
  const part = body.subarray(0, Math.min(bytes ?? body.length >> 1, body.length - 1));
  response.write(part, () => request.socket.destroySoon());
}

/** Sends this many bytes at a time, with this pause between them. */
export async function sendSlowly(one: Exchange, answer: Answer, bytes: number, ms: number): Promise<void> {
  const { response, context } = one;
  const body = Buffer.from(answer.body);
  begin(one, answer, body.length);
  for (let at = 0; at < body.length && !response.destroyed; at += bytes) {
    response.write(body.subarray(at, at + bytes));
    await sleep(ms, undefined, { signal: context.stopping });
  }
  finish(one);
  response.end();
}

/** Streams an answer of this many bytes, as fast as the client reads. */
export async function sendHuge(one: Exchange, bytes: number): Promise<void> {
  begin(one, { status: 200, body: '' });
  const [start, end] = one.hugeFrame;
  const pieces = function* (): Iterable<Uint8Array> {
    yield Buffer.from(start);
    for (let left = bytes; left > 0; left -= PIECE.length)
      yield PIECE.subarray(0, Math.min(left, PIECE.length));
    finish(one);
    yield Buffer.from(end);
  };
  try {
    await pipeline(pieces, one.response, { signal: one.context.stopping });
  } catch {
    // The client gave up; the journal notes it.
  }
}

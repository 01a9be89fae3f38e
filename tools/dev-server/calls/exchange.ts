/** One request and its answer, or the fault that strikes instead. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type Answer,
  type ApiContext,
  type Exchange,
  falseAnswer,
  refusal,
  send,
  withStrayLine,
} from '../http/answer.ts';
import { isDefect } from '../faults/faults.ts';
import { formPairs, nestForm } from '../http/form.ts';
import { shownBody, shownParams } from '../state/journal.ts';
import { isForm, noteEnd, noteLate, readBody, waitLatency } from '../http/request.ts';
import { type CallInput, type AdmittedCall, admit, routeOf } from './router.ts';
import { ServiceError } from '../service-error.ts';
import { isConnectionEffect, strikeConnection } from '../faults/strike.ts';
import type { FaultEffect, JournalEntry } from '../types.ts';

/** Reads the request, lets the call act and answers. Rejects only when the server stops meanwhile. */
export async function exchange(
  context: ApiContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request);
  if (!body) return;
  const { service, journal, faults, stopping } = context;
  const route = routeOf(request.url ?? '/');
  const hasForm = isForm(request);
  // PHP reads no parameters from a body of another type.
  const pairs = hasForm ? formPairs(body.toString('utf8')) : [];
  const effect = faults.strike(route.name, new Map(pairs));
  const entry = journal.open({
    at: service.now(),
    method: request.method ?? '',
    call: route.name,
    params: shownParams(pairs),
    client: request.socket.remotePort ?? 0,
    body: shownBody(body, hasForm),
    ...(effect && { fault: effect.kind }),
  });
  noteEnd(context, entry, response);
  const defect = effect && isDefect(effect) ? effect : undefined;
  const call = admission(context, { route, body, form: nestForm(pairs), entry, defect });
  const act = (): Promise<Answer> => run(context, call, entry, response);
  await waitLatency(service.settings.latency, stopping);
  const one: Exchange = {
    context,
    request,
    response,
    entry,
    headers: { 'content-type': 'application/json' },
    hugeFrame: ['{"pem":"', '"}'],
    act,
  };
  if (effect && !defect) await strike(one, effect, context.lastAnswers.get(route.name));
  else await send(one, await act());
}

/** Admits the call now. A refusal waits, like the call itself, until it is time to act. */
function admission(context: ApiContext, input: CallInput): AdmittedCall {
  try {
    return admit(context.service, input);
  } catch (error) {
    return () => Promise.reject(error);
  }
}

async function run(
  context: ApiContext,
  call: AdmittedCall,
  entry: JournalEntry,
  response: ServerResponse,
): Promise<Answer> {
  const { service, journal } = context;
  try {
    const answer = { status: 200, body: await noteLate(context, entry, response, call) };
    context.lastAnswers.set(entry.call, answer);
    return answer;
  } catch (error) {
    const refused = asServiceError(error);
    journal.update(entry, { code: refused.code });
    const answer = refusal(refused.code, refused.message, refused.status);
    const { retryAfter } = service.settings;
    if (refused.code !== 'RateLimitExceeded' || retryAfter === null) return answer;
    return { ...answer, headers: { 'retry-after': String(retryAfter) } };
  }
}

/** A defect of this server is a warning on stderr, and an UnknownError for the client. */
function asServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  process.emitWarning(error instanceof Error ? error : new Error('A call failed'));
  return new ServiceError('UnknownError', 'Something went wrong');
}

/** Makes the fault strike. `last` is the last success of the same call. */
async function strike(one: Exchange, effect: FaultEffect, last: Answer | undefined): Promise<void> {
  if (isConnectionEffect(effect)) {
    await strikeConnection(one, effect);
    return;
  }
  switch (effect.kind) {
    case 'error':
    case 'html':
    case 'not-json':
    case 'redirect':
      if (effect.acts) await one.act();
      await send(one, falseAnswer(effect));
      break;
    case 'replay':
      if (last && effect.acts) await one.act();
      await send(one, last ?? (await one.act()));
      break;
    case 'stray-line':
      await send(one, withStrayLine(await one.act(), effect.id));
      break;
    case 'wrong-key':
    case 'wrong-names':
    case 'expired':
    case 'future':
    case 'foreign-chain':
      throw new Error(`${one.entry.call} should have been struck within the certificate`);
  }
}

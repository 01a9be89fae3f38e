/** One request to the CAcert site and its answer, or the fault that strikes instead. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Answer, type Exchange, page, send } from '../http/answer.ts';
import { shownBody, shownParams } from '../state/journal.ts';
import { isForm, noteEnd, noteLate, readBody, waitLatency } from '../http/request.ts';
import { isConnectionEffect, strikeConnection } from '../faults/strike.ts';
import { type Call, SUCCESS, accountStatus, refused, requestCertificate } from './calls.ts';
import { type Parameters, readParameters } from './parameters.ts';
import { isDefect } from './plan.ts';
import type { Service } from './service.ts';
import type { CAcertFaultEffect, CAcertJournalEntry } from './types.ts';

const SCRIPT = /^\/api\/(ccsr|cemails)\.php$/;
/** PHP's notice about a missing parameter, with `display_errors` on. */
const NOTICE =
  '<br />\n<b>Notice</b>:  Undefined index: name in <b>/www/api/script.php</b> on line <b>1</b><br />\n';

/** Reads the request, lets the script run and answers. Rejects only when the server stops meanwhile. */
export async function exchange(
  service: Service,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request);
  if (!body) return;
  const { url = '/', method = '' } = request;
  const path = url.split('?')[0] ?? '';
  const name = SCRIPT.exec(path)?.[1] ?? path;
  const parameters = readParameters(method, url, request.headers['content-type'] ?? '', body);
  const effect = service.faults.strike(name, new Map(parameters.pairs.map(asText)));
  const entry = open(service, { request, name, parameters, body, effect });
  const context = { service, journal: service.journal, gate: service.gate, stopping: service.stopping };
  noteEnd(context, entry, response);
  const acceptLanguage = request.headers['accept-language'] ?? '';
  const call: Call = { service, parameters, acceptLanguage, entry, effect };
  const act = (): Promise<Answer> => noteLate(context, entry, response, () => run(call, name));
  await waitLatency(service.settings.latency, service.stopping);
  const hugeFrame = [`${SUCCESS}-----BEGIN CERTIFICATE-----\n`, '\n-----END CERTIFICATE-----\n'] as const;
  const one: Exchange = { context, request, response, entry, headers: phpHeaders(), hugeFrame, act };
  if (effect && !isDefect(effect)) await strike(one, call, effect);
  else await send(one, await act());
}

/** The headers of every PHP answer: a new session, and no caching. */
function phpHeaders(): Record<string, string> {
  return {
    'content-type': 'text/html; charset=UTF-8',
    'set-cookie': `cacert=${randomBytes(16).toString('hex')}; path=/; secure; HttpOnly`,
    expires: 'Thu, 19 Nov 1981 08:52:00 GMT',
    'cache-control': 'no-store, no-cache, must-revalidate, post-check=0, pre-check=0',
    pragma: 'no-cache',
  };
}

function open(
  service: Service,
  input: {
    request: IncomingMessage;
    name: string;
    parameters: Parameters;
    body: Buffer;
    effect: CAcertFaultEffect | undefined;
  },
): CAcertJournalEntry {
  const { request, name, parameters, body, effect } = input;
  const {
    host = '',
    cookie,
    'content-type': contentType,
    'accept-language': acceptLanguage,
  } = request.headers;
  return service.journal.open({
    at: service.now(),
    method: request.method ?? '',
    call: name,
    host,
    params: shownParams(parameters.pairs.map(asText)),
    inUrl: parameters.inUrl,
    client: request.socket.remotePort ?? 0,
    body: shownBody(body, isForm(request)),
    ...(contentType === undefined ? {} : { contentType }),
    ...(acceptLanguage === undefined ? {} : { acceptLanguage }),
    ...(cookie === undefined ? {} : { cookie: true as const }),
    ...(effect && { fault: effect.kind }),
  });
}

/** Bytes decoded as UTF-8, for people. */
function asText([name, value]: [name: string, value: string]): [name: string, value: string] {
  return [Buffer.from(name, 'latin1').toString('utf8'), Buffer.from(value, 'latin1').toString('utf8')];
}

async function run(call: Call, name: string): Promise<Answer> {
  const { service, entry } = call;
  const { hosts } = service.settings;
  if (!(hosts ?? service.ownHosts).includes(entry.host)) return redirect(service, undefined, 302);
  if (name === 'cemails') return accountStatus(call);
  if (name === 'ccsr') return requestCertificate(call);
  return name === '/' ? page(200) : page(404);
}

function redirect(service: Service, location: string | undefined, status: number): Answer {
  const front = `${service.protocol}://${(service.settings.hosts ?? service.ownHosts)[0] ?? 'localhost'}/`;
  return { status, body: '', headers: { location: location ?? front } };
}

async function strike(one: Exchange, call: Call, effect: CAcertFaultEffect): Promise<void> {
  const { act } = one;
  if (isConnectionEffect(effect)) {
    await strikeConnection(one, effect);
    return;
  }
  switch (effect.kind) {
    case 'error':
      if (effect.acts) await act();
      await send(one, refused(call, effect.error));
      break;
    case 'html':
      if (effect.acts) await act();
      await send(one, page(effect.status ?? 502));
      break;
    case 'redirect':
      if (effect.acts) await act();
      await send(one, redirect(call.service, effect.location, effect.status ?? 302));
      break;
    case 'body':
      if (effect.acts) await act();
      await send(one, { status: effect.status ?? 200, body: Buffer.from(effect.body, 'latin1') });
      break;
    case 'blank-lines':
      await send(
        one,
        changed(await act(), (body) => '\n'.repeat(effect.lines ?? 2) + body),
      );
      break;
    case 'php-notice':
      await send(
        one,
        changed(await act(), (body) => NOTICE + body),
      );
      break;
    case 'crlf':
      await send(
        one,
        changed(await act(), (body) => body.replaceAll('\n', '\r\n')),
      );
      break;
    case 'raw-names':
    case 'no-certificate':
    case 'unsigned':
      await send(one, await act());
      break;
    case 'dropped-email':
    case 'anonymous-name':
    case 'ignored-codesign':
    case 'no-client-auth':
    case 'wrong-names':
    case 'wrong-key':
    case 'expired':
    case 'future':
    case 'class3':
    case 'foreign-chain':
      throw new Error(`${call.entry.call} should have been struck within the certificate`);
  }
}

function changed(answer: Answer, change: (body: string) => string): Answer {
  return { ...answer, body: Buffer.from(change(Buffer.from(answer.body).toString('latin1')), 'latin1') };
}

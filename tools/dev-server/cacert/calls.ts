/** The two scripts of the API, `cemails.php` and `ccsr.php`, check by check in their own order. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '../http/answer.ts';
import { pem } from '../x509/x509.ts';
import { htmlText } from './html-text.ts';
import {
  ANONYMOUS,
  type Member,
  commonNameFor,
  fromBytes,
  isCodeSigning,
  isSameAddress,
  namesOf,
  toBytes,
} from './members.ts';
import { type Parameters, textOf, trimmed } from './parameters.ts';
import { isDefect } from './plan.ts';
import { failedBody, languageOf, refusalBody, weakness } from './refusals.ts';
import type { Service } from './service.ts';
import { readSigningRequest } from './signing-request.ts';
import type { CAcertFaultEffect, CAcertJournalEntry, CAcertRefusalName } from './types.ts';

export const SUCCESS = '200,Authentication Ok\n';

/** One call, parsed. */
export interface Call {
  service: Service;
  parameters: Parameters;
  acceptLanguage: string;
  entry: CAcertJournalEntry;
  effect: CAcertFaultEffect | undefined;
}

/** `cemails.php`: the addresses and names that the account offers. */
export function accountStatus(call: Call): Answer {
  const member = login(call);
  if (!member) return refused(call, 'username');
  const { database } = call.service.settings;
  const shown = call.effect?.kind === 'raw-names' ? (text: string): string => text : htmlText;
  const names = namesOf(member).map((parts) => parts.map((part) => shown(toBytes(part, database))).join(' '));
  const lines = [
    `CS=${member.codeSigning ? 1 : 0}`,
    `NAME=${ANONYMOUS}`,
    ...names.map((name) => `NAME=${name}`),
    ...member.emails.map((email) => `EMAIL=${shown(toBytes(email, database))}`),
  ];
  return answer(SUCCESS + lines.map((line) => `${line}\n`).join(''));
}

/**
 * `ccsr.php`: queues the request, waits for the signer, and checks once for the certificate. Rejects only when the server stops
 * meanwhile.
 */
export async function requestCertificate(call: Call): Promise<Answer> {
  const { service, parameters, entry, effect } = call;
  const { request } = parameters;
  const { signer, settings } = service;
  const member = login(call);
  if (!member) return refused(call, 'username');
  const emails = matchedEmails(member, request.get('email'));
  if (emails.length === 0) return refused(call, 'email');
  const name = trimmed(textOf(request, 'name'));
  const signingRequest = readSigningRequest(trimmed(textOf(request, 'optionalCSR')));
  const weak = weakness(signingRequest);
  if (weak !== undefined || !signingRequest) return refused(call, weak ?? 'no-request');
  const id: number = signer.queue({
    member,
    cn: commonNameFor(member, name, settings.database),
    emails,
    codeSigning: isCodeSigning(member, textOf(request, 'codesign')),
    request: signingRequest,
    authority: settings.class3 ? 'class3' : 'class1',
    validity: settings.validity,
    defect: effect && isDefect(effect) ? effect : undefined,
    origin: entry.seq,
    onSigned: () => service.journal.update(entry, { result: { id, signed: true } }),
  });
  service.journal.update(entry, { result: { id } });
  await signed(service, id, effect?.kind === 'unsigned' ? (effect.ms ?? Infinity) : settings.signing, effect);
  const der = effect?.kind === 'unsigned' ? undefined : signer.certificateOf(id);
  if (!der) return answer(failedBody(id));
  return answer(effect?.kind === 'no-certificate' ? SUCCESS : SUCCESS + pem('CERTIFICATE', der));
}

/** The body of a refusal in the caller's language. Notes it in the journal. */
export function refused(call: Call, name: CAcertRefusalName): Answer {
  const { service, parameters, acceptLanguage, entry } = call;
  service.journal.update(entry, { code: name });
  return answer(refusalBody(name, languageOf(textOf(parameters.request, 'lang'), acceptLanguage)));
}

/** An answer with status 200, since neither script sets one. Each character of the text is a byte. */
function answer(body: string | Buffer): Answer {
  return { status: 200, body: typeof body === 'string' ? Buffer.from(body, 'latin1') : body };
}

/** Waits as long as the script does; the signer may finish earlier or later. */
async function signed(
  service: Service,
  id: number,
  signing: number,
  effect: CAcertFaultEffect | undefined,
): Promise<void> {
  const { signer, settings, stopping, tasks } = service;
  const { wait } = settings;
  if (signing > wait || effect?.kind === 'unsigned') {
    const later = async (): Promise<void> => {
      await sleep(signing, undefined, { signal: stopping });
      signer.sign(id);
    };
    if (Number.isFinite(signing)) tasks.run(later(), () => {});
    if (wait > 0) await sleep(wait, undefined, { signal: stopping });
    return;
  }
  if (signing > 0) await sleep(signing, undefined, { signal: stopping });
  signer.sign(id);
  if (wait > signing) await sleep(wait - signing, undefined, { signal: stopping });
}

function login({ service, parameters, entry }: Call): Member | undefined {
  const username = textOf(parameters.request, 'username');
  const password = textOf(parameters.request, 'password');
  const { database } = service.settings;
  const found = service.members.find(
    (member) =>
      isSameAddress(toBytes(member.username, database), username) &&
      Buffer.from(member.password).toString('latin1') === password,
  );
  if (found) service.journal.update(entry, { account: found.username });
  return found;
}

/**
 * The verified addresses among those sent, in the spelling sent. A duplicate counts once, at its first position and in its last
 * spelling.
 */
function matchedEmails(member: Member, sent: ReturnType<Parameters['request']['get']>): string[] {
  const matched = new Map<string, string>();
  if (!(sent instanceof Map)) return [];
  for (const value of sent.values()) {
    if (typeof value !== 'string') continue;
    const email = trimmed(value);
    const own = member.emails.find((each) => isSameAddress(each, fromBytes(email, 'utf8')));
    if (own !== undefined) matched.set(own, email);
  }
  return [...matched.values()];
}

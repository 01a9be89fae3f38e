import { type Answer, type AnswerContext, protocolError, unknownAnswer } from './answer.ts';
import { decodeEntities, readTexts } from './entities.ts';
import { CAcertError } from './errors.ts';
import type { AccountDetails } from './types.ts';

/** The common name of a certificate if no name was requested, or one that the account does not have. */
export const anonymousName = 'CAcert WoT User';

/** The text of a refused login in both calls. CAcert never translates it. */
const unknownUser = "That username couldn't be found";

/** The error for a refused login; undefined for any other answer. */
export function refusedLogin({ code, text }: Answer, call: string): CAcertError | undefined {
  return code === 403 && text === unknownUser
    ? new CAcertError('CredentialsRejected', { call, status: 200 })
    : undefined;
}

/**
 * Reads an answer of `cemails.php`: lines with `CS=`, `NAME=` and `EMAIL=`, split at the first equals sign. It ignores other
 * lines. Every complete answer has `CS` and at least one name. Throws a `CAcertError`.
 */
export function readAccount(answer: Answer, context: AnswerContext): AccountDetails {
  const { call } = context;
  const refused = refusedLogin(answer, call);
  if (refused) throw refused;
  if (answer.code !== 200) throw unknownAnswer(answer, context);
  const names = new Set<string>();
  const emails = new Set<string>();
  let flag: string | undefined;
  const lines = answer.rest.split('\n');
  for (const [index, line] of lines.entries()) {
    const [, key, value = ''] = /^(CS|NAME|EMAIL)=(.*)$/.exec(line) ?? [];
    if (key === undefined) continue;
    if (index === lines.length - 1) throw protocolError(call, 'The answer ends within a line.');
    if (key === 'CS') flag ??= value.trim();
    else if (value.trim() !== '') (key === 'NAME' ? names : emails).add(decodeEntities(value));
  }
  if (flag === undefined || !/^\d+$/.test(flag) || names.size === 0)
    throw protocolError(call, 'The answer lacks the right to code signing or the names.');
  names.delete(anonymousName);
  const { texts, encoding } = readTexts([...names, ...emails]);
  return {
    codeSigning: Number(flag) > 0,
    names: texts.slice(0, names.size),
    emails: texts.slice(names.size),
    encoding,
  };
}

import { type Answer, type AnswerContext, protocolError, unknownAnswer } from './answer.ts';
import { decodeEntities, readTexts } from './entities.ts';
import { CAcertError } from './errors.ts';
import type { AccountDetails } from './types.ts';

/** The name that a certificate bears if no other was asked for, or the one asked for is none of the account's. */
export const anonymousName = 'CAcert WoT User';

/** The one text that a refused login has, in both calls. It is never translated. */
const unknownUser = "That username couldn't be found";

/** The error for a refused login, if the answer is one. */
export function refusedLogin({ code, text }: Answer, call: string): CAcertError | undefined {
  return code === 403 && text === unknownUser
    ? new CAcertError('CredentialsRejected', { call, status: 200 })
    : undefined;
}

/**
 * Reads an answer of `cemails.php`: lines of `CS=`, `NAME=` and `EMAIL=`, split at the first equals sign. Other lines are
 * passed over. `CS` and at least one name are in every answer, so one without them is not whole.
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

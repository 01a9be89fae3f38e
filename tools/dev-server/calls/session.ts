import type { Form } from '../http/form.ts';
import { ServiceError } from '../service-error.ts';
import { signatureIsValid } from './signature.ts';
import type { Account } from '../state/store.ts';
import type { JournalEntry } from '../types.ts';
import { type CallHandler, type Service, requiredText } from './call.ts';

/** `connect`: the only call without a token. An old token sent with it is signed but otherwise ignored. */
export function connect(service: Service, body: Buffer, form: Form, entry: JournalEntry): object {
  const email = requiredText(form, 'email');
  const passphrase = requiredText(form, 'passphrase');
  const digest = requiredText(form, 'digest');
  const account = service.store.accountByEmail(email);
  if (!account) throw new ServiceError('AccountNotFound', 'There is no account with this e-mail address');
  entry.account = account.email;
  if (!signatureIsValid(body, form, digest, account.apiKey, service.settings.strictSignature)) {
    throw new ServiceError('ApiKeyMismatch', 'The request was not signed with the API key of this account');
  }
  if (passphrase !== account.passphrase) {
    throw new ServiceError('PassphraseFailure', 'The passphrase is not that of this account');
  }
  return { token: service.sessions.open(account.id, service.now()) };
}

export const disconnect: CallHandler = ({ service, form }) => {
  service.sessions.close(requiredText(form, 'token'));
  return undefined;
};

/** The account whose session and API key the call used. Throws InvalidToken, then SignatureFailure. */
export function authenticate(service: Service, body: Buffer, form: Form, entry: JournalEntry): Account {
  const token = requiredText(form, 'token');
  const digest = requiredText(form, 'digest');
  const accountId = service.sessions.accountOf(token, service.now(), service.settings.sessionTtl);
  if (accountId === undefined)
    throw new ServiceError('InvalidToken', 'There is no such session, or it expired');
  const account = service.store.account(accountId);
  entry.account = account.email;
  if (!signatureIsValid(body, form, digest, account.apiKey, service.settings.strictSignature)) {
    throw new ServiceError('SignatureFailure', 'The request is not properly signed');
  }
  return account;
}

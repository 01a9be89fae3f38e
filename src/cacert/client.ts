import type { Reply } from '../http/exchange.ts';
import { systemAuthorities } from '../http/endpoint.ts';
import { encodeFields, type FormField } from '../http/form.ts';
import { checkInput } from '../http/inputs.ts';
import { type Cleaner, createCleaner } from '../http/secrecy.ts';
import { Sender } from '../http/sender.ts';
import { type ClientSettings, readOptions } from '../http/settings.ts';
import type { CallOptions } from '../http/types.ts';
import { trimOf } from '../lib/text.ts';
import { readAccount } from './account-answer.ts';
import { type Answer, type AnswerContext, readAnswer } from './answer.ts';
import { accountCall, CAcertError, invalidOptions, makeError, signingCall } from './errors.ts';
import { signingForm } from './inputs.ts';
import { readSigned } from './signing-answer.ts';
import type { CAcertClient, CAcertClientOptions, SignCertificateInput } from './types.ts';

/** The public service. */
export const defaultEndpoint = 'https://www.cacert.org/api/';

/** The most bytes of an answer. */
const maxReplyBytes = 1024 * 1024;

/** The least milliseconds for signing. It can take more than 40 s, and CAcert may still sign after an aborted call. */
const leastSigningMs = 90_000;
const leastSigningText = `must be at least ${leastSigningMs}, because CAcert can take that long.`;

/** The characters that PHP's `trim` removes. */
const blanks = ' \t\n\r\0\v';

/** Creates a client of one CAcert account. It connects with the first call. Throws `InvalidOptions`. */
export function createCAcertClient(options: CAcertClientOptions): CAcertClient {
  const { credentials, accountDeadlineMs = 30_000, signingDeadlineMs = 120_000 } = options;
  const username = trimmed('username', credentials.username);
  const password = trimmed('password', credentials.password);
  if (!(accountDeadlineMs > 0)) throw invalidOptions('accountDeadlineMs must be a number above 0.');
  if (!(signingDeadlineMs >= leastSigningMs)) throw invalidOptions(`signingDeadlineMs ${leastSigningText}`);
  const defaults = { endpoint: defaultEndpoint, userAgent: 'cacert-client' };
  const settings = readOptions(options, defaults, invalidOptions);
  const ca = options.systemCa && settings.ca ? [...settings.ca, ...systemAuthorities()] : settings.ca;
  return new Client({ username, password, accountDeadlineMs, signingDeadlineMs }, { ...settings, ca });
}

function trimmed(name: 'username' | 'password', value: string): string {
  const text = typeof value === 'string' ? trimOf(value, blanks) : '';
  if (text === '') throw invalidOptions(`credentials.${name} is empty.`);
  return text;
}

interface ClientParts {
  readonly username: string;
  readonly password: string;
  readonly accountDeadlineMs: number;
  readonly signingDeadlineMs: number;
}

/** All state is in private fields, so printing a client shows nothing. */
class Client implements CAcertClient {
  readonly #parts: ClientParts;
  readonly #clock: ClientSettings['clock'];
  readonly #clean: Cleaner;
  readonly #sender: Sender;

  constructor(parts: ClientParts, settings: ClientSettings) {
    this.#parts = parts;
    this.#clock = settings.clock;
    this.#clean = createCleaner([parts.password]);
    // Some refusals are in the language of the session, and this client recognises them by their English words.
    const headers = { accept: 'text/plain, */*', 'accept-language': 'en' };
    this.#sender = new Sender({ settings, headers, clean: this.#clean, makeError });
  }

  async getAccount(options: CallOptions = {}) {
    return this.#call(accountCall, [], readAccount, this.#parts.accountDeadlineMs, options);
  }

  async signCertificate(input: SignCertificateInput, options: CallOptions = {}) {
    const form = checkInput(makeError, signingCall, signingForm, input);
    if (options.deadlineMs !== undefined && !(options.deadlineMs >= leastSigningMs))
      throw new CAcertError('InvalidInput', { call: signingCall, detail: `deadlineMs ${leastSigningText}` });
    return this.#call(signingCall, form, readSigned, this.#parts.signingDeadlineMs, options);
  }

  clockOffset() {
    return this.#sender.clockOffset;
  }

  close(): Promise<void> {
    return this.#sender.close();
  }

  async #call<T>(
    call: string,
    form: readonly FormField[],
    read: (answer: Answer, context: AnswerContext) => T,
    usualMs: number,
    options: CallOptions,
  ): Promise<T> {
    this.#sender.refuseIfClosed(call);
    const { username, password } = this.#parts;
    const body = encodeFields([['username', username], ['password', password], ...form]);
    const time = this.#sender.deadline(options, usualMs);
    const { beforeSend } = options;
    try {
      const request = {
        call,
        body,
        signal: time.signal,
        beforeSend,
        maxBytes: maxReplyBytes,
        sink: undefined,
      };
      return await this.#sender.send(request, (reply: Reply) => {
        const context = { call, clean: this.#clean, now: this.#clock.now() };
        return read(readAnswer(reply, context), context);
      });
    } finally {
      time.clear();
    }
  }
}

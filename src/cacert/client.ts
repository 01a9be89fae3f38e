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

/** Bytes of an answer at most. */
const maxReplyBytes = 1024 * 1024;

/** Milliseconds that a signing must be waited for: it takes 40 s and more, and one that is given up may still be done. */
const leastSigningMs = 90_000;
const leastSigningText = `must be at least ${leastSigningMs}, since CAcert takes so long.`;

/** What PHP's `trim` takes away. */
const blanks = ' \t\n\r\0\v';

/**
 * Makes a client of one CAcert account. Connects nothing yet. Throws `InvalidOptions` for options that cannot work.
 */
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

/** All state is in private fields, so that printing a client shows none of it. */
class Client implements CAcertClient {
  readonly #parts: ClientParts;
  readonly #clock: ClientSettings['clock'];
  readonly #clean: Cleaner;
  readonly #sender: Sender;

  constructor(parts: ClientParts, settings: ClientSettings) {
    this.#parts = parts;
    this.#clock = settings.clock;
    this.#clean = createCleaner([parts.password]);
    // Some refusals are in the language of the session, and are recognised by their English words.
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

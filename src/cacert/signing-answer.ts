import { X509Certificate } from 'node:crypto';
import { refusedLogin } from './account-answer.ts';
import {
  type Answer,
  type AnswerContext,
  plainText,
  protocolError,
  shownText,
  unknownAnswer,
} from './answer.ts';
import { CAcertError } from './errors.ts';
import { keyRefusalIn } from './key-refusals.ts';
import type { SignedCertificate } from './types.ts';

const noSuchEmail = "Wasn't able to match any emails sent against your account";
const noCsr = 'Invalid or missing CSR';
const notSigned = /^Your certificate request has failed\b/;
const requestNumber = /\bID: *([1-9]\d{0,14})$/;
const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Reads an answer of `ccsr.php`. Its texts about a refused login, e-mail addresses and an unsigned request are always in
 * English. Any other 403 is about the key, in the language of the session. Throws a `CAcertError`.
 */
export function readSigned(answer: Answer, context: AnswerContext): SignedCertificate {
  const { call, clean } = context;
  if (answer.code === 200) return { certificate: certificateIn(answer.rest, call) };
  throw refusedLogin(answer, call) ?? refusedRequest(answer, call, clean) ?? unknownAnswer(answer, context);
}

function refusedRequest(
  answer: Answer,
  call: string,
  clean: AnswerContext['clean'],
): CAcertError | undefined {
  const { code, text } = answer;
  const known = { call, status: 200 };
  if (code === 403) {
    const refusal = keyRefusalIn(plainText(answer));
    return new CAcertError('KeyRefused', { ...known, refusal, text: shownText(answer, clean) });
  }
  if (code !== 404) return undefined;
  if (text === noSuchEmail) return new CAcertError('EmailRefused', known);
  if (text === noCsr) return new CAcertError('CsrRefused', known);
  if (!notSigned.test(text)) return undefined;
  // If CAcert's database failed, the number is 0 or missing.
  const id = requestNumber.exec(text)?.[1];
  return uncertain(call, 'CAcert did not sign the request in time.', id ? Number(id) : undefined);
}

/**
 * The certificate in an answer, encoded again so that nothing else comes with it. If CAcert sends a chain one day, it is
 * the one certificate that is not an authority's. The caller has to compare its key in any case.
 */
function certificateIn(text: string, call: string): string {
  if (text.includes('PRIVATE KEY-----')) throw protocolError(call, 'The answer holds a private key.');
  const blocks = text.match(pemCertificate);
  if (!blocks) throw uncertain(call, 'The answer holds no certificate.');
  const certificates = blocks.map((block) => parse(block, call));
  const [certificate, another] =
    certificates.length === 1 ? certificates : certificates.filter(({ ca }) => !ca);
  if (!certificate || another)
    throw uncertain(call, 'The answer holds several certificates, and it is not clear which one is meant.');
  return certificate.toString();
}

function parse(block: string, call: string): X509Certificate {
  try {
    return new X509Certificate(block);
  } catch {
    // The error of the parser may quote the input.
    throw uncertain(call, 'The certificate in the answer cannot be read.');
  }
}

function uncertain(call: string, detail: string, requestId?: number): CAcertError {
  return new CAcertError('IssuanceUncertain', { call, status: 200, maybeExecuted: true, detail, requestId });
}

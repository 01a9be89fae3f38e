/** The refusals of the two scripts, byte for byte. */
import type { SigningRequest } from './signing-request.ts';
import type { CAcertRefusalName } from './types.ts';

type KeyRefusal = Exclude<CAcertRefusalName, 'username' | 'email' | 'csr'>;
type Language = 'en' | 'de';

/** Where only a fragment of the sentence is known, the last part is our own. */
const KEY_REASONS: Record<KeyRefusal, Record<Language, string>> = {
  'no-request': {
    en: "I didn't receive a valid Certificate Request. Please try again.",
    de: 'Ich habe keine gültige Zertifikatsanfrage erhalten. Bitte versuchen Sie es noch einmal.',
  },
  'small-key': {
    en: `Your key is very small and therefore insecure. See ${link('SmallKey', 'the wiki')}`,
    de: `Ihr Schlüssel ist sehr kurz und damit unsicher. Siehe ${link('SmallKey', 'das Wiki')}`,
  },
  'debian-key': {
    en: `Your key comes from a vulnerable version of OpenSSL. See ${link('DebianVulnerability', 'the wiki')}`,
    de: `Ihr Schlüssel stammt von einer verwundbaren Version von OpenSSL. Siehe ${link('DebianVulnerability', 'das Wiki')}`,
  },
  'small-exponent': {
    en: `Your key might be insecure. See ${link('SmallExponent', 'the wiki')}`,
    de: `Ihr Schlüssel könnte unsicher sein. Siehe ${link('SmallExponent', 'das Wiki')}`,
  },
  algorithm: {
    en: 'Your key uses an unrecognized algorithm and cannot be signed.',
    de: 'Ihr Schlüssel hat ein unbekanntes Verfahren und kann nicht unterschrieben werden.',
  },
  internal: {
    en: 'Something went wrong when processing your request. Please tell <a href="mailto:support@example.org">us</a> the ID: 4711',
    de: 'Beim Bearbeiten Ihrer Anfrage ist ein Fehler aufgetreten. Bitte nennen Sie <a href="mailto:support@example.org">uns</a> die ID: 4711',
  },
};

/** The body of a refusal. Only the reasons about keys are translated, and only they have a blank after the comma. */
export function refusalBody(name: CAcertRefusalName, language: Language): Buffer {
  if (name === 'username') return Buffer.from("403,That username couldn't be found\n");
  if (name === 'email') return Buffer.from("404,Wasn't able to match any emails sent against your account");
  if (name === 'csr') return Buffer.from('404,Invalid or missing CSR');
  return Buffer.from(`403, ${KEY_REASONS[name][language]}`);
}

/** The body if the certificate is not there after the wait. */
export function failedBody(id: number): Buffer {
  return Buffer.from(`404,Your certificate request has failed. ID: ${id}`);
}

/** The language of translated texts: the parameter `lang`, else the first one in `Accept-Language`. */
export function languageOf(lang: string, acceptLanguage: string): Language {
  const wanted = lang === '' ? acceptLanguage : lang;
  return /^\s*de(?:[-_;,\s]|$)/i.test(wanted) ? 'de' : 'en';
}

/** The refusal for a bad key; undefined if the key is good. */
export function weakness(request: SigningRequest | undefined): KeyRefusal | undefined {
  if (!request) return 'no-request';
  const { asymmetricKeyType, asymmetricKeyDetails } = request.publicKey;
  if (asymmetricKeyType !== 'rsa') return 'algorithm';
  const { modulusLength = 0, publicExponent = 0n } = asymmetricKeyDetails ?? {};
  if (modulusLength < 2048) return 'small-key';
  return publicExponent < 65_537n ? 'small-exponent' : undefined;
}

function link(topic: string, text: string): string {
  return `<a href='//wiki.cacert.org/WeakKeys#${topic}'>${text}</a>`;
}

/** Why CAcert refuses a key or the request around it. */
export type KeyRefusal =
  /** There is no request, or it cannot be read. */
  | 'UnreadableRequest'
  /** RSA below 2048 bits. */
  | 'KeyTooSmall'
  /** A key on Debian's list of weak keys. */
  | 'KnownWeakKey'
  /** A public exponent below 65537. */
  | 'SmallExponent'
  /** Not RSA. */
  | 'UnsupportedAlgorithm'
  /** CAcert's own check of the key failed: a temporary fault, or an unexpected kind of key. */
  | 'CheckFailed'
  /** A text that this client does not know. */
  | 'Unrecognized';

/** Fragments of CAcert's English texts, in lower case (includes/lib/check_weak_key.php). */
const fragments: readonly (readonly [fragment: string, refusal: KeyRefusal])[] = [
  ['receive a valid certificate request', 'UnreadableRequest'],
  ['very small', 'KeyTooSmall'],
  ['vulnerable version of openssl', 'KnownWeakKey'],
  ['might be insecure', 'SmallExponent'],
  ['unrecognized algorithm', 'UnsupportedAlgorithm'],
  ['something went wrong when processing your request', 'CheckFailed'],
];

const sentences: Readonly<Record<KeyRefusal, string>> = {
  UnreadableRequest: 'CAcert cannot read the signing request.',
  KeyTooSmall: 'The key is too small: CAcert accepts RSA keys of at least 2048 bits.',
  KnownWeakKey: 'The key is on the list of weak keys that a broken OpenSSL generated.',
  SmallExponent: 'The public exponent is too small: CAcert takes 65537 or more.',
  UnsupportedAlgorithm: 'CAcert takes RSA keys only.',
  CheckFailed: 'CAcert’s check of the key failed.',
  Unrecognized: 'CAcert gave a reason that this client does not know.',
};

/** The refusal in a text without tags. */
export function keyRefusalIn(text: string): KeyRefusal {
  const words = text.toLowerCase();
  return fragments.find(([fragment]) => words.includes(fragment))?.[1] ?? 'Unrecognized';
}

/** The fixed sentence for a refusal. */
export function sentenceOf(refusal: KeyRefusal): string {
  return sentences[refusal];
}

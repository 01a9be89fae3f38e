/** Why CAcert refuses a key or the request around it. */
export type KeyRefusal =
  /** There is no request, or it cannot be read. */
  | 'UnreadableRequest'
  /** RSA below 2048 bits. */
  | 'KeyTooSmall'
  /** A key of the Debian weak key list. */
  | 'KnownWeakKey'
  /** A public exponent below 65537. */
  | 'SmallExponent'
  /** Not RSA. */
  | 'UnsupportedAlgorithm'
  /** CAcert's own check of the key failed: a fault of the moment, or a kind of key it did not expect. */
  | 'CheckFailed'
  /** Words that this client does not know. */
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
  KeyTooSmall: 'The key is too small: CAcert takes RSA from 2048 bits.',
  KnownWeakKey: 'The key is on the list of keys that a broken OpenSSL made.',
  SmallExponent: 'The public exponent is too small: CAcert takes 65537 or more.',
  UnsupportedAlgorithm: 'CAcert takes RSA keys only.',
  CheckFailed: 'The check of the key failed at CAcert.',
  Unrecognized: 'CAcert gave a reason that this client does not know.',
};

/** Which refusal a text without tags tells of. */
export function keyRefusalIn(text: string): KeyRefusal {
  const words = text.toLowerCase();
  return fragments.find(([fragment]) => words.includes(fragment))?.[1] ?? 'Unrecognized';
}

/** The fixed sentence for a refusal. */
export function sentenceOf(refusal: KeyRefusal): string {
  return sentences[refusal];
}

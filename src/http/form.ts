const bare = /^[\w.-]*$/;
const leftBareByUri = /[!'()*~]|%20/g;

/**
 * Escapes one name or value exactly as PHP's `http_build_query` does: `A-Z a-z 0-9 - _ .` stay, a space becomes `+`, and
 * every other UTF-8 byte becomes `%XX` in upper case. A service may verify the digest of a form over its own encoding of
 * the parsed values, which would fail with the bare `*` of `URLSearchParams`.
 */
export function escapeForm(text: string): string {
  if (bare.test(text)) return text;
  return encodeURIComponent(text.toWellFormed()).replace(leftBareByUri, (match) =>
    match === '%20' ? '+' : `%${match.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Escapes bytes by the same rules as `escapeForm`. */
export function escapeBytes(bytes: Uint8Array): string {
  let escaped = '';
  for (const byte of bytes)
    escaped += byte < 0x80 ? escapeForm(String.fromCharCode(byte)) : `%${byte.toString(16).toUpperCase()}`;
  return escaped;
}

/** The name and the value of a field. Text is sent as UTF-8, bytes are sent unchanged. */
export type FormField = readonly [name: string, value: string | Uint8Array];

/** Encodes the fields in this order. The result is ASCII. */
export function encodeFields(fields: readonly FormField[]): string {
  return fields
    .map(([name, value]) => {
      const escaped = typeof value === 'string' ? escapeForm(value) : escapeBytes(value);
      return `${escapeForm(name)}=${escaped}`;
    })
    .join('&');
}

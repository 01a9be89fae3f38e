const bare = /^[\w.-]*$/;
const leftBareByUri = /[!'()*~]|%20/g;

/**
 * Escapes one name or value exactly as PHP's `http_build_query` does: only `A-Z a-z 0-9 - _ .` stay, a space becomes
 * `+`, every other UTF-8 byte `%XX` in upper case. A service that signs forms may compare over its own encoding of what
 * it parsed, so a `*` left bare, as `URLSearchParams` does, can fail.
 */
export function escapeForm(text: string): string {
  if (bare.test(text)) return text;
  return encodeURIComponent(text.toWellFormed()).replace(leftBareByUri, (match) =>
    match === '%20' ? '+' : `%${match.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Escapes bytes as they are, as `escapeForm` does those of a text. */
export function escapeBytes(bytes: Uint8Array): string {
  let escaped = '';
  for (const byte of bytes)
    escaped += byte < 0x80 ? escapeForm(String.fromCharCode(byte)) : `%${byte.toString(16).toUpperCase()}`;
  return escaped;
}

/** The name of a field, and its value: a text is sent in UTF-8, bytes as they are. */
export type FormField = readonly [name: string, value: string | Uint8Array];

/** A form of these fields, in this order. ASCII. */
export function encodeFields(fields: readonly FormField[]): string {
  return fields
    .map(([name, value]) => {
      const escaped = typeof value === 'string' ? escapeForm(value) : escapeBytes(value);
      return `${escapeForm(name)}=${escaped}`;
    })
    .join('&');
}

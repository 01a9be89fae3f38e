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

/** A form of these names and values, in this order. ASCII. */
export function encodePairs(pairs: readonly (readonly [name: string, value: string])[]): string {
  return pairs.map(([name, value]) => `${escapeForm(name)}=${escapeForm(value)}`).join('&');
}

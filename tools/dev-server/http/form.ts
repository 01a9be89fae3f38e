/**
 * Form bodies as PHP reads and writes them, since the service is written in PHP. `SANs[0][DNS]=x` is a nested array in order of
 * arrival, and the output of `http_build_query` is one of the two strings that a digest may cover.
 */

/** A parsed parameter: text, or an array as a map of its keys. */
export type FormValue = string | Map<string, FormValue>;
export type Form = Map<string, FormValue>;

/** The name and value pairs of a body, decoded, in order of arrival. Malformed escapes stay. */
export function formPairs(body: string): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  for (const piece of body.split('&')) {
    if (piece === '') continue;
    const equals = piece.indexOf('=');
    const name = equals === -1 ? piece : piece.slice(0, equals);
    pairs.push([decode(name), equals === -1 ? '' : decode(piece.slice(equals + 1))]);
  }
  return pairs;
}

/** Nests the pairs by the brackets in their names; a later pair replaces an earlier one with the same name. */
export function nestForm(pairs: readonly [name: string, value: string][]): Form {
  const form: Form = new Map();
  for (const [name, value] of pairs) {
    const bracket = name.indexOf('[');
    const keys = bracket > 0 ? [...name.slice(bracket).matchAll(/\[([^\]]*)\]/g)].map((m) => m[1] ?? '') : [];
    let level = form;
    let key = keys.length > 0 ? name.slice(0, bracket) : name;
    for (const inner of keys) {
      const below = level.get(key);
      const next = below instanceof Map ? below : new Map<string, FormValue>();
      if (next !== below) level.set(key, next);
      level = next;
      key = inner === '' ? String(level.size) : inner;
    }
    level.set(key, value);
  }
  return form;
}

/** `ksort` of the top level, then `http_build_query` (RFC 1738). */
export function phpQuery(form: Form): string {
  const sorted = [...form].sort(([a], [b]) => (a < b ? -1 : 1));
  const pieces: string[] = [];
  for (const [name, value] of sorted) append(pieces, name, value);
  return pieces.join('&');
}

function append(pieces: string[], name: string, value: FormValue): void {
  if (typeof value === 'string') {
    pieces.push(`${phpEscape(name)}=${phpEscape(value)}`);
    return;
  }
  for (const [key, inner] of value) append(pieces, `${name}[${key}]`, inner);
}

/** PHP's `urlencode`: everything but letters, digits and `-_.` as upper-case `%XX` of the UTF-8 bytes, the space as `+`. */
function phpEscape(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll(/[!'()*~]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}

function decode(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}

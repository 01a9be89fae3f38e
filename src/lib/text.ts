/**
 * Functions that cut texts of any origin in linear time. A regular expression such as `/x+$/` tries again from each `x`, so
 * a hostile text blocks the process for minutes.
 */

/** A text without those of the `unwanted` characters that end it. */
export function trimEndOf(text: string, unwanted: string): string {
  let end = text.length;
  while (end > 0 && unwanted.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

/** A text without those of the `unwanted` characters that begin or end it. */
export function trimOf(text: string, unwanted: string): string {
  const trimmed = trimEndOf(text, unwanted);
  let start = 0;
  while (start < trimmed.length && unwanted.includes(trimmed.charAt(start))) start += 1;
  return trimmed.slice(start);
}

/** Replaces each part from an `open` to the next `close` with `instead`. An `open` without a `close` stays. */
export function replaceEnclosed(text: string, open: string, close: string, instead: string): string {
  const kept: string[] = [];
  let at = 0;
  for (;;) {
    const start = text.indexOf(open, at);
    const end = start < 0 ? -1 : text.indexOf(close, start + open.length);
    if (end < 0) return kept.join(instead) + (kept.length > 0 ? instead : '') + text.slice(at);
    kept.push(text.slice(at, start));
    at = end + close.length;
  }
}

/** Up to this length the engine searches for a part. It needs at worst this many steps per character of the text. */
const SHORT = 256;

/**
 * Whether a text contains a part. Like `includes`, but in time by the sum of both lengths (Knuth, Morris and Pratt 1977);
 * `includes` takes time by their product for hostile texts.
 */
export function holds(text: string, part: string): boolean {
  if (part.length <= SHORT) return text.includes(part);
  /** For each prefix of the part, the length of its longest proper suffix that is also a prefix of the part. */
  const borders = new Int32Array(part.length);
  /** How many characters of the part match after one more character, if `matched` did before. */
  const advance = (matched: number, code: number): number => {
    let length = matched;
    while (length > 0 && part.charCodeAt(length) !== code) length = borders[length - 1] ?? 0;
    return part.charCodeAt(length) === code ? length + 1 : 0;
  };
  for (let at = 1; at < part.length; at += 1) {
    borders[at] = advance(borders[at - 1] ?? 0, part.charCodeAt(at));
  }
  let matched = 0;
  for (let at = 0; at < text.length && matched < part.length; at += 1) {
    matched = advance(matched, text.charCodeAt(at));
  }
  return matched === part.length;
}

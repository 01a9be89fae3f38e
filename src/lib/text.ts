/**
 * Cutting texts of any origin. Regular expressions such as `/x+$/` try again from each `x`, so that a text made for it
 * stops the process for minutes; these go through a text once.
 */

/** A text without the characters at its end that are among `unwanted`. */
export function trimEndOf(text: string, unwanted: string): string {
  let end = text.length;
  while (end > 0 && unwanted.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

/** A text without the characters at either end that are among `unwanted`. */
export function trimOf(text: string, unwanted: string): string {
  const trimmed = trimEndOf(text, unwanted);
  let start = 0;
  while (start < trimmed.length && unwanted.includes(trimmed.charAt(start))) start += 1;
  return trimmed.slice(start);
}

/** A text with `instead` for each part from an `open` to the next `close`. An `open` that nothing closes stays. */
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

/** A part of so many characters is looked for by the engine: that takes this many steps for each of the text at worst. */
const SHORT = 256;

/**
 * Whether a text holds a part. As `includes`, which takes time by the product of both lengths if both are made for it;
 * this takes their sum (Knuth, Morris and Pratt 1977).
 */
export function holds(text: string, part: string): boolean {
  if (part.length <= SHORT) return text.includes(part);
  /** For each beginning of the part, how much of its end is a beginning of the part again. */
  const borders = new Int32Array(part.length);
  /** How much of the part is at hand after one more character, if `matched` of it was before. */
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

/** A parsed regular expression. What a lazy repetition matches is the same as what a greedy one does. */
export type Node =
  /** One character out of a set. */
  | { readonly kind: 'characters'; readonly set: bigint }
  /** `^`, `$` or `\b`, which take no character and may fail. */
  | { readonly kind: 'assertion'; readonly sign: '^' | '$' | 'b' }
  | { readonly kind: 'sequence'; readonly parts: readonly Node[] }
  | { readonly kind: 'choice'; readonly parts: readonly Node[] }
  | { readonly kind: 'repeat'; readonly body: Node; readonly least: number; readonly most: number };

/** Latin-1, and of all other characters some that classes tell apart. A set is a number with a bit for each. */
const alphabet: readonly string[] = [
  ...Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)),
  '\u0416',
  '\u2003',
  '\u2028',
  '\u2029',
  '\u212a',
  '\u4e2d',
  '\ud800',
  '\ufeff',
  '\u{1f600}',
];

/** The set of all characters. */
export const anything = (1n << BigInt(alphabet.length)) - 1n;

/** The characters that `^` and `$` of an expression with the flag `m` stand beside. */
export const lineBreaks = setOf(String.raw`[\n\r\u2028\u2029]`, '');

/** The characters that an expression for one character matches: the engine itself is asked. */
function setOf(source: string, flags: string): bigint {
  const expression = new RegExp(`^(?:${source})$`, flags.replaceAll(/[gmy]/g, ''));
  let set = 0n;
  for (const [index, char] of alphabet.entries()) if (expression.test(char)) set |= 1n << BigInt(index);
  return set;
}

/** Parses an expression that the engine takes. Throws for what the analysis does not know: looking around. */
export function parseExpression(source: string, flags: string): Node {
  void new RegExp(source, flags);
  return new Parser(source, flags).parse();
}

class Parser {
  readonly #source: string;
  readonly #flags: string;
  /** The groups by their numbers, and by their names. */
  readonly #groups = new Map<string, Node>();
  #count = 0;
  #at = 0;

  constructor(source: string, flags: string) {
    this.#source = source;
    this.#flags = flags;
  }

  parse(): Node {
    const parts: Node[] = [];
    let sequence: Node[] = [];
    while (this.#at < this.#source.length && this.#source[this.#at] !== ')') {
      if (this.#take('|')) {
        parts.push({ kind: 'sequence', parts: sequence });
        sequence = [];
      } else sequence.push(this.#repeated(this.#atom()));
    }
    const last: Node = { kind: 'sequence', parts: sequence };
    return parts.length === 0 ? last : { kind: 'choice', parts: [...parts, last] };
  }

  #take(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #match(sticky: RegExp): RegExpExecArray | undefined {
    sticky.lastIndex = this.#at;
    const match = sticky.exec(this.#source);
    if (!match) return undefined;
    this.#at += match[0].length;
    return match;
  }

  #atom(): Node {
    if (this.#take('^')) return { kind: 'assertion', sign: '^' };
    if (this.#take('$')) return { kind: 'assertion', sign: '$' };
    if (this.#match(/\\[bB]/y)) return { kind: 'assertion', sign: 'b' };
    if (this.#take('(')) return this.#group();
    const reference = this.#match(/\\(?:([1-9]\d*)|k<([^>]*)>)/y);
    // Whatever the group may have matched: more than the reference does, which errs on the safe side.
    if (reference)
      return this.#groups.get(reference[1] ?? reference[2] ?? '') ?? { kind: 'sequence', parts: [] };
    const text = this.#match(
      /\[(?:\\[^]|[^\]\\])*\]|\\(?:x[\da-fA-F]{2}|u\{[\da-fA-F]+\}|u[\da-fA-F]{4}|c[A-Za-z]|[pP]\{[^}]*\}|[^])|[^]/uy,
    )?.[0];
    return { kind: 'characters', set: setOf(text ?? '', this.#flags) };
  }

  #group(): Node {
    const start = this.#match(/\?(?:<([A-Za-z_$][\w$]*)>|:)/y);
    if (!start && this.#source[this.#at] === '?')
      throw new Error('it looks around, which this check cannot judge');
    const number = start && start[1] === undefined ? undefined : String((this.#count += 1));
    const body = this.parse();
    this.#at += 1;
    for (const key of [number, start?.[1]]) if (key !== undefined) this.#groups.set(key, body);
    return body;
  }

  #repeated(body: Node): Node {
    const sign = this.#match(/(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/y);
    if (!sign) return body;
    const [whole, least = '', comma, most] = sign;
    if (whole.startsWith('*')) return { kind: 'repeat', body, least: 0, most: Infinity };
    if (whole.startsWith('+')) return { kind: 'repeat', body, least: 1, most: Infinity };
    if (whole.startsWith('?')) return { kind: 'repeat', body, least: 0, most: 1 };
    const upTo = most ? Number(most) : comma ? Infinity : Number(least);
    return { kind: 'repeat', body, least: Number(least), most: upTo };
  }
}

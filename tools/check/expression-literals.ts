/** A regular expression as it stands in a source file. */
export interface Literal {
  /** What stands between the slashes. */
  readonly source: string;
  readonly flags: string;
  readonly line: number;
}

/** Words after which a slash begins an expression, though they look like names. */
const beforeExpression: ReadonlySet<string> = new Set([
  'await',
  'case',
  'delete',
  'do',
  'else',
  'in',
  'instanceof',
  'of',
  'return',
  'throw',
  'typeof',
  'void',
  'yield',
]);

const isWord = (char: string | undefined): boolean => char !== undefined && /[\w$]/.test(char);

/**
 * The regular expression literals of a TypeScript source. A slash begins one where a value is expected: by the word or
 * sign before it, comments aside. After `)` and `}` it is taken for a division, as in all but odd code.
 */
export function literalsOf(source: string): Literal[] {
  const found: Literal[] = [];
  /** For each template literal that is open, the braces that are open in its present `${}`. */
  const templates: number[] = [];
  let before = '';
  let at = 0;
  while (at < source.length) {
    const char = source.charAt(at);
    if (/\s/.test(char)) at += 1;
    else if (source.startsWith('//', at)) at = indexOr(source, '\n', at);
    else if (source.startsWith('/*', at)) at = indexOr(source, '*/', at + 2) + 2;
    else if (char === "'" || char === '"') {
      at = stringEnd(source, at);
      before = char;
    } else if (char === '`' || (char === '}' && templates.at(-1) === 0)) {
      if (char === '}') templates.pop();
      at = templateEnd(source, at + 1);
      if (source.startsWith('${', at - 2)) templates.push(0);
      before = source.charAt(at - 1);
    } else if (char === '/' && expectsValue(before)) {
      const literal = read(source, at);
      found.push(literal);
      at += literal.source.length + literal.flags.length + 2;
      before = ')';
    } else if (isWord(char)) {
      let end = at;
      while (isWord(source[end])) end += 1;
      before = source.slice(at, end);
      at = end;
    } else {
      const depth = templates.length - 1;
      if (depth >= 0 && char === '{') templates[depth] = (templates[depth] ?? 0) + 1;
      if (depth >= 0 && char === '}') templates[depth] = (templates[depth] ?? 0) - 1;
      before = char;
      at += 1;
    }
  }
  return found;
}

function expectsValue(before: string): boolean {
  if (isWord(before[0])) return beforeExpression.has(before);
  return !`)]}'"\``.includes(before) || before === '';
}

function indexOr(source: string, wanted: string, from: number): number {
  const index = source.indexOf(wanted, from);
  return index < 0 ? source.length : index;
}

function stringEnd(source: string, from: number): number {
  let at = from + 1;
  while (at < source.length && source[at] !== source[from]) at += source[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** Behind the backtick that ends a template, or behind the `${` that interrupts it. */
function templateEnd(source: string, from: number): number {
  let at = from;
  while (at < source.length && source[at] !== '`') {
    if (source.startsWith('${', at)) return at + 2;
    at += source[at] === '\\' ? 2 : 1;
  }
  return at + 1;
}

function read(source: string, from: number): Literal {
  const line = source.slice(0, from).split('\n').length;
  let at = from + 1;
  let inClass = false;
  while (at < source.length && (inClass || source[at] !== '/')) {
    if (source[at] === '\n') throw new Error(`a regular expression does not end on its line ${line}`);
    if (source[at] === '[') inClass = true;
    else if (source[at] === ']') inClass = false;
    at += source[at] === '\\' ? 2 : 1;
  }
  let end = at + 1;
  while (isWord(source[end])) end += 1;
  return { source: source.slice(from + 1, at), flags: source.slice(at + 1, end), line };
}

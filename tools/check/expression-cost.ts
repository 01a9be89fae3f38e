import { anything, lineBreaks, type Node, parseExpression } from './expression-syntax.ts';

/** A repetition of up to so many is written out; one of more counts as one without an end. */
const writtenOut = 128;

/**
 * How the matcher goes through an expression: places are its characters, each with the set that it takes and the places
 * that may follow. Two more places stand for what is before a match: any character, and one that ends a line.
 */
class Places {
  readonly sets: bigint[] = [];
  readonly next: Set<number>[] = [];
  /** A step between two places that one text can take in two ways. */
  doubled: [number, number] | undefined;

  add(set: bigint): number {
    this.next.push(new Set());
    return this.sets.push(set) - 1;
  }

  connect(from: Iterable<number>, to: Iterable<number>): void {
    const targets = [...to];
    for (const place of from)
      for (const target of targets) {
        const next = this.next[place];
        if (next?.has(target)) this.doubled ??= [place, target];
        next?.add(target);
      }
  }
}

/** A part of an expression: where it begins and ends, and what it takes to pass it without a character. */
interface Part {
  first: Set<number>;
  /** Places where a match may begin anywhere in the text, or anywhere at the beginning of a line. */
  anywhere: Set<number>;
  atLine: Set<number>;
  last: Set<number>;
  /** Places at which the part is matched, whatever comes. */
  surely: Set<number>;
  /** Whether it may be empty: at all, anywhere in the text, at the beginning of a line only, whatever comes. */
  empty: boolean;
  emptyAnywhere: boolean;
  emptyAtLine: boolean;
  emptySurely: boolean;
}

/**
 * Why an expression may take more than linear time on some text; undefined if it does not. The time is worse than linear
 * if a text can be read in the more ways the longer it is, and every one of them is tried before the match fails: a place
 * is read again and again while another, earlier one stays where it is. That is the ambiguity of finite automata (Weber
 * and Seidl 1991); the search for a place to begin counts as such an earlier place. Boundaries are taken for passable.
 */
export function costOf(source: string, flags: string): string | undefined {
  const places = new Places();
  const before = places.add(flags.includes('y') ? 0n : anything);
  const lineStart = places.add(flags.includes('y') ? 0n : lineBreaks);
  const whole = partOf(parseExpression(source, flags), places, flags.includes('m'));
  if (places.doubled) return 'a repetition within a repetition takes the same text in several ways';
  places.connect([before], [before, lineStart, ...whole.anywhere]);
  places.connect([lineStart], whole.atLine);
  const loops = places.sets.map((_, place) => reachable(places, place).has(place));
  for (const [early, isLoop] of loops.entries())
    for (const late of isLoop ? reachable(places, early) : [])
      if (loops[late] && late !== early && !whole.surely.has(late) && isAmbiguous(places, early, late))
        return early === before
          ? 'a repetition is read again from each of its characters: nothing tells where it begins'
          : 'two repetitions take the same text';
  return undefined;
}

/** Whether some text leads from `early` to itself, from `early` to `late` and from `late` to itself. */
function isAmbiguous({ sets, next }: Places, early: number, late: number): boolean {
  const stride = sets.length;
  const start: Three = [early, early, late];
  const seen = new Set<number>();
  const open: Three[] = [start];
  for (let three = open.pop(); three; three = open.pop())
    for (const a of next[three[0]] ?? [])
      for (const b of next[three[1]] ?? []) {
        const common = (sets[a] ?? 0n) & (sets[b] ?? 0n);
        if (common === 0n) continue;
        for (const c of next[three[2]] ?? []) {
          const key = (a * stride + b) * stride + c;
          if ((common & (sets[c] ?? 0n)) === 0n || seen.has(key)) continue;
          if (a === early && b === late && c === late) return true;
          seen.add(key);
          open.push([a, b, c]);
        }
      }
  return false;
}

type Three = [number, number, number];

function reachable({ sets, next }: Places, from: number): Set<number> {
  const found = new Set<number>();
  const open = [from];
  for (let place = open.pop(); place !== undefined; place = open.pop())
    for (const target of next[place] ?? [])
      if (sets[target] !== 0n && !found.has(target)) {
        found.add(target);
        open.push(target);
      }
  return found;
}

function partOf(node: Node, places: Places, byLine: boolean): Part {
  switch (node.kind) {
    case 'characters': {
      const place = new Set([places.add(node.set)]);
      return {
        ...nothing(),
        first: place,
        anywhere: place,
        last: place,
        surely: place,
        empty: false,
        emptyAnywhere: false,
        emptySurely: false,
      };
    }
    case 'assertion':
      return {
        ...nothing(),
        emptyAnywhere: node.sign !== '^',
        emptyAtLine: node.sign === '^' && byLine,
        emptySurely: false,
      };
    case 'sequence':
      return node.parts
        .map((part) => partOf(part, places, byLine))
        .reduce((left, right) => sequence(left, right, places), nothing());
    case 'choice':
      return node.parts.map((part) => partOf(part, places, byLine)).reduce(choice);
    case 'repeat':
      return repeat(node, places, byLine);
    default:
      throw new Error('unknown node');
  }
}

function nothing(): Part {
  const none = new Set<number>();
  return {
    first: none,
    anywhere: none,
    atLine: none,
    last: none,
    surely: none,
    empty: true,
    emptyAnywhere: true,
    emptyAtLine: false,
    emptySurely: true,
  };
}

function sequence(left: Part, right: Part, places: Places): Part {
  places.connect(left.last, right.first);
  return {
    first: union(left.first, left.empty && right.first),
    anywhere: union(left.anywhere, left.emptyAnywhere && right.anywhere),
    atLine: union(
      left.atLine,
      (left.emptyAnywhere || left.emptyAtLine) && right.atLine,
      left.emptyAtLine && right.anywhere,
    ),
    last: union(right.last, right.empty && left.last),
    surely: union(right.surely, right.emptySurely && left.surely),
    empty: left.empty && right.empty,
    emptyAnywhere: left.emptyAnywhere && right.emptyAnywhere,
    emptyAtLine:
      (left.emptyAtLine && (right.emptyAnywhere || right.emptyAtLine)) ||
      (left.emptyAnywhere && right.emptyAtLine),
    emptySurely: left.emptySurely && right.emptySurely,
  };
}

function choice(left: Part, right: Part): Part {
  return {
    first: union(left.first, right.first),
    anywhere: union(left.anywhere, right.anywhere),
    atLine: union(left.atLine, right.atLine),
    last: union(left.last, right.last),
    surely: union(left.surely, right.surely),
    empty: left.empty || right.empty,
    emptyAnywhere: left.emptyAnywhere || right.emptyAnywhere,
    emptyAtLine: left.emptyAtLine || right.emptyAtLine,
    emptySurely: left.emptySurely || right.emptySurely,
  };
}

function union(...sets: (Set<number> | false)[]): Set<number> {
  return new Set(sets.flatMap((set) => (set ? [...set] : [])));
}

function repeat(
  { body, least, most }: Extract<Node, { kind: 'repeat' }>,
  places: Places,
  byLine: boolean,
): Part {
  const isEndless = most > writtenOut;
  const copies = Math.min(isEndless ? Math.max(least, 1) : most, writtenOut);
  let whole = nothing();
  for (let copy = copies; copy > 0; copy -= 1) {
    const part = partOf(body, places, byLine);
    if (copy === copies && isEndless) places.connect(part.last, part.first);
    const rest = sequence(part, whole, places);
    // What is beyond the least number is optional, and only behind what came before.
    whole = copy > least ? choice(rest, nothing()) : rest;
  }
  return whole;
}

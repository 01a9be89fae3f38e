/** Bounds of a search. */
export interface Bounds {
  /** Steps from the start at most. */
  depth?: number;
  /** States at most. */
  states?: number;
  /** Looks for this invariant alone. */
  only?: string;
}

export interface Finding {
  /** The invariant that breaks, or `stuck`: a resource that does not become ready though nothing goes wrong any more. */
  invariant: string;
  /** One sentence for each step; the shortest way there. */
  trace: string[];
}

export interface Outcome {
  states: number;
  depth: number;
  /** Whether every state within the budget of events was seen. */
  isComplete: boolean;
  finding: Finding | undefined;
}

export interface Successor<State> {
  state: State;
  sentence: string;
  /** Part of the protocol or of a healthy world, rather than an event. */
  isFree: boolean;
}

/** What a search needs to know of a model. */
export interface Model<State> {
  start: State;
  /** A number that two states share only if they are alike. */
  digestOf: (state: State) => number;
  /** All that can happen next. What a healthy world does comes first, in an order that lets everything finish. */
  successors: (state: State) => Successor<State>[];
  /** The invariant that a state breaks, if it does. */
  brokenBy: (state: State) => string | undefined;
  /** Nothing is left to do, or a person has been told what to do. */
  isAtRest: (state: State) => boolean;
}

/** Breadth first, so that what is found is shortest. */
export function breadthFirst<State>(model: Model<State>, bounds: Bounds = {}): Outcome {
  const { start, digestOf, successors, brokenBy, isAtRest } = model;
  const most = bounds.states ?? Infinity;
  const indexes = new Map<number, number>([[digestOf(start), 0]]);
  const parents = [-1];
  const choices = [0];
  /** What follows if nothing goes wrong any more: the next state of a fair run, or -1 at its good end. */
  const fair: number[] = [];
  const finding = (invariant: string, index: number, choice?: number): Finding => {
    const way = choice === undefined ? [] : [choice];
    for (let at = index; at > 0; at = parents[at]!) way.push(choices[at]!);
    return { invariant, trace: replay(model, way.reverse()) };
  };
  let level: { index: number; state: State }[] = [{ index: 0, state: start }];
  let depth = 0;
  for (; level.length > 0; depth += 1) {
    if (depth >= (bounds.depth ?? Infinity) || indexes.size >= most) {
      return {
        states: indexes.size,
        depth,
        isComplete: false,
        finding: bounds.only ? undefined : stuck(fair, finding),
      };
    }
    const next: typeof level = [];
    for (const { index, state } of level) {
      fair[index] = isAtRest(state) ? -1 : index;
      for (const [choice, successor] of successors(state).entries()) {
        const digest = digestOf(successor.state);
        let found = indexes.get(digest);
        if (found === undefined) {
          found = indexes.size;
          indexes.set(digest, found);
          parents.push(index);
          choices.push(choice);
          const invariant = brokenBy(successor.state);
          if (invariant !== undefined && (bounds.only ?? invariant) === invariant) {
            const { size } = indexes;
            return { states: size, depth: depth + 1, isComplete: false, finding: finding(invariant, found) };
          }
          next.push({ index: found, state: successor.state });
        }
        if (choice === 0 && successor.isFree && fair[index] !== -1) fair[index] = found;
      }
    }
    level = next;
  }
  return {
    states: indexes.size,
    depth: depth - 1,
    isComplete: true,
    finding: bounds.only ? undefined : stuck(fair, finding),
  };
}

/** The first state whose fair run ends, or goes round, without all resources being ready. */
function stuck(
  fair: readonly number[],
  finding: (invariant: string, index: number) => Finding,
): Finding | undefined {
  const isGood = new Uint8Array(fair.length);
  for (let index = 0; index < fair.length; index += 1) {
    const run: number[] = [];
    const seen = new Set<number>();
    let at = index;
    while (at >= 0 && at < fair.length && !isGood[at]) {
      if (seen.has(at)) return finding('stuck', index);
      seen.add(at);
      run.push(at);
      at = fair[at]!;
    }
    for (const passed of run) isGood[passed] = 1;
  }
  return undefined;
}

function replay<State>({ start, successors }: Model<State>, choices: readonly number[]): string[] {
  const trace: string[] = [];
  let state = start;
  for (const choice of choices) {
    const successor = successors(state)[choice];
    if (!successor) break;
    trace.push(successor.sentence);
    ({ state } = successor);
  }
  return trace;
}

/** A finding as numbered sentences. */
export function tell({ invariant, trace }: Finding): string {
  return [
    ...trace.map((sentence, index) => `${String(index + 1).padStart(3)}. ${sentence}`),
    `     => ${invariant}`,
  ].join('\n');
}

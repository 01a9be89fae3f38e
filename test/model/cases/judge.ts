import type { Finding } from '../search/breadth-first.ts';
import type { Case } from './case.ts';

/** What a search has found, measured by what a case wants. */
interface Judgement {
  breaks: string | undefined;
  /** What the trace ought to tell and does not. */
  untold: string[];
  steps: number;
}

/** What a case wants. */
export function wantedOf({ breaks, steps }: Pick<Case, 'breaks' | 'steps'>): Judgement {
  return { breaks, untold: [], steps };
}

/** What a finding tells of what it should, in that order. */
export function judge(finding: Finding | undefined, { tells }: Pick<Case, 'tells'>): Judgement {
  const trace = finding?.trace ?? [];
  const untold: string[] = [];
  let from = 0;
  for (const pattern of tells) {
    const index = trace.findIndex((sentence, at) => at >= from && pattern.test(sentence));
    if (index < 0) untold.push(String(pattern));
    else from = index + 1;
  }
  return { breaks: finding?.invariant, untold, steps: trace.length };
}

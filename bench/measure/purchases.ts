/** One line of the dev server's journal, as far as purchases are concerned. */
export interface JournalLine {
  call: string;
  params: Readonly<Record<string, string>>;
  /** What the call made or touched; absent for one that did not act. */
  result?: { certId?: number };
}

/**
 * Certificates bought beyond one for each resource and revision. Resources are told apart by their common names, which are unique in
 * the bench; `revisions` says how many each resource has had. What nobody wanted counts in full.
 */
export function boughtTwice(journal: readonly JournalLine[], revisions: ReadonlyMap<string, number>): number {
  const bought = new Map<string, number>();
  for (const { call, params, result } of journal) {
    // Whether the buyer ever heard of it does not matter.
    if (call !== 'cert/new' || result?.certId === undefined) continue;
    const name = params['CN'] ?? '';
    bought.set(name, (bought.get(name) ?? 0) + 1);
  }
  let beyond = 0;
  for (const [name, count] of bought) beyond += Math.max(0, count - (revisions.get(name) ?? 0));
  return beyond;
}

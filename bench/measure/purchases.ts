/** One line of the dev server's journal: the fields that matter for purchases. */
export interface JournalLine {
  call: string;
  params: Readonly<Record<string, string>>;
  /** What the call made or changed; absent if it did not take effect. */
  result?: { certId?: number };
}

/**
 * Certificates bought beyond one for each resource and revision. Common names, which are unique in the bench, identify the
 * resources; `revisions` has the count of each. Certificates that no resource wanted all count.
 */
export function boughtTwice(journal: readonly JournalLine[], revisions: ReadonlyMap<string, number>): number {
  const bought = new Map<string, number>();
  for (const { call, params, result } of journal) {
    // It does not matter whether the answer arrived.
    if (call !== 'cert/new' || result?.certId === undefined) continue;
    const name = params['CN'] ?? '';
    bought.set(name, (bought.get(name) ?? 0) + 1);
  }
  let beyond = 0;
  for (const [name, count] of bought) beyond += Math.max(0, count - (revisions.get(name) ?? 0));
  return beyond;
}

/** What the first of several policies finds that finds anything: the order of a table decides. */
export function firstOf<Args extends readonly unknown[], Found>(
  policies: readonly ((...args: Args) => Found | undefined)[],
  ...args: Args
): Found | undefined {
  for (const policy of policies) {
    const found = policy(...args);
    if (found !== undefined) return found;
  }
  return undefined;
}

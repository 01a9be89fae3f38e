/** The result of the first policy that returns one. The order of the table decides. */
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

/** Whose turn it is where two are compared, so a machine that grows steadily slower favours neither. */

/** The contestants in the order of a round: reversed in every other one, the first of which is the warm-up with index 0. */
export function ofRound<T>(contestants: readonly T[], index: number): readonly T[] {
  return index % 2 === 0 ? contestants.toReversed() : contestants;
}

/** Gives a single contestant all items at once. Two get the same items in halves: A B, then B A. */
export function inHalves<T, I>(contestants: readonly T[], items: readonly I[]): [T, I[]][] {
  if (contestants.length === 1) return contestants.map((one): [T, I[]] => [one, [...items]]);
  const middle = Math.ceil(items.length / 2);
  return [
    ...contestants.map((one): [T, I[]] => [one, items.slice(0, middle)]),
    ...contestants.toReversed().map((one): [T, I[]] => [one, items.slice(middle)]),
  ];
}

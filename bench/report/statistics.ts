/** Summaries of small samples. All throw a RangeError for an empty sample. */

/** The middle value; of an even number of values, the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = ascending(values);
  const middle = sorted.length >> 1;
  const upper = at(sorted, middle);
  return sorted.length % 2 === 1 ? upper : (at(sorted, middle - 1) + upper) / 2;
}

/** The least value that `percent` percent of the sample do not exceed (nearest rank, no interpolation). */
export function percentile(values: readonly number[], percent: number): number {
  if (!(percent > 0 && percent <= 100)) throw new RangeError('A percentile is above 0 and at most 100.');
  const sorted = ascending(values);
  return at(sorted, Math.ceil((percent / 100) * sorted.length) - 1);
}

/** Least and greatest. */
export function spread(values: readonly number[]): [min: number, max: number] {
  const sorted = ascending(values);
  return [at(sorted, 0), at(sorted, sorted.length - 1)];
}

/** The ratio of each pair, in order. The halves of a pair share the state of the machine, which a ratio of medians would ignore. */
export function pairRatios(numerators: readonly number[], denominators: readonly number[]): number[] {
  if (numerators.length !== denominators.length) throw new RangeError('Every value needs its partner.');
  return numerators.map((value, index) => value / at(denominators, index));
}

/** `value` rounded to so many digits after the point. */
export function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function ascending(values: readonly number[]): number[] {
  if (values.length === 0) throw new RangeError('Nothing can be said of an empty sample.');
  return values.toSorted((a, b) => a - b);
}

function at(values: readonly number[], index: number): number {
  const value = values[index];
  if (value === undefined) throw new RangeError('The sample has no such value.');
  return value;
}

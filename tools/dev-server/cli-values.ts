/** What the values of flags mean. Everything throws a RangeError that names the flag; a flag that is not given is no field. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { milliseconds } from './duration.ts';
import { checked } from './schemas.ts';

/** The field as it was written. */
export function given<K extends string>(name: K, value: string | undefined): { [P in K]?: string } {
  const part: { [P in K]?: string } = {};
  if (value !== undefined) part[name] = value;
  return part;
}

/** The field as it was written, once it is known to be a span of time. */
export function span<K extends string>(
  name: K,
  value: string | undefined,
  flag = `--${name}`,
): { [P in K]?: string } {
  if (value !== undefined) named(flag, () => milliseconds(value));
  return given(name, value);
}

/** The field as a whole number. */
export function count<K extends string>(
  name: K,
  flag: string,
  value: string | undefined,
): { [P in K]?: number } {
  const part: { [P in K]?: number } = {};
  if (value === undefined) return part;
  if (!/^\d{1,9}$/.test(value)) throw new RangeError(`${flag}: "${value}" is not a count: write digits only`);
  part[name] = Number(value);
  return part;
}

/** The field as the number of a port. */
export function port<K extends string>(
  name: K,
  flag: string,
  value: string | undefined,
): { [P in K]?: number } {
  const part = count(name, flag, value);
  if (Number(value ?? 0) > 65_535) throw new RangeError(`${flag}: a port is at most 65535`);
  return part;
}

/** The field as one of these words. */
export function choice<K extends string, V extends string>(
  name: K,
  flag: string,
  value: string | undefined,
  choices: readonly V[],
): { [P in K]?: V } {
  const part: { [P in K]?: V } = {};
  if (value === undefined) return part;
  const chosen = choices.find((word) => word === value);
  if (chosen === undefined) throw new RangeError(`${flag}: "${value}" is not one of ${choices.join(', ')}`);
  part[name] = chosen;
  return part;
}

/** The faults of a JSON file. */
export async function faultsOf<F>(schema: z.ZodType<F>, path: string): Promise<F[]> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new RangeError(`--faults: ${path} cannot be read (${cause.code ?? 'unknown'})`, { cause });
  });
  const value: unknown = named('--faults', () => JSON.parse(text));
  return checkedFlag('--faults', z.array(schema), value);
}

/** The checked value of a flag. */
export function checkedFlag<T>(flag: string, schema: z.ZodType<T>, value: unknown): T {
  return named(flag, () => checked(schema, value));
}

/** Puts the flag's name before the reason. */
export function named<T>(flag: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError) {
      throw new RangeError(`${flag}: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

/** A span, or two with a hyphen between them. */
export function latencyOf(value: string): string | { min: string; max: string } {
  const [min = '', max] = value.split('-');
  for (const bound of [min, max ?? min]) named('--latency', () => milliseconds(bound));
  return max === undefined ? min : { min, max };
}

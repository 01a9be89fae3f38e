/** What the values of options mean. Everything throws a RangeError with the reason, which does not name the option unless stated. */
import { readFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { z } from 'zod';
import { milliseconds } from '../duration.ts';
import { checked } from '../schemas.ts';

/** The text as it was given. */
export function text(given: string): string {
  return given;
}

/** The text as it was given, if it is a span of time. */
export function span(given: string): string {
  milliseconds(given);
  return given;
}

/** A span, or two with a hyphen between them. */
export function spanOrRange(given: string): string | { min: string; max: string } {
  const [min = '', max] = given.split('-');
  span(min);
  if (max === undefined) return min;
  return { min, max: span(max) };
}

/** A whole number. */
export function count(given: string): number {
  if (!/^\d{1,9}$/.test(given)) throw new RangeError(`"${given}" is not a count: write digits only`);
  return Number(given);
}

/** The number of a port. */
export function port(given: string): number {
  const number = count(given);
  if (number > 65_535) throw new RangeError('a port is at most 65535');
  return number;
}

/** An IPv4 address. */
export function address(given: string): string {
  if (!isIPv4(given)) throw new RangeError(`"${given}" is not an IPv4 address`);
  return given;
}

/** One of these words. */
export function choice<V extends string>(...choices: readonly V[]): (given: string) => V {
  return (given) => {
    const chosen = choices.find((word) => word === given);
    if (chosen === undefined) throw new RangeError(`"${given}" is not one of ${choices.join(', ')}`);
    return chosen;
  };
}

/** The faults of a JSON file. Also throws a SyntaxError. */
export function faultsOf<F>(schema: z.ZodType<F>): (path: string) => Promise<F[]> {
  return async (path) => {
    const json = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      throw new RangeError(`${path} cannot be read (${cause.code ?? 'unknown'})`, { cause });
    });
    return checked(z.array(schema), JSON.parse(json));
  };
}

/** Those of the values that may also change while the server runs, checked. */
export function checkedRuntime<T>(schema: z.ZodType<T> & { shape: object }, values: object): T {
  const fields = Object.entries(values).filter(([field]) => field in schema.shape);
  return checkedAs('The options', schema, Object.fromEntries(fields));
}

/** The checked value. Puts a name before the reason of a refusal. */
export function checkedAs<T>(name: string, schema: z.ZodType<T>, value: unknown): T {
  try {
    return checked(schema, value);
  } catch (error) {
    if (error instanceof RangeError) throw new RangeError(`${name}: ${error.message}`, { cause: error });
    throw error;
  }
}

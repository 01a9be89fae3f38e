import type { z } from 'zod';
import type { ErrorMaker } from './error-codes.ts';

/**
 * Parses the input of a call. Throws `InvalidInput`, which names the field but never its value. `whole` is the name of an
 * input that is not an object.
 */
export function checkInput<In, Out>(
  makeError: ErrorMaker,
  call: string,
  schema: z.ZodType<Out, In>,
  input: In,
  whole = 'input',
): Out {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue?.path.map(String).join('.') || whole;
  throw makeError('InvalidInput', { call, detail: `${field} cannot be sent (${issue?.code ?? ''}).` });
}

import { z } from 'zod';

/**
 * Refuses what zod can express and a CRD cannot. zod silently drops refinements and transforms from its JSON schema, and
 * the API server would then accept what the operator refuses.
 */

/** A schema that cannot become a CRD: a mistake in src/api, reported by the generator. */
export class SchemaError extends Error {
  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`);
    this.name = 'SchemaError';
  }
}

/** zod's checks that JSON schema can express and every API server accepts. All other limits are rules. */
const representable = new Set(['max_length', 'number_format']);

/** Throws `SchemaError` for the first part of the schema that a CRD cannot express. The message starts with `path`. */
export function guard(schema: z.core.$ZodType, path: string): void {
  guardOne(schema, path);
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodExactOptional ||
    schema instanceof z.ZodDefault
  ) {
    guard(schema.def.innerType, path);
  } else if (schema instanceof z.ZodObject) {
    if (schema.def.catchall)
      throw new SchemaError(
        path,
        'use z.object: the API server prunes unknown fields and does not refuse them',
      );
    for (const [name, field] of Object.entries(schema.def.shape)) guardField(field, `${path}.${name}`);
  } else if (schema instanceof z.ZodArray) {
    guardField(schema.def.element, `${path}[]`);
  } else if (schema instanceof z.ZodRecord) {
    guard(schema.def.keyType, `${path}{key}`);
    guard(schema.def.valueType, `${path}{}`);
  } else if (!isLeaf(schema)) {
    throw new SchemaError(path, `a CRD cannot express zod’s type "${schema._zod.def.type}"`);
  }
}

function guardField(schema: z.core.$ZodType, path: string): void {
  if (!hasDescription(schema))
    throw new SchemaError(path, 'has no description: add one with describe or meta');
  guard(schema, path);
}

function guardOne(schema: z.core.$ZodType, path: string): void {
  if (z.globalRegistry.get(schema)?.id !== undefined)
    throw new SchemaError(path, 'has an id, which would become a $ref: remove it');
  if ('coerce' in schema._zod.def && schema._zod.def.coerce)
    throw new SchemaError(path, 'is coerced, which a CRD cannot express: use the plain type');
  for (const check of schema._zod.def.checks ?? []) {
    const kind = check._zod.def.check;
    if (!representable.has(kind))
      throw new SchemaError(
        path,
        `the check "${kind}" would be lost in a CRD: use withRules, which also writes it as CEL`,
      );
  }
}

function isLeaf(schema: z.core.$ZodType): boolean {
  return (
    schema instanceof z.ZodString ||
    schema instanceof z.ZodNumber ||
    schema instanceof z.ZodBoolean ||
    schema instanceof z.ZodEnum
  );
}

function hasDescription(schema: z.core.$ZodType): boolean {
  if ((z.globalRegistry.get(schema)?.description ?? '') !== '') return true;
  const { def } = schema._zod;
  return 'innerType' in def && hasDescription(def.innerType as z.core.$ZodType);
}

import { z } from 'zod';

/**
 * A validation rule of the CRDs, as CEL for the API server and as a function for the operator. Both must accept the same
 * values; test/integration/api-agreement.test.ts compares them on random specs.
 */
export interface Rule<T> {
  /** The CEL expression over `self`. */
  rule: string;
  /** States what is wrong and what to write instead. */
  message: string;
  /** CEL for a message that quotes the value. If its evaluation fails, the API server uses `message`. */
  messageExpression?: string;
  /** Reports the violation at a field below this one, such as `.name`. */
  fieldPath?: string;
  /** The same check as `rule`. */
  holds(value: T): boolean;
}

/** Keeps the rules beside the schemas: zod's own refinements would be lost in the CRD. */
const ruleRegistry = z.registry<{ rules: readonly Rule<never>[] }>();

/** Attaches rules to exactly this schema instance. Call it after `describe` and `meta`, which return copies. */
export function withRules<S extends z.ZodType>(schema: S, ...rules: Rule<z.output<S>>[]): S {
  ruleRegistry.add(schema, { rules });
  return schema;
}

/** The rules attached to this schema instance. */
export function rulesOf(schema: z.core.$ZodType): readonly Rule<never>[] {
  return ruleRegistry.get(schema)?.rules ?? [];
}

/** The path of a value that breaks a rule, and the rule's message. */
export interface Violation {
  path: string;
  message: string;
}

type Check = (value: unknown, path: string) => Violation | undefined;

/** Compiles the rules of a schema and of everything below it into one function that returns the first violation. */
export function compileRules(
  schema: z.core.$ZodType,
): (value: unknown, path?: string) => Violation | undefined {
  const check = compile(schema);
  return (value, path = '') => check?.(value, path);
}

function compile(schema: z.core.$ZodType): Check | undefined {
  const own = rulesOf(schema);
  const checks: Check[] = own.length > 0 ? [ownRules(own)] : [];
  const below = compileBelow(schema);
  if (below) checks.push(below);
  if (checks.length === 0) return undefined;
  return (value, path) => {
    if (value === undefined) return undefined;
    for (const check of checks) {
      const violation = check(value, path);
      if (violation) return violation;
    }
    return undefined;
  };
}

function ownRules(rules: readonly Rule<never>[]): Check {
  return (value, path) => {
    const broken = rules.find((rule) => !rule.holds(value as never));
    return broken && { path: `${path}${broken.fieldPath ?? ''}`, message: broken.message };
  };
}

function compileBelow(schema: z.core.$ZodType): Check | undefined {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodExactOptional ||
    schema instanceof z.ZodDefault
  )
    return compile(schema.def.innerType);
  if (schema instanceof z.ZodArray) return compileItems(compile(schema.def.element));
  if (schema instanceof z.ZodObject) return compileFields(schema);
  return undefined;
}

function compileItems(item: Check | undefined): Check | undefined {
  if (!item) return undefined;
  return (value, path) => {
    for (const [i, element] of (value as unknown[]).entries()) {
      const violation = item(element, `${path}[${i}]`);
      if (violation) return violation;
    }
    return undefined;
  };
}

function compileFields(schema: z.ZodObject): Check | undefined {
  const fields = Object.entries(schema.def.shape).flatMap(([name, field]) => {
    const check = compile(field);
    return check ? [{ name, check }] : [];
  });
  if (fields.length === 0) return undefined;
  return (value, path) => {
    for (const { name, check } of fields) {
      const violation = check((value as Record<string, unknown>)[name], `${path}.${name}`);
      if (violation) return violation;
    }
    return undefined;
  };
}

import { z } from 'zod';
import { type Rule, rulesOf } from '../schema/rules.ts';
import { SchemaError, guard } from './guard.ts';

/** A node of a structural schema, as `apiextensions.k8s.io/v1` defines it. */
export interface StructuralSchema {
  type: string;
  properties?: Record<string, StructuralSchema>;
  items?: StructuralSchema;
  additionalProperties?: StructuralSchema;
  maxLength?: number;
  maxItems?: number;
  enum?: string[];
  [keyword: string]: unknown;
}

/** Keywords that a node may have. zod emitting any other means that it was never tested against an API server. */
const keywords = new Set([
  'type',
  'description',
  'default',
  'enum',
  'format',
  'properties',
  'required',
  'items',
  'additionalProperties',
  'maxLength',
  'maxItems',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-validations',
]);

/** The schema as an API server accepts it, with the rules as CEL. Throws `SchemaError` if a CRD cannot express it. */
export function structuralSchema(schema: z.ZodType, path: string): StructuralSchema {
  guard(schema, path);
  const json = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    reused: 'inline',
    override: ({ zodSchema, jsonSchema }) => {
      const rules = rulesOf(zodSchema);
      if (rules.length > 0) jsonSchema['x-kubernetes-validations'] = rules.map(celOf);
    },
  });
  // A copy through JSON drops what is not data: undefined fields and the methods that zod adds.
  return structural(JSON.parse(JSON.stringify(json)) as StructuralSchema, path);
}

function celOf({ rule, message, messageExpression, fieldPath }: Rule<never>): Record<string, unknown> {
  return { rule, message, messageExpression, fieldPath };
}

function structural(node: StructuralSchema, path: string): StructuralSchema {
  const result = withoutIntegerBounds(node);
  const unknown = Object.keys(result).find((keyword) => !keywords.has(keyword));
  if (unknown !== undefined)
    throw new SchemaError(path, `the keyword "${unknown}" is not one that a structural schema may have here`);
  if (typeof result.type !== 'string') throw new SchemaError(path, 'has no type');
  if (result.type === 'string' && result.maxLength === undefined && result.enum === undefined)
    throw new SchemaError(
      path,
      'a string needs a maxLength, from which the API server estimates the cost of rules',
    );
  if (result.type === 'array' && result.maxItems === undefined)
    throw new SchemaError(
      path,
      'an array needs a maxItems, from which the API server estimates the cost of rules',
    );
  const { properties, items, additionalProperties } = result;
  if (properties) {
    result.properties = Object.fromEntries(
      Object.entries(properties).map(([name, field]) => [name, structural(field, `${path}.${name}`)]),
    );
  }
  if (items) result.items = structural(items, `${path}[]`);
  if (additionalProperties) result.additionalProperties = structural(additionalProperties, `${path}{}`);
  return result;
}

/** Drops the bounds that zod puts on every integer, those of a JavaScript number. In a CRD, `format` sets the range. */
function withoutIntegerBounds(node: StructuralSchema): StructuralSchema {
  if (node.type !== 'integer') return { ...node };
  return Object.fromEntries(
    Object.entries(node).filter(([keyword]) => keyword !== 'minimum' && keyword !== 'maximum'),
  ) as StructuralSchema;
}

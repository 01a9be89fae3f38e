import { z } from 'zod';
import { type Rule, rulesOf } from '../schema/rules.ts';
import { SchemaError, guard } from './guard.ts';

/** A node of a structural schema, as `apiextensions.k8s.io/v1` has it. */
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

/** What may stand in a node; anything else means that zod emitted something nobody has tried on an API server. */
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

/** The schema as an API server takes it, with the rules as CEL. Throws `SchemaError` where it cannot be said. */
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
  // A copy through text drops what is no data: undefined fields and the methods that zod adds.
  return structural(JSON.parse(JSON.stringify(json)) as StructuralSchema, path);
}

function celOf({ rule, message, messageExpression, fieldPath }: Rule<never>): Record<string, unknown> {
  return { rule, message, messageExpression, fieldPath };
}

function structural(node: StructuralSchema, path: string): StructuralSchema {
  const result = withoutIntegerBounds(node);
  const unknown = Object.keys(result).find((keyword) => !keywords.has(keyword));
  if (unknown !== undefined) throw new SchemaError(path, `the keyword "${unknown}" is not structural`);
  if (typeof result.type !== 'string') throw new SchemaError(path, 'has no type');
  if (result.type === 'string' && result.maxLength === undefined && result.enum === undefined)
    throw new SchemaError(path, 'a string needs a maxLength, by which the API server prices rules');
  if (result.type === 'array' && result.maxItems === undefined)
    throw new SchemaError(path, 'an array needs a maxItems, by which the API server prices rules');
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

/** zod bounds every integer by what a JavaScript number holds; in a CRD the format says it. */
function withoutIntegerBounds(node: StructuralSchema): StructuralSchema {
  if (node.type !== 'integer') return { ...node };
  return Object.fromEntries(
    Object.entries(node).filter(([keyword]) => keyword !== 'minimum' && keyword !== 'maximum'),
  ) as StructuralSchema;
}

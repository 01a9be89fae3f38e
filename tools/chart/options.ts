import { readFileSync } from 'node:fs';

/** The part of a JSON schema that the chart's values use. */
export interface Schema {
  $ref?: string;
  description?: string;
  default?: unknown;
  properties?: Record<string, Schema>;
  definitions?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
}

/** One value of the chart that a user may set. */
export interface ChartOption {
  /** Its keys from the top, such as `['image', 'tag']`. */
  path: readonly string[];
  description: string;
  default: unknown;
}

/** The schema of the chart's values. */
export function valuesSchema(): Schema {
  const file = new URL('../../deploy/helm/values.schema.json', import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as Schema;
}

/** All options of a schema in its order. Throws for one without a description or a default, and for a map that takes any key. */
export function optionsOf(schema: Schema, path: readonly string[] = []): ChartOption[] {
  const at = path.join('.') || 'the top';
  const { properties, description } = schema;
  if (!properties || 'default' in schema) {
    if (!description || !('default' in schema)) throw new Error(`${at} lacks a description or a default.`);
    return [{ path, description, default: schema.default }];
  }
  if (schema.additionalProperties !== false) throw new Error(`${at} takes unknown keys.`);
  return Object.entries(properties).flatMap(([key, each]) => optionsOf(each, [...path, key]));
}

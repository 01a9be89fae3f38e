import { z } from 'zod';
import { type Rule, withRules } from './rules.ts';

/**
 * Building blocks of the kinds' schemas. Every string has a `maxLength`: the API server prices CEL rules by it. It is
 * generous where a rule sets the real limit, since a failed `maxLength` keeps the API server from running any rule.
 */

/** Longest text that a rule is run on. */
const GENEROUS = 1024;

/** Most names of one kind in a certificate: the API server refuses costlier rules. */
export const MAX_NAMES = 100;

/** A text that people write, held to rules. */
export function text(description: string, ...rules: Rule<string>[]): z.ZodString {
  return withRules(z.string().max(GENEROUS).describe(description), ...rules);
}

/** A text that the operator writes. */
export function statusText(description: string, max = 253): z.ZodString {
  return z.string().max(max).describe(description);
}

/** A moment in RFC 3339, as the API server checks it. */
export function time(description: string): z.ZodString {
  return z.string().max(64).meta({ description, format: 'date-time' });
}

/** A 64-bit integer; JavaScript holds 53 bits of it. */
export function integer(description: string): z.ZodInt {
  return z.int().meta({ description, format: 'int64' });
}

/** Part of a rule: CEL and JavaScript for "matches this regular expression", which both engines must read alike. */
export function matching(pattern: string): Pick<Rule<string>, 'rule' | 'holds'> {
  const compiled = new RegExp(pattern, 'u');
  return { rule: `self.matches(${celString(pattern)})`, holds: (value) => compiled.test(value) };
}

/** Part of a rule: at most so many characters (code points, as CEL counts them), and at least one. */
export function sized(max: number): Pick<Rule<string>, 'rule' | 'holds'> {
  return {
    rule: `size(self) >= 1 && size(self) <= ${max}`,
    holds: (value) => value.length >= 1 && (value.length <= max || Array.from(value).length <= max),
  };
}

/** Both parts of the rule. */
export function both<T>(...parts: Pick<Rule<T>, 'rule' | 'holds'>[]): Pick<Rule<T>, 'rule' | 'holds'> {
  return {
    rule: parts.map((part) => part.rule).join(' && '),
    holds: (value) => parts.every((part) => part.holds(value)),
  };
}

/** A CEL string literal. */
export function celString(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;
}

/** A message that quotes the wrong value: `"<value>" <rest>`. */
export function quoting(rest: string): string {
  return `'"' + self + ${celString(`" ${rest}`)}`;
}

const OBJECT_NAME = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$';

/** The name of an object that must be able to exist: a DNS subdomain (RFC 1123) of at most 253 characters. */
export function objectName(description: string): z.ZodString {
  const advice =
    'cannot be the name of an object: write lower-case letters, digits, - and ., at most 253, a letter or digit at both ends of each part';
  return text(description, {
    ...both(sized(253), matching(OBJECT_NAME)),
    message: `the name ${advice}`,
    messageExpression: quoting(advice),
  });
}

/** One part of a subject: no control characters, no space at either end, at most `max` characters (X.520). */
export function subjectText(description: string, max: number): z.ZodString {
  return text(description, ...plainText(max));
}

/** Rules for free text in a distinguished name. */
export function plainText(max: number): Rule<string>[] {
  return [
    {
      ...sized(max),
      message: `must have between 1 and ${max} characters (X.520); shorten it, or leave the field out`,
    },
    {
      ...matching('^([^\\x00-\\x20\\x7f]([^\\x00-\\x1f\\x7f]*[^\\x00-\\x20\\x7f])?)?$'),
      message:
        'must not begin or end with a space or hold control characters such as line breaks; remove them',
    },
  ];
}

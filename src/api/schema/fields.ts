import { z } from 'zod';
import { type Rule, withRules } from './rules.ts';

/**
 * Building blocks of the kinds' schemas. Every string has a `maxLength`, from which the API server estimates the cost of
 * CEL rules. Where a rule sets the real limit, `maxLength` is generous: after a failed `maxLength` the API server runs no
 * rule, and the user would miss its message.
 */

/** Longest text that rules run on, in code points. */
const GENEROUS = 1024;

/** Most names of one kind in a certificate. With more, the API server refuses the rules as too costly. */
export const MAX_NAMES = 100;

/** A text in a spec, checked by `rules`. */
export function text(description: string, ...rules: Rule<string>[]): z.ZodString {
  return withRules(z.string().max(GENEROUS).describe(description), ...rules);
}

/** A text in a status, written by the operator. */
export function statusText(description: string, max = 253): z.ZodString {
  return z.string().max(max).describe(description);
}

/** A time in RFC 3339; the API server checks the format. */
export function time(description: string): z.ZodString {
  return z.string().max(64).meta({ description, format: 'date-time' });
}

/** An integer, `int64` in the CRD; zod accepts the 53 bits that a JavaScript number represents exactly. */
export function integer(description: string): z.ZodInt {
  return z.int().meta({ description, format: 'int64' });
}

/** Part of a rule, in CEL and JavaScript: matches this regular expression. Both engines must interpret it alike. */
export function matching(pattern: string): Pick<Rule<string>, 'rule' | 'holds'> {
  const compiled = new RegExp(pattern, 'u');
  return { rule: `self.matches(${celString(pattern)})`, holds: (value) => compiled.test(value) };
}

/** Part of a rule: between 1 and `max` characters (code points, as CEL counts them). */
export function sized(max: number): Pick<Rule<string>, 'rule' | 'holds'> {
  return {
    rule: `size(self) >= 1 && size(self) <= ${max}`,
    holds: (value) => value.length >= 1 && (value.length <= max || Array.from(value).length <= max),
  };
}

/** Part of a rule: all of `parts` hold. */
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

/** CEL for a message that quotes the wrong value: `"<value>" <rest>`. */
export function quoting(rest: string): string {
  return `'"' + self + ${celString(`" ${rest}`)}`;
}

const OBJECT_NAME = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$';

/** The name of a Kubernetes object: a DNS subdomain (RFC 1123) of at most 253 characters. */
export function objectName(description: string): z.ZodString {
  const advice =
    'is not the name of an object: write at most 253 lower-case letters, digits, - and ., with a letter or digit at both ends of each part between dots';
  return text(description, {
    ...both(sized(253), matching(OBJECT_NAME)),
    message: `the name ${advice}`,
    messageExpression: quoting(advice),
  });
}

/** One field of a subject: at most `max` characters, no control characters, no space at either end. */
export function subjectText(description: string, max: number): z.ZodString {
  return text(description, ...plainText(max));
}

/** Rules for free text in a distinguished name, at most `max` characters. */
export function plainText(max: number): Rule<string>[] {
  return [
    {
      ...sized(max),
      message: `must have 1 to ${max} characters: shorten it or remove the field`,
    },
    {
      ...matching('^([^\\x00-\\x20\\x7f]([^\\x00-\\x1f\\x7f]*[^\\x00-\\x20\\x7f])?)?$'),
      message:
        'must not begin or end with a space or contain control characters such as line breaks: remove them',
    },
  ];
}

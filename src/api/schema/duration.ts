import { z } from 'zod';
import { parseDuration } from '../../lib/duration.ts';
import { matching, quoting, text } from './fields.ts';
import { type Rule, withRules } from './rules.ts';

const DURATION = '^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$';
const syntax = matching(DURATION);

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Milliseconds of a duration such as `720h` or `1h30m`; undefined if the text is not a duration. */
export function durationMs(value: string): number | undefined {
  return value !== '' && syntax.holds(value) ? parseDuration(value) : undefined;
}

const syntaxAdvice = 'is not a duration: write hours, minutes and seconds, such as 720h or 1h30m';

/**
 * A limit on a duration. A text that is not a duration passes: the syntax rule reports it already, and `duration()`
 * would add an evaluation error to the useful message.
 */
function limit(comparison: string, holds: (ms: number) => boolean, message: string): Rule<string> {
  return {
    rule: `!(${syntax.rule}) || self == '' || duration(self) ${comparison}`,
    holds: (value) => {
      const ms = durationMs(value);
      return ms === undefined || holds(ms);
    },
    message,
    messageExpression: quoting(message),
  };
}

/**
 * At least five minutes: less leaves no time to retry one failed attempt before the certificate expires. Certificates
 * that live for seconds (a dev server's) use the default or a percentage, which fit any lifetime. At most 360 days:
 * TinyCert's certificates live 365, and a certificate that is due as soon as it is issued would be renewed without end.
 */
export const renewBefore = text(
  'How long before its expiry the certificate is renewed, in hours, minutes and seconds such as 720h or 1h30m, from 5m to 8640h (360 days). It cannot be combined with renewBeforePercentage. Default, if neither is set: a third of the lifetime. A value that does not fit into the lifetime of the certificate counts as not set.',
  {
    rule: `${syntax.rule} && self != ''`,
    holds: (value) => durationMs(value) !== undefined,
    message: syntaxAdvice,
    messageExpression: quoting(syntaxAdvice),
  },
  limit(
    ">= duration('5m')",
    (ms) => ms >= 5 * MINUTE,
    'is too short: write at least 5m, which leaves time to retry; for certificates that live for minutes, use renewBeforePercentage',
  ),
  limit(
    "<= duration('8640h')",
    (ms) => ms <= 8640 * HOUR,
    'is too long: write at most 8640h (360 days); a certificate lives 365 days and would be renewed without end',
  ),
);

/** The same as a share of the lifetime, for lifetimes that are not known in advance. */
export const renewBeforePercentage = withRules(
  z.int().meta({
    format: 'int32',
    description:
      'How much of its lifetime is left when the certificate is renewed, in percent, from 1 to 99. It cannot be combined with renewBefore. Default, if neither is set: a third of the lifetime.',
  }),
  {
    rule: 'self >= 1 && self <= 99',
    holds: (value) => value >= 1 && value <= 99,
    message:
      'must be from 1 to 99: write how many percent of the lifetime are left when the certificate is renewed',
  },
);

/** At most one of `renewBefore` and `renewBeforePercentage` may be set. */
export const oneRenewBefore: Rule<{
  renewBefore?: string | undefined;
  renewBeforePercentage?: number | undefined;
}> = {
  rule: '!(has(self.renewBefore) && has(self.renewBeforePercentage))',
  holds: (spec) => spec.renewBefore === undefined || spec.renewBeforePercentage === undefined,
  message: 'renewBefore and renewBeforePercentage cannot both be set: remove one of them',
  fieldPath: '.renewBeforePercentage',
};

/** A duration in a spec, from `from` to `to`, both included. */
export function duration(description: string, { from, to }: { from: string; to: string }): z.ZodString {
  const [least, most] = [parseDuration(from), parseDuration(to)];
  return text(
    description,
    {
      rule: `${syntax.rule} && self != ''`,
      holds: (value) => durationMs(value) !== undefined,
      message: syntaxAdvice,
      messageExpression: quoting(syntaxAdvice),
    },
    limit(`>= duration('${from}')`, (ms) => ms >= least, `is too short: write at least ${from}`),
    limit(`<= duration('${to}')`, (ms) => ms <= most, `is too long: write at most ${to}`),
  );
}

import { z } from 'zod';
import { parseDuration } from '../../lib/duration.ts';
import { matching, quoting, text } from './fields.ts';
import { type Rule, withRules } from './rules.ts';

const DURATION = '^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$';
const syntax = matching(DURATION);

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Milliseconds of a duration such as `720h` or `1h30m`; undefined where the text is none. */
export function durationMs(value: string): number | undefined {
  return value !== '' && syntax.holds(value) ? parseDuration(value) : undefined;
}

const syntaxAdvice = 'is not a duration: write hours, minutes and seconds such as 720h or 1h30m';

/**
 * A limit on a duration. A text that is no duration passes: the syntax rule reports it, and `duration()` of it would
 * be an evaluation error beside the useful message.
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
 * Five minutes at least: less leaves no time for one failed try before the certificate expires. Certificates that live
 * for seconds (a dev server's) use the default or a percentage, which fit any lifetime. 360 days at most: TinyCert's
 * certificates live 365, and one that is due as soon as it is issued would be issued for ever.
 */
export const renewBefore = text(
  'Renew this long before the certificate expires: hours, minutes and seconds such as 720h or 1h30m, from 5m to 8640h (360 days). Left out together with renewBeforePercentage, renewal comes in the last third of the lifetime.',
  {
    rule: `${syntax.rule} && self != ''`,
    holds: (value) => durationMs(value) !== undefined,
    message: syntaxAdvice,
    messageExpression: quoting(syntaxAdvice),
  },
  limit(
    ">= duration('5m')",
    (ms) => ms >= 5 * MINUTE,
    'is too short: write at least 5m, which leaves time to try again; for certificates that live for minutes use renewBeforePercentage',
  ),
  limit(
    "<= duration('8640h')",
    (ms) => ms <= 8640 * HOUR,
    'is too long: write at most 8640h (360 days), since a certificate lives 365 days and would be renewed without end',
  ),
);

/** The same as a share of the lifetime, for lifetimes that are not known beforehand. */
export const renewBeforePercentage = withRules(
  z.int().meta({
    format: 'int32',
    description:
      'Renew when this share of the lifetime, in percent, is left: 1 to 99. Left out together with renewBefore, renewal comes in the last third of the lifetime.',
  }),
  {
    rule: 'self >= 1 && self <= 99',
    holds: (value) => value >= 1 && value <= 99,
    message: 'must be from 1 to 99: the share of the lifetime, in percent, that is left when renewal comes',
  },
);

/** The time of renewal is given in one way or in none. */
export const oneRenewBefore: Rule<{
  renewBefore?: string | undefined;
  renewBeforePercentage?: number | undefined;
}> = {
  rule: '!(has(self.renewBefore) && has(self.renewBeforePercentage))',
  holds: (spec) => spec.renewBefore === undefined || spec.renewBeforePercentage === undefined,
  message: 'renewBefore and renewBeforePercentage exclude each other: remove one of them',
  fieldPath: '.renewBeforePercentage',
};

/** A duration that people write, between two others. */
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

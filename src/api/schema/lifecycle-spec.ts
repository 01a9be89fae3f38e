import { z } from 'zod';
import { duration } from './duration.ts';
import { matching, quoting, text } from './fields.ts';
import { withRules } from './rules.ts';

const cronAdvice =
  'is not a schedule: write minute, hour, day of month, month and day of week in numbers, such as 0 3 * * 6 for Saturdays at three';
/** A field of a schedule whose numbers match `number`: a list of numbers, `*` and ranges, the latter with a step or none. */
const cronField = (number: string): string => {
  const item = `(${number}|([*]|${number}-${number})(/[1-9][0-9]?)?)`;
  return `${item}(,${item})*`;
};
const CRON = ['[1-5]?[0-9]', '(1?[0-9]|2[0-3])', '([1-9]|[12][0-9]|3[01])', '([1-9]|1[0-2])', '[0-7]']
  .map(cronField)
  .join(' ');

const timezoneAdvice =
  'is not a time zone: write a name of the IANA database such as Europe/Amsterdam, or UTC';

const RenewalWindow = z
  .object({
    cron: text(
      'When the window opens: minute, hour, day of month, month, day of week. If both days are given, either counts.',
      {
        ...matching(`^${CRON}$`),
        message: cronAdvice,
        messageExpression: quoting(cronAdvice),
      },
    ),
    timezone: text('Time zone of the schedule, a name of the IANA database; UTC unless given.', {
      ...matching('^[A-Za-z][A-Za-z0-9_+-]{0,31}(/[A-Za-z0-9][A-Za-z0-9_+-]{0,31}){0,2}$'),
      message: timezoneAdvice,
      messageExpression: quoting(timezoneAdvice),
    }).default('UTC'),
    windowDuration: duration('How long the window stays open, such as 2h, from 1m to 168h (7 days).', {
      from: '1m',
      to: '168h',
    }),
  })
  .describe('A span of time, again and again, in which renewals are allowed.');

/** When and whether a certificate is renewed. */
export const Renewal = z
  .object({
    policy: z
      .enum(['RenewBefore', 'Disabled'])
      .describe(
        'RenewBefore (the default) renews in time before the certificate expires. Disabled never renews; a changed spec still leads to a new certificate.',
      )
      .default('RenewBefore'),
    windows: z
      .array(RenewalWindow)
      .max(10)
      .meta({
        description:
          'Renew only within these windows, at most 10: in the first one after the renewal is due, else, where none opens before the certificate expires, in the last one before that. Where there is neither it is renewed when it is due, and an event says so.',
        'x-kubernetes-list-type': 'atomic',
      })
      .exactOptional(),
    jitterPercent: withRules(
      z.int().meta({
        format: 'int32',
        description:
          'Spreads renewals: each comes earlier by up to this share, in percent, of the time between renewal and expiry. 0 to 50, 10 unless given.',
      }),
      {
        rule: 'self >= 0 && self <= 50',
        holds: (value) => value >= 0 && value <= 50,
        message: 'must be from 0 to 50: a share, in percent, of the time between renewal and expiry',
      },
    ).exactOptional(),
  })
  .describe('When the certificate is renewed, beside renewBefore.');

const action = (description: string) =>
  z
    .enum(['None', 'Hold', 'Revoke'])
    .describe(
      `${description} None (the default) leaves it good until it expires; Hold can be lifted, Revoke cannot.`,
    )
    .default('None');

/** What happens at TinyCert to certificates that are no longer needed, or that somebody revoked there. */
export const Revocation = z
  .object({
    onDelete: action('What to do with the certificate when this resource is deleted.'),
    onReplace: action('What to do with a certificate when another one with another key has replaced it.'),
    delay: duration(
      'How long after its replacement a certificate is held or revoked, so that whoever uses it has reloaded: 0s to 8640h (360 days).',
      { from: '0s', to: '8640h' },
    ).default('1h'),
    onExternalRevocation: z
      .enum(['Report', 'Replace'])
      .describe(
        'What to do when somebody revokes the certificate at TinyCert. Report (the default) says so in the conditions; Replace issues another one.',
      )
      .default('Report'),
  })
  .describe('Revocation of certificates at TinyCert.');

export const desiredStatus = z
  .enum(['Good', 'Hold', 'Revoked'])
  .describe(
    'Status that the certificate is given at TinyCert, once, when this field changes. Left out, the status there is only observed. What somebody changes there later is not undone.',
  );

export const secretDeletionPolicy = z
  .enum(['Retain', 'Delete'])
  .describe(
    'What becomes of the Secret when this resource is deleted. Retain (the default) keeps it; Delete removes it by way of an owner reference.',
  );

export const suspend = z
  .boolean()
  .describe(
    'While true nothing is issued, renewed, repaired or revoked for this resource; it is still let go of when it is deleted.',
  );

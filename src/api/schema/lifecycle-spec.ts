import { z } from 'zod';
import { duration } from './duration.ts';
import { matching, quoting, text } from './fields.ts';
import { withRules } from './rules.ts';

const cronAdvice =
  'is not a schedule: write minute, hour, day of month, month and day of week as numbers, such as 0 3 * * 6 for Saturdays at 03:00';
/** A field of a schedule: a list of numbers, `*` and ranges; `*` and ranges may have a step. `number` matches one number. */
const cronField = (number: string): string => {
  const item = `(${number}|([*]|${number}-${number})(/[1-9][0-9]?)?)`;
  return `${item}(,${item})*`;
};
const CRON = ['[1-5]?[0-9]', '(1?[0-9]|2[0-3])', '([1-9]|[12][0-9]|3[01])', '([1-9]|1[0-2])', '[0-7]']
  .map(cronField)
  .join(' ');

const timezoneAdvice =
  'is not a time zone: write a name from the IANA database such as Europe/Amsterdam, or UTC';

const RenewalWindow = z
  .object({
    cron: text(
      'When the window opens, as a cron expression of five numeric fields: minute, hour, day of month, month, day of week (0 or 7 is Sunday). If both day fields are restricted, a day that matches either of them counts.',
      {
        ...matching(`^${CRON}$`),
        message: cronAdvice,
        messageExpression: quoting(cronAdvice),
      },
    ),
    timezone: text(
      'Time zone of the schedule, a name from the IANA database such as Europe/Amsterdam. Default: UTC.',
      {
        ...matching('^[A-Za-z][A-Za-z0-9_+-]{0,31}(/[A-Za-z0-9][A-Za-z0-9_+-]{0,31}){0,2}$'),
        message: timezoneAdvice,
        messageExpression: quoting(timezoneAdvice),
      },
    ).default('UTC'),
    windowDuration: duration('How long the window stays open, for example 2h. From 1m to 168h (7 days).', {
      from: '1m',
      to: '168h',
    }),
  })
  .describe('A recurring period in which renewals are allowed.');

/** Whether and when a certificate is renewed. */
export const Renewal = z
  .object({
    policy: z
      .enum(['RenewBefore', 'Disabled'])
      .describe(
        'Whether the certificate is renewed. RenewBefore, the default, renews it before it expires. Disabled never renews it: it expires, though a changed spec still leads to a new certificate.',
      )
      .default('RenewBefore'),
    windows: z
      .array(RenewalWindow)
      .max(10)
      .meta({
        description:
          'Periods in which the certificate may be renewed, at most 10. It is renewed in the first window after renewal is due. If no window opens between then and expiry, it is renewed earlier, in the last window before renewal is due. If there is none either, it is renewed when due, outside of any window, and an event reports it. Default: at any time.',
        'x-kubernetes-list-type': 'atomic',
      })
      .exactOptional(),
    jitterPercent: withRules(
      z.int().meta({
        format: 'int32',
        description:
          'How far renewals are spread: each certificate is renewed earlier by a share of its own, up to this percentage of the time between renewal and expiry. From 0 to 50. Default: 10.',
      }),
      {
        rule: 'self >= 0 && self <= 50',
        holds: (value) => value >= 0 && value <= 50,
        message: 'must be from 0 to 50: write a percentage of the time between renewal and expiry',
      },
    ).exactOptional(),
  })
  .describe(
    'Whether and when the certificate is renewed, in addition to renewBefore and renewBeforePercentage.',
  );

const action = (description: string) =>
  z
    .enum(['None', 'Hold', 'Revoke'])
    .describe(
      `${description} None, the default, leaves it good until it expires. Hold can be lifted; Revoke cannot be undone.`,
    )
    .default('None');

/** What to do at TinyCert with certificates that are no longer needed, and about those that somebody revokes there. */
export const Revocation = z
  .object({
    onDelete: action(
      'What to do with the certificate at TinyCert when this resource is deleted. With Hold or Revoke, the resource stays until TinyCert has confirmed it.',
    ),
    onReplace: action(
      'What to do with the old certificate at TinyCert after one with another key has replaced it.',
    ),
    delay: duration(
      'How long to wait before onReplace takes effect, so that workloads have time to load the new certificate. From 0s to 8640h (360 days). Default: 1h.',
      { from: '0s', to: '8640h' },
    ).default('1h'),
    onExternalRevocation: z
      .enum(['Report', 'Replace'])
      .describe(
        'What to do when somebody revokes the certificate at TinyCert. Report, the default, sets Ready to False and buys nothing. Replace issues another certificate with another key.',
      )
      .default('Report'),
  })
  .describe('When certificates are put on hold or revoked at TinyCert.');

export const desiredStatus = z
  .enum(['Good', 'Hold', 'Revoked'])
  .describe(
    'Status to give the certificate at TinyCert. It is applied once, when this field changes; a later change at TinyCert is not undone. Revoked cannot be undone: Good then issues another certificate. Default: the status is observed and never changed.',
  );

export const secretDeletionPolicy = z
  .enum(['Retain', 'Delete'])
  .describe(
    'What happens to the Secret when this resource is deleted. Retain, the default, keeps it. Delete lets Kubernetes remove it, by an owner reference.',
  );

export const suspend = z
  .boolean()
  .describe(
    'Whether to pause this resource. While true, nothing is issued, renewed, repaired or revoked for it; the certificate may expire. Deletion still takes effect, with revocation.onDelete. Default: false.',
  );

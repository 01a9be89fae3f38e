import { z } from 'zod';
import { matching, plainText, subjectText, text } from '../schema/fields.ts';

/** Start of an organizational unit by which the operator marks its own certificates. No spec may use it. */
export const MARKER_PREFIX = 'tinycert-operator:';

const country = text(
  'Country (C), as two upper-case letters of ISO 3166-1, for example NL. TinyCert requires one. Default: that of the issuer, else that of its authority.',
  {
    ...matching('^[A-Z]{2}$'),
    message: 'must be a country: write two upper-case letters of ISO 3166-1, for example "NL"',
    messageExpression: `'"' + self + '" is not a country: write two upper-case letters of ISO 3166-1, for example "NL"'`,
  },
);

const organizationalUnit = text('Organizational unit (OU), at most 64 characters.', ...plainText(64), {
  rule: `!self.startsWith('${MARKER_PREFIX}')`,
  holds: (value) => !value.startsWith(MARKER_PREFIX),
  message: `must not begin with "${MARKER_PREFIX}", by which the operator marks its own certificates: write another text`,
});

/** The fields of a distinguished name that TinyCert accepts, except the common name. */
export const Subject = z
  .object({
    country: country.exactOptional(),
    organization: subjectText(
      'Organization (O), at most 64 characters. TinyCert requires one. Default: that of the issuer, else that of its authority.',
      64,
    ).exactOptional(),
    organizationalUnit: organizationalUnit.exactOptional(),
    locality: subjectText('Locality (L), usually a city, at most 128 characters.', 128).exactOptional(),
    province: subjectText('State or province (ST), at most 128 characters.', 128).exactOptional(),
  })
  .describe('Subject fields other than the common name.');
export type Subject = z.output<typeof Subject>;

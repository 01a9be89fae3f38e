import { z } from 'zod';
import { matching, plainText, subjectText, text } from '../schema/fields.ts';

/** What an organizational unit must not begin with: the operator marks its own certificates there. */
export const MARKER_PREFIX = 'tinycert-operator:';

const country = text(
  'Country, as the two upper-case letters of ISO 3166-1, for example NL. TinyCert requires one: left out, the issuer’s default or the country of its authority is used.',
  {
    ...matching('^[A-Z]{2}$'),
    message: 'country must be two upper-case letters as ISO 3166-1 has them, for example "NL"',
    messageExpression: `'"' + self + '" is not a country: write the two upper-case letters of ISO 3166-1, for example "NL"'`,
  },
);

const organizationalUnit = text('Organizational unit (OU), at most 64 characters.', ...plainText(64), {
  rule: `!self.startsWith('${MARKER_PREFIX}')`,
  holds: (value) => !value.startsWith(MARKER_PREFIX),
  message: `must not begin with "${MARKER_PREFIX}", which the operator keeps for marking its certificates; choose another text`,
});

/** The fields of a distinguished name that TinyCert takes. */
export const Subject = z
  .object({
    country: country.exactOptional(),
    organization: subjectText(
      'Organization (O), at most 64 characters. TinyCert requires one: left out, the issuer’s default or the organization of its authority is used.',
      64,
    ).exactOptional(),
    organizationalUnit: organizationalUnit.exactOptional(),
    locality: subjectText('Locality (L), usually a city, at most 128 characters.', 128).exactOptional(),
    province: subjectText('State or province (ST), at most 128 characters.', 128).exactOptional(),
  })
  .describe('Fields of the subject beside the common name.');
export type Subject = z.output<typeof Subject>;

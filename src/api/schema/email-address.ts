import { DNS_NAME } from '../../x509/names.ts';
import { both, matching, quoting, sized, text } from './fields.ts';

const emailAdvice = 'is not an e-mail address: write at most 254 ASCII characters, such as name@example.com';
/** An e-mail address as certificates contain it: plain ASCII. */
export const EmailAddress = text('An e-mail address such as admin@example.com.', {
  ...both(
    sized(254),
    matching(`^[A-Za-z0-9.!#$%&'*+/=?^_\`\\{|\\}~-]{1,64}@${DNS_NAME.slice(1).replace('([*][.])?', '')}`),
  ),
  message: emailAdvice,
  messageExpression: quoting(emailAdvice),
});

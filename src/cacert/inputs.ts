import { z } from 'zod';
import type { FormField } from '../http/form.ts';
import type { SignCertificateInput, TextEncoding } from './types.ts';

/** One request and nothing else: a text around the PEM block may contain a private key. */
const pemRequest = /^-----BEGIN ((?:NEW )?CERTIFICATE REQUEST)-----\r?\n[A-Za-z0-9+/=\r\n]+-----END \1-----$/;

/** A text that can be encoded. A lone surrogate cannot. */
const text = z.string().refine((value) => value.isWellFormed());

/** The form for `ccsr.php` without the login. */
export const signingForm: z.ZodType<readonly FormField[], SignCertificateInput> = z
  .object({
    csr: z.string().trim().max(65_536).regex(pemRequest),
    emails: z
      .array(text.regex(/^[^\s\p{Cc}@]+@[^\s\p{Cc}@]+$/u))
      .min(1)
      .readonly(),
    name: text.regex(/^[^\p{Cc}]+$/u).optional(),
    encoding: z.enum(['utf8', 'latin1']).optional(),
    codeSigning: z.boolean().optional(),
  })
  .refine(({ encoding, emails }) => isSendable(emails.join(''), encoding), { path: ['emails'] })
  .refine(({ encoding, name = '' }) => isSendable(name, encoding), { path: ['name'] })
  .transform(({ csr, emails, name, encoding = 'utf8', codeSigning }) => {
    const form: FormField[] = emails.map((email, index) => [`email[${index}]`, Buffer.from(email, encoding)]);
    if (name !== undefined) form.push(['name', Buffer.from(name, encoding)]);
    if (codeSigning) form.push(['codesign', '1']);
    form.push(['optionalCSR', csr]);
    return form;
  });

/** Whether a text can be encoded. ISO-8859-1 lacks most characters. */
function isSendable(value: string, encoding: TextEncoding | undefined): boolean {
  return encoding !== 'latin1' || /^[\0-\xff]*$/.test(value);
}

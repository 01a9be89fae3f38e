import { z } from 'zod';
import type { SignCertificateInput } from './types.ts';

/** Names and values of a form, in their order. */
export type Form = readonly (readonly [name: string, value: string])[];

/** One request and nothing beside it: what stands around a PEM block may be a private key. */
const pemRequest = /^-----BEGIN ((?:NEW )?CERTIFICATE REQUEST)-----\r?\n[A-Za-z0-9+/=\r\n]+-----END \1-----$/;

/** Text as it can be sent: a lone surrogate has no bytes. */
const text = z.string().refine((value) => value.isWellFormed());

/** What `ccsr.php` is asked, beside the login. */
export const signingForm: z.ZodType<Form, SignCertificateInput> = z
  .object({
    csr: z.string().trim().max(65_536).regex(pemRequest),
    emails: z
      .array(text.regex(/^[^\s\p{Cc}@]+@[^\s\p{Cc}@]+$/u))
      .min(1)
      .readonly(),
    name: text.regex(/^[^\p{Cc}]+$/u).optional(),
    codeSigning: z.boolean().optional(),
  })
  .transform(({ csr, emails, name, codeSigning }): Form => {
    const form: [string, string][] = emails.map((email, index) => [`email[${index}]`, email]);
    if (name !== undefined) form.push(['name', name]);
    if (codeSigning) form.push(['codesign', '1']);
    form.push(['optionalCSR', csr]);
    return form;
  });

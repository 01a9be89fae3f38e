import { createHmac, type KeyObject } from 'node:crypto';
import { escapeForm } from '../http/form.ts';
import type { AlternativeName } from './types.ts';

/** The value of one request parameter. Like PHP, `undefined` and an empty list leave the parameter out. */
export type ParameterValue = string | number | readonly AlternativeName[] | undefined;

/** The parameters of a request, by their names on the wire. */
export type Parameters = Readonly<Record<string, ParameterValue>>;

/**
 * Encodes the form without its digest. Names are in ascending order of code units (upper case first), and the entries of
 * `SANs` in order of their index: a sort of flattened names would put `SANs[10]` before `SANs[2]`, unlike the server.
 */
export function encodeForm(parameters: Parameters): string {
  let form = '';
  for (const name of Object.keys(parameters).sort()) {
    const value = parameters[name];
    if (value === undefined) continue;
    if (typeof value === 'object') {
      for (const [index, entry] of value.entries())
        form += `${form && '&'}${name}%5B${index}%5D%5B${entry.type}%5D=${escapeForm(entry.value)}`;
      continue;
    }
    form += `${form && '&'}${name}=${escapeForm(String(value))}`;
  }
  return form;
}

/** The complete body: the form, then `digest`, the HMAC-SHA256 of exactly the bytes before it in lower-case hex. */
export function signForm(parameters: Parameters, apiKey: string | KeyObject): string {
  const form = encodeForm(parameters);
  return `${form}&digest=${createHmac('sha256', apiKey).update(form).digest('hex')}`;
}

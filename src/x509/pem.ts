import { trimEndOf } from '../lib/text.ts';
import { X509Error } from './errors.ts';

/**
 * Largest texts that are parsed, in characters; larger ones are refused unread. As cert-manager's limits, which came
 * with GHSA-r4pg-vg54-wxx4 (a PEM that took quadratic time).
 */
export const PEM_LIMITS = {
  certificate: 36_500,
  privateKey: 13_000,
  chain: 95_000,
  bundle: 330_000,
  /** A key of 4096 bits and 250 addresses of the greatest length fit. */
  signingRequest: 100_000,
} as const;

/** One block of a PEM text. */
export interface PemBlock {
  label: string;
  der: Buffer;
}

const BEGIN = '-----BEGIN ';
const DASHES = '-----';
const LONGEST_LABEL = 64;
/** Base64 without its padding. In one repetition, as two that both take blanks need quadratic time. */
const base64 = /^[A-Za-z0-9+/\s]*$/;
const LONGEST_PADDING = 2;

/**
 * The blocks of a PEM text (RFC 7468) in their order. Text between blocks is skipped, as OpenSSL's tools write it;
 * a block that is cut, mislabelled or not base64 is an error. Takes time linear in the text: each search starts where
 * the last one ended, and the first that finds nothing ends the work. Throws `X509Error`.
 */
export function readPem(text: string, limit: number): PemBlock[] {
  if (text.length > limit) throw new X509Error('TooLarge', 'the PEM text is larger than any valid one');
  const blocks: PemBlock[] = [];
  let at = text.indexOf(BEGIN);
  while (at >= 0) {
    const label = readLabel(text, at + BEGIN.length);
    const body = at + BEGIN.length + label.length + DASHES.length;
    const end = `-----END ${label}${DASHES}`;
    const stop = text.indexOf(end, body);
    if (stop < 0) throw new X509Error('InvalidPem', 'a PEM block has no end');
    blocks.push({ label, der: decode(text.slice(body, stop)) });
    at = text.indexOf(BEGIN, stop + end.length);
  }
  return blocks;
}

/** A PEM block with lines of 64 characters and a line break at the end. */
export function writePem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

function readLabel(text: string, from: number): string {
  const label = text.slice(from, from + LONGEST_LABEL + DASHES.length);
  const end = label.indexOf(DASHES);
  if (end < 0) throw new X509Error('InvalidPem', 'a PEM block has no proper label');
  return label.slice(0, end);
}

function decode(body: string): Buffer {
  if (!base64.test(withoutPadding(body.trimEnd()))) {
    throw new X509Error('InvalidPem', 'a PEM block holds something other than base64');
  }
  const der = Buffer.from(body, 'base64');
  if (der.length === 0) throw new X509Error('InvalidPem', 'a PEM block is empty');
  return der;
}

function withoutPadding(text: string): string {
  return text.slice(0, Math.max(trimEndOf(text, '=').length, text.length - LONGEST_PADDING));
}

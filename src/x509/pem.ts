import { trimEndOf } from '../lib/text.ts';
import { X509Error } from './errors.ts';

/**
 * Longest texts that are parsed, in characters; longer ones are refused unread. Same as cert-manager's limits, which it
 * introduced after GHSA-r4pg-vg54-wxx4 (a PEM text that took quadratic time).
 */
export const PEM_LIMITS = {
  certificate: 36_500,
  privateKey: 13_000,
  chain: 95_000,
  bundle: 330_000,
  /** Enough for a key of 4096 bits and 250 addresses of the greatest length. */
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
/** Base64 without its padding. A single repetition: two that both match blanks would take quadratic time. */
const base64 = /^[A-Za-z0-9+/\s]*$/;
const LONGEST_PADDING = 2;

/**
 * The blocks of a PEM text (RFC 7468) in their order. Skips text between blocks, which OpenSSL's tools write. Throws
 * `X509Error` for a block that is cut, mislabelled or not base64. Takes time linear in the text: each search starts where
 * the last one ended, and the first search without a match ends the work.
 */
export function readPem(text: string, limit: number): PemBlock[] {
  if (text.length > limit) throw new X509Error('TooLarge', 'the PEM text is larger than the limit');
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

/** A PEM block with lines of 64 characters and a final line break. */
export function writePem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

function readLabel(text: string, from: number): string {
  const label = text.slice(from, from + LONGEST_LABEL + DASHES.length);
  const end = label.indexOf(DASHES);
  if (end < 0) throw new X509Error('InvalidPem', 'a PEM block has no valid label');
  return label.slice(0, end);
}

function decode(body: string): Buffer {
  if (!base64.test(withoutPadding(body.trimEnd()))) {
    throw new X509Error('InvalidPem', 'a PEM block contains something other than base64');
  }
  const der = Buffer.from(body, 'base64');
  if (der.length === 0) throw new X509Error('InvalidPem', 'a PEM block is empty');
  return der;
}

function withoutPadding(text: string): string {
  return text.slice(0, Math.max(trimEndOf(text, '=').length, text.length - LONGEST_PADDING));
}

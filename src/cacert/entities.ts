import type { TextEncoding } from './types.ts';

/** The named entities that PHP's `htmlentities` writes for the upper half of ISO-8859-1, from 160 on. */
const upperHalf =
  'nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro ' +
  'para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil ' +
  'Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave ' +
  'Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml ' +
  'igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute ' +
  'thorn yuml';

const named: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
  ...upperHalf.split(' ').map((name, index): [string, string] => [name, String.fromCharCode(160 + index)]),
]);

const entity = /&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([A-Za-z]+\d{0,2}));/g;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reverses CAcert's `sanitizeHTML`, which reads any bytes as ISO-8859-1. Returns the original bytes as characters of
 * ISO-8859-1. Entities for other characters stay unchanged.
 */
export function decodeEntities(value: string): string {
  return value.replace(entity, (whole, decimal: string, hexadecimal: string, name: string) => {
    if (name) return named.get(name) ?? whole;
    const code = decimal ? Number(decimal) : Number.parseInt(hexadecimal, 16);
    return code < 256 ? String.fromCharCode(code) : whole;
  });
}

/** Decodes bytes, given as characters of ISO-8859-1: as UTF-8 if all of them are valid UTF-8. */
export function readTexts(bytes: readonly string[]): { texts: string[]; encoding: TextEncoding } {
  try {
    return { texts: bytes.map((text) => utf8.decode(Buffer.from(text, 'latin1'))), encoding: 'utf8' };
  } catch {
    return { texts: [...bytes], encoding: 'latin1' };
  }
}

/** Entities of the printable characters of ISO-8859-1 from 0xA0 on, in their order (HTML 4.01, section 24.2.1). */
const LATIN1_ENTITIES =
  'nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro ' +
  'para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil ' +
  'Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave ' +
  'Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml ' +
  'igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute ' +
  'thorn yuml';

const ENTITIES = new Map([
  ...LATIN1_ENTITIES.split(' ').map((name, index): [string, string] => [
    String.fromCharCode(0xa0 + index),
    `&${name};`,
  ]),
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#039;'],
]);

/**
 * A value as the site shows it: without tags, and with every byte read as ISO-8859-1 and written as an entity where one exists.
 * Bytes from 0x80 to 0x9f stay, so UTF-8 comes out in halves.
 */
export function htmlText(bytes: string): string {
  return bytes.replaceAll(/<[^>]*>?/g, '').replaceAll(/[^]/g, (byte) => ENTITIES.get(byte) ?? byte);
}

/** The named entities of the upper half of ISO-8859-1, from 160 on: what PHP's `htmlentities` writes for it. */
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
 * The text that CAcert's `sanitizeHTML` made this value of, which was read as ISO-8859-1. What it took for ISO-8859-1
 * may have been UTF-8, a byte for a letter, so the letters are turned back to bytes and read as UTF-8 if they are.
 * Entities of no such byte stay as they are.
 */
export function decodeValue(value: string): string {
  const plain = value.replace(entity, (whole, decimal: string, hexadecimal: string, name: string) => {
    if (name) return named.get(name) ?? whole;
    const code = decimal ? Number(decimal) : Number.parseInt(hexadecimal, 16);
    return code < 256 ? String.fromCharCode(code) : whole;
  });
  try {
    return utf8.decode(Buffer.from(plain, 'latin1'));
  } catch {
    return plain;
  }
}

/**
 * The parameters of a request as PHP fills `$_REQUEST`: the query string, then the body of a POST over it. Each character of a
 * name or value is one byte, since PHP 5 knows no encodings.
 */
import { type Form, nestForm } from '../http/form.ts';

type Pairs = [name: string, value: string][];

export interface Parameters {
  request: Form;
  /** All parameters in order of arrival, those of the URL first. */
  pairs: Pairs;
  /** Names of parameters in the URL. */
  inUrl: string[];
}

/** Reads the URL and, of a POST with one of the two form types, the body. */
export function readParameters(method: string, url: string, contentType: string, body: Buffer): Parameters {
  const question = url.indexOf('?');
  const ofUrl = question < 0 ? [] : urlencodedPairs(url.slice(question + 1));
  const ofBody = method === 'POST' ? bodyPairs(contentType, body) : [];
  return {
    // The body replaces a name that is in both: arrays are not merged.
    request: new Map([...nestForm(ofUrl.map(mangled)), ...nestForm(ofBody.map(mangled))]),
    pairs: [...ofUrl, ...ofBody],
    inUrl: ofUrl.map(([name]) => name),
  };
}

/** The text of a value; '' if it is absent or an array. */
export function textOf(form: Form, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value : '';
}

/** PHP's `trim`. */
export function trimmed(bytes: string): string {
  return bytes.replaceAll(/^[ \t\n\r\0\v]+|[ \t\n\r\0\v]+$/g, '');
}

function bodyPairs(contentType: string, body: Buffer): Pairs {
  const [type = ''] = contentType.split(';');
  if (/^application\/x-www-form-urlencoded$/i.test(type.trim())) {
    return urlencodedPairs(body.toString('latin1'));
  }
  if (!/^multipart\/form-data$/i.test(type.trim())) return [];
  const [, quoted, plain] = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  return boundary === undefined ? [] : multipartPairs(body.toString('latin1'), boundary);
}

function urlencodedPairs(text: string): Pairs {
  return text
    .split('&')
    .filter((piece) => piece !== '')
    .map((piece) => {
      const equals = piece.indexOf('=');
      return equals < 0
        ? [decoded(piece), '']
        : [decoded(piece.slice(0, equals)), decoded(piece.slice(equals + 1))];
    });
}

/** PHP's `urldecode`: malformed escapes stay. */
function decoded(text: string): string {
  return text
    .replaceAll('+', ' ')
    .replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** The fields of a multipart body (RFC 7578). Files are not in `$_REQUEST`. */
function multipartPairs(text: string, boundary: string): Pairs {
  const pairs: Pairs = [];
  for (const part of `\r\n${text}`.split(`\r\n--${boundary}`).slice(1)) {
    if (part.startsWith('--')) break;
    const end = part.indexOf('\r\n\r\n');
    if (end < 0) continue;
    const disposition = /^content-disposition:.*$/im.exec(part.slice(0, end))?.[0] ?? '';
    const name = /;\s*name="([^"]*)"/i.exec(disposition)?.[1];
    if (name !== undefined && !/;\s*filename=/i.test(disposition)) pairs.push([name, part.slice(end + 4)]);
  }
  return pairs;
}

/** PHP turns names into variable names: blanks and dots before a bracket become underscores. */
function mangled([name, value]: [name: string, value: string]): [name: string, value: string] {
  const [head = ''] = name.split('[');
  return [head.replace(/^ +/, '').replaceAll(/[ .]/g, '_') + name.slice(head.length), value];
}

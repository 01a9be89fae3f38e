import { isIP, isIPv4 } from 'node:net';
import { contextPrimitive } from './der.ts';
import type { FormValue } from '../http/form.ts';
import { illegal } from '../service-error.ts';
import type { AlternativeName, NameType } from '../types.ts';

/** The names in `SANs[i][type]`, in order of arrival. Throws InputFailure naming `SANs`. */
export function namesOfForm(value: FormValue | undefined): AlternativeName[] {
  if (value === undefined) return [];
  if (typeof value === 'string' || value.size === 0)
    throw illegal('SANs', 'it is a list of names, or absent');
  const names: AlternativeName[] = [];
  for (const entry of value.values()) {
    if (typeof entry === 'string' || entry.size !== 1) throw illegal('SANs', 'each name has one type');
    for (const [type, name] of entry) {
      if (typeof name !== 'string' || !isNameType(type)) {
        throw illegal('SANs', 'a type is one of DNS, IP, email, URI');
      }
      names.push({ type, value: name });
    }
  }
  checkNames(names);
  return names;
}

/** Throws InputFailure naming `SANs` for a name that the service would refuse. */
export function checkNames(names: readonly AlternativeName[]): void {
  for (const { type, value } of names) {
    if (!LEGAL[type](value))
      throw illegal('SANs', `${JSON.stringify(value.slice(0, 80))} is not a legal ${type} name`);
  }
}

const LEGAL: Record<NameType, (value: string) => boolean> = {
  DNS: isDnsName,
  IP: (value) => isIP(value) !== 0 && !value.includes('%'),
  email: (value) =>
    /^[\x21-\x3f\x41-\x7e]{1,64}@[^@]+$/.test(value) && isHostName(value.slice(value.indexOf('@') + 1)),
  URI: (value) => /^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/i.test(value),
};

function isNameType(type: string): type is NameType {
  return Object.hasOwn(LEGAL, type);
}

/** A host name, or one whose whole first label is `*`; `al*.test.net` is refused. */
function isDnsName(value: string): boolean {
  return isHostName(value.startsWith('*.') ? value.slice(2) : value);
}

function isHostName(value: string): boolean {
  if (value.length > 253) return false;
  return value.split('.').every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label));
}

const GENERAL_NAME_TAG: Record<NameType, number> = { email: 1, DNS: 2, URI: 6, IP: 7 };

/** The GeneralName (RFC 5280, 4.2.1.6). */
export function generalName({ type, value }: AlternativeName): Buffer {
  const content = type === 'IP' ? addressBytes(value) : Buffer.from(value, 'latin1');
  return contextPrimitive(GENERAL_NAME_TAG[type], content);
}

/** The 4 or 16 bytes of an address. */
function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  // The URL parser writes an address in its shortest form, with an embedded IPv4 as hex, so only `::` is left to expand.
  const shortest = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail] = shortest.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right];
  const bytes = Buffer.alloc(16);
  for (const [index, group] of groups.entries()) bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2);
  return bytes;
}

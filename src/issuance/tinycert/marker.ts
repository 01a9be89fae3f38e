import { MARKER_PREFIX } from '../../api/tinycert/subject.ts';
import { hmacHex, sha256Hex } from '../../lib/hash.ts';
import type { Subject } from '../../api/tinycert/subject.ts';

/** 48 bits distinguish installations, and 128 bits resources. With the prefix, a marker fits the 64 characters of an OU. */
const INSTALLATION_DIGITS = 12;
const RESOURCE_DIGITS = 32;

/**
 * The ownership marker in the OU of a certificate (docs/adr/0007). It identifies the issuer, which exists in one cluster
 * only, and the resource. It depends on their uids alone, so neither a restart nor a new API key changes it.
 */
export function markerOf(issuerUid: string, resourceUid: string): string {
  const resource = hmacHex(issuerUid, `tinycert-operator marker\n${resourceUid}`);
  return `${installationMark(issuerUid)}${resource.slice(0, RESOURCE_DIGITS)}`;
}

/** The beginning of the markers of all certificates from one issuer. */
export function installationMark(issuerUid: string): string {
  return `${MARKER_PREFIX}${sha256Hex(issuerUid).slice(0, INSTALLATION_DIGITS)}:`;
}

/** Whether a subject carries any marker. Only the operator can set one: specs cannot use the reserved prefix. */
export function isMarked({ organizationalUnit = '' }: Pick<Subject, 'organizationalUnit'>): boolean {
  return organizationalUnit.startsWith(MARKER_PREFIX);
}

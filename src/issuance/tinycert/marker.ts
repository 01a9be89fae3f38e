import { MARKER_PREFIX } from '../../api/tinycert/subject.ts';
import { hmacHex, sha256Hex } from '../../lib/hash.ts';
import type { Subject } from '../../api/tinycert/subject.ts';

/** 48 bits tell installations apart, 128 bits resources. Together with the prefix it fits the 64 characters of an OU. */
const INSTALLATION_DIGITS = 12;
const RESOURCE_DIGITS = 32;

/**
 * The ownership marker that stands in the OU of a certificate (docs/adr/0007): the issuer it was asked for through, which
 * exists in one cluster only, and the resource it was asked for. It is made of uids alone, so that neither a restart nor
 * a new API key changes it.
 */
export function markerOf(issuerUid: string, resourceUid: string): string {
  const resource = hmacHex(issuerUid, `tinycert-operator marker\n${resourceUid}`);
  return `${installationMark(issuerUid)}${resource.slice(0, RESOURCE_DIGITS)}`;
}

/** What the markers of all certificates begin with that were asked for through an issuer. */
export function installationMark(issuerUid: string): string {
  return `${MARKER_PREFIX}${sha256Hex(issuerUid).slice(0, INSTALLATION_DIGITS)}:`;
}

/** Whether a subject carries a marker, whoever's. Nobody else can have one put there: the prefix is reserved. */
export function isMarked({ organizationalUnit = '' }: Pick<Subject, 'organizationalUnit'>): boolean {
  return organizationalUnit.startsWith(MARKER_PREFIX);
}

/** What names a certificate: its account, its authority and its id, as the witnesses understand it. */
import { createHash } from 'node:crypto';

/** A certificate as statuses, journals and the CA name it. */
export interface Ref {
  /** Digest of endpoint and e-mail address (`accountDigest`). */
  account: string;
  authorityId: number;
  certificateId: number;
}

/** What anybody may have written of a certificate. */
export type Stated = { [Field in keyof Ref]?: Ref[Field] | undefined };

/** Names an account: the endpoints of this run are written in one way only. */
export function accountDigest(endpoint: string, email: string): string {
  const text = `tinycert-operator account\n${endpoint}\n${email}`;
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** A text that is equal for the same certificate. */
export function keyOf({ account, authorityId, certificateId }: Ref): string {
  return `${account}/${authorityId}/${certificateId}`;
}

/** The certificates that are stated wholly: an id without its account and authority names none. */
export function keysOf(stated: readonly (Stated | undefined)[]): string[] {
  return stated.flatMap(({ account, authorityId, certificateId } = {}) =>
    account === undefined || authorityId === undefined || certificateId === undefined
      ? []
      : [keyOf({ account, authorityId, certificateId })],
  );
}

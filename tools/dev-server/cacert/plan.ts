/** What a request should become, and what the signer writes, faults included. */
import type { CAcertAuthority, Hierarchy } from './hierarchy.ts';
import { ANONYMOUS, type Member, lifetimeOf } from './members.ts';
import type { SigningRequest } from './signing-request.ts';
import type { CAcertDefect, CAcertFaultEffect } from './types.ts';

const HOUR = 3600;

/** What a row of the table of requests should become. */
export interface Order {
  member: Member;
  cn: string;
  emails: string[];
  codeSigning: boolean;
  request: SigningRequest;
  authority: 'class1' | 'class3';
  /** Seconds; null for the lifetime that the member's points give. */
  validity: number | null;
  /** A defect that a fault puts into the certificate. */
  defect: CAcertDefect | undefined;
  /** The `seq` of the call. */
  origin: number;
  onSigned: () => void;
}

/** What the certificate contains, defects included. */
export interface Plan {
  cn: string;
  emails: string[];
  codeSigning: boolean;
  clientAuth: boolean;
  spki: Buffer;
  authority: CAcertAuthority;
  signingKey: CAcertAuthority['key'];
  notBefore: number;
  notAfter: number;
}

/** What the signer writes; `now` is in Unix seconds. */
export function planOf(
  { member, cn, emails, codeSigning, request, validity, defect, ...order }: Order,
  { class1, class3, stranger }: Hierarchy,
  now: number,
): Plan {
  const authority = order.authority === 'class3' ? class3 : class1;
  const lifetime = validity ?? lifetimeOf(member);
  const plan: Plan = {
    cn,
    emails,
    codeSigning,
    clientAuth: true,
    spki: request.spki,
    authority,
    signingKey: authority.key,
    notBefore: now,
    notAfter: now + lifetime,
  };
  let change: Partial<Plan> = {};
  switch (defect?.kind) {
    case 'dropped-email': {
      const dropped = defect.email ?? emails.at(-1);
      change = { emails: emails.filter((email) => email !== dropped) };
      break;
    }
    case 'anonymous-name':
      change = { cn: ANONYMOUS };
      break;
    case 'ignored-codesign':
      change = { codeSigning: false };
      break;
    case 'no-client-auth':
      change = { clientAuth: false };
      break;
    case 'wrong-names':
      change = { cn: defect.cn ?? cn, emails: defect.emails ?? emails };
      break;
    case 'wrong-key':
      change = { spki: stranger.spki };
      break;
    case 'expired':
      change = { notBefore: now - HOUR - lifetime, notAfter: now - HOUR };
      break;
    case 'future':
      change = { notBefore: now + defect.seconds, notAfter: now + defect.seconds + lifetime };
      break;
    case 'class3':
      change = { authority: class3, signingKey: class3.key };
      break;
    case 'foreign-chain':
      change = { signingKey: stranger };
      break;
    case undefined:
  }
  return { ...plan, ...change };
}

/** Whether the effect is in the certificate, not in the answer. */
export function isDefect(effect: CAcertFaultEffect): effect is CAcertDefect {
  return Object.hasOwn(DEFECTS, effect.kind);
}

const DEFECTS = {
  'dropped-email': true,
  'anonymous-name': true,
  'ignored-codesign': true,
  'no-client-auth': true,
  'wrong-names': true,
  'wrong-key': true,
  expired: true,
  future: true,
  class3: true,
  'foreign-chain': true,
} satisfies Record<CAcertDefect['kind'], true>;

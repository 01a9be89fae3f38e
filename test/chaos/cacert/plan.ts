import type { CAcertFault } from '../../../tools/dev-server/cacert/types.ts';
import type { Random } from '../random.ts';

/** What people do with CAcert certificates, and CAcert with their requests. */
export type MailDeed =
  | { do: 'mail'; what: 'respec' | 'renew' | 'recreate' | 'drop-secret' | 'damage-secret' }
  | { do: 'mail-fault'; fault: CAcertFault };

/** A deed to CAcert certificates. */
export function mailDeed(random: Random, clockSpeed: number): MailDeed {
  if (random.chance(0.4)) return { do: 'mail-fault', fault: mailFault(random, clockSpeed) };
  return {
    do: 'mail',
    what: random.pick(['respec', 'respec', 'renew', 'recreate', 'drop-secret', 'damage-secret'] as const),
  };
}

/** An answer that is lost, late or false, or a certificate that is not what was requested. */
function mailFault(random: Random, clockSpeed: number): CAcertFault {
  const call = 'ccsr';
  const within = Math.round(random.int(1_000, 60_000) / clockSpeed);
  return random.pick<CAcertFault>([
    { call, kind: 'reset-after' },
    { call, kind: 'reset-before' },
    { call, kind: 'late', ms: within },
    { call, kind: 'late', ms: within, cut: true },
    { call, kind: 'truncated' },
    { call, kind: 'delay', ms: within },
    { call, kind: 'unsigned', ms: within },
    { call, kind: 'unsigned' },
    { call, kind: 'no-certificate' },
    { call, kind: 'html' },
    { call, kind: 'html', acts: true },
    // CAcert checks the key before it does anything, so this never acts.
    { call, kind: 'error', error: 'internal' },
    { call, kind: 'blank-lines' },
    { call, kind: 'php-notice' },
    { call, kind: 'dropped-email' },
    { call, kind: 'anonymous-name' },
    { call, kind: 'no-client-auth' },
    { call, kind: 'wrong-names' },
    { call, kind: 'wrong-key' },
    { call, kind: 'expired' },
    { call, kind: 'class3' },
    { call, kind: 'foreign-chain' },
    { call: 'cemails', kind: 'html' },
    { call: 'cemails', kind: 'hang' },
    { call: 'cemails', kind: 'error', error: 'username' },
  ]);
}

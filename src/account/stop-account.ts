import type { CAcertError } from '../cacert/index.ts';
import type { Reason } from '../lib/reason.ts';
import type { TinyCertError } from '../tinycert/index.ts';
import type { Directory } from './directory.ts';
import type { Gate } from './gate/gate.ts';
import { stopsOf } from './stops.ts';

/**
 * Stops an account for an error that is the account's and not one certificate's, so that its other certificates do not run
 * into the same error one by one: opens the breaker, makes whatever uses the login not ready, or starts a pause.
 */
export function stopAccount<A extends { gate: Gate }>(
  options: {
    account: A;
    directory: Pick<Directory<{ account: A }>, 'fault'>;
    /** Key of the certificate that met the error. */
    key: string;
    /** The breaker's epoch when the work began. */
    epoch: number;
    /** The error in words for conditions. */
    fault: Reason;
  },
  error: TinyCertError | CAcertError,
): void {
  const { account, directory, key, epoch, fault } = options;
  const stops = stopsOf(error);
  switch (stops) {
    case 'account':
      return account.gate.failed(key, epoch, fault);
    case 'login':
      return directory.fault(account, fault);
    case 'pause':
      return account.gate.limited(error.retryAfterMs);
    case 'nobody':
      return;
    default:
      return stops satisfies never;
  }
}

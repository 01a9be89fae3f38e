import type { CAcertError } from '../cacert/index.ts';
import type { TinyCertError } from '../tinycert/index.ts';

/** Whom an error of the CA stops, besides the certificate that met it. */
export type Stops =
  /** All users of the account: an outage, a nonsensical answer, or a refusal although the session is valid. */
  | 'account'
  /** Users with exactly these credentials and trust: someone who only knows the e-mail must not stop the others. */
  | 'login'
  /** All users of the account, for a time that the CA named or that is guessed. */
  | 'pause'
  /** No one else. */
  | 'nobody';

type Known = Pick<TinyCertError, 'kind' | 'code' | 'call'> | Pick<CAcertError, 'kind' | 'code' | 'call'>;

/** Whom an error stops. CAcert has no sessions: each of its calls carries the login. */
export function stopsOf({ kind, code, call }: Known): Stops {
  switch (kind) {
    case 'rate-limit':
      return 'pause';
    case 'credentials':
      return LOGINS.has(call) ? 'login' : 'account';
    case 'protocol':
      return code === 'TlsFailure' ? 'login' : 'account';
    case 'passing':
      // The account was replaced meanwhile, or the caller stopped: not a fault of the CA.
      if (code === 'Closed') return 'login';
      return code === 'Aborted' ? 'nobody' : 'account';
    case 'input':
    case 'not-found':
    case 'uncertain':
      return 'nobody';
    default:
      return kind satisfies never;
  }
}

/** The calls in which a CA can refuse the login: one of TinyCert's, and all of CAcert's. */
const LOGINS: ReadonlySet<string> = new Set(['connect', 'cemails.php', 'ccsr.php']);

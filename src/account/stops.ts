import type { CAcertError } from '../cacert/index.ts';
import type { TinyCertError } from '../tinycert/index.ts';

/** Whom an error of the CA concerns, besides whoever met it. */
export type Stops =
  /** Everybody who uses the account: an outage, nonsense, or a refusal by a session that is valid. */
  | 'account'
  /** Those with these very credentials and trust. Whoever only knows the e-mail must not stop others with it. */
  | 'login'
  /** Everybody who uses the account, for a time that the CA has named or that is guessed. */
  | 'pause'
  /** Nobody else. */
  | 'nobody';

type Known = Pick<TinyCertError, 'kind' | 'code' | 'call'> | Pick<CAcertError, 'kind' | 'code' | 'call'>;

/** Tells whom an error stops. CAcert has no sessions: each of its calls carries the login. */
export function stopsOf({ kind, code, call }: Known): Stops {
  switch (kind) {
    case 'rate-limit':
      return 'pause';
    case 'credentials':
      return LOGINS.has(call) ? 'login' : 'account';
    case 'protocol':
      return code === 'TlsFailure' ? 'login' : 'account';
    case 'passing':
      // The account was replaced meanwhile, or the caller gave up: the CA has no part in it.
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

/** The calls that a login is refused to: TinyCert's one, and all of CAcert's. */
const LOGINS: ReadonlySet<string> = new Set(['connect', 'cemails.php', 'ccsr.php']);

import type { Account } from '../account/tinycert-account.ts';
import type { CertificateSpec } from '../api/certificate-spec.ts';
import type { Subject } from '../api/subject.ts';
import type { Certificate } from '../x509/certificate.ts';
import type { Sealer } from './seal.ts';

/** What is needed of an authority to issue and to check what it issued. */
export interface AuthorityMaterial {
  root: Certificate;
  /** Country and organization stand in where neither certificate nor issuer names them. */
  subject: Subject;
  /** `sha1`, `sha256`, or `unknown`. */
  hashAlgorithm: string;
}

/** An issuer that certificates can be had from. */
export interface ReadyIssuer {
  key: string;
  account: Account;
  authority: { id: number; name: string };
  /** Defaults for subjects, from the issuer's spec. */
  subject: Subject | undefined;
  /** Set if requests carry an ownership marker: the uid of the issuer, which no other installation has. */
  marksFor?: string | undefined;
  /** Fetched when first needed and then kept, so that a restart costs the CA nothing. */
  material: () => Promise<AuthorityMaterial>;
}

/** What is known of an issuer in this process. Status tells people; only this is acted on. */
export type IssuerState =
  | { ready: true; issuer: ReadyIssuer }
  /** `sealer`: its account, where there is one that the CA only cannot be asked with now. It tells which statuses are sealed. */
  | { ready: false; reason: string; message: string; sealer?: Sealer };

type Listener = (key: string) => void;

/** The issuers as this process found them: written by their controller, read by those who need certificates. */
export class IssuerDirectory {
  readonly #states = new Map<string, IssuerState>();
  readonly #changed = new Set<Listener>();
  readonly #faulted = new Set<Listener>();

  get(key: string): IssuerState | undefined {
    return this.#states.get(key);
  }

  /** Sets what is known of an issuer, and tells whoever waits for it if that makes a difference to them. */
  set(key: string, state: IssuerState): void {
    const before = this.#states.get(key);
    this.#states.set(key, state);
    if (!isSame(before, state)) for (const listener of this.#changed) listener(key);
  }

  /** The issuer is gone. */
  delete(key: string): void {
    if (this.#states.delete(key)) for (const listener of this.#changed) listener(key);
  }

  /**
   * Somebody met a fault that is the account's and not their own: nobody tries with any of its issuers until the
   * issuers' controllers have looked.
   */
  fault(account: Account, { reason, message }: { reason: string; message: string }): void {
    for (const [key, state] of this.#states) {
      if (!state.ready || state.issuer.account !== account) continue;
      this.set(key, { ready: false, reason, message, sealer: account });
      for (const listener of this.#faulted) listener(key);
    }
  }

  /** Calls back when an issuer changed. Returns the function that ends this. */
  onChange(listener: Listener): () => void {
    this.#changed.add(listener);
    return () => this.#changed.delete(listener);
  }

  /** Calls back when a fault was reported. Returns the function that ends this. */
  onFault(listener: Listener): () => void {
    this.#faulted.add(listener);
    return () => this.#faulted.delete(listener);
  }
}

/** The directory's key of an issuer, from a certificate's reference to it. */
export function issuerKey(ref: CertificateSpec['issuerRef'], namespace: string | undefined): string {
  return ref.kind === 'TinyCertClusterIssuer'
    ? `${ref.kind}:${ref.name}`
    : `${ref.kind}:${namespace}/${ref.name}`;
}

function isSame(a: IssuerState | undefined, b: IssuerState): boolean {
  if (a === undefined || a.ready !== b.ready) return false;
  if (a.ready && b.ready) {
    const isMarkedAlike = a.issuer.marksFor === b.issuer.marksFor;
    return (
      isMarkedAlike &&
      a.issuer.account === b.issuer.account &&
      a.issuer.authority.id === b.issuer.authority.id
    );
  }
  return !a.ready && !b.ready && a.reason === b.reason && a.message === b.message && a.sealer === b.sealer;
}

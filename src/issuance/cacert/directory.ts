import type { CAcertLogin } from '../../account/cacert-account.ts';
import { Directory, type State } from '../../account/directory.ts';
import { cacertAccounts } from '../../api/kinds.ts';
import type { AccountDetails } from '../../cacert/index.ts';
import { refKey } from '../../kube/objects.ts';
import type { Certificate } from '../../x509/certificate.ts';

/** What issued certificates are checked against. */
export interface Bundle {
  roots: readonly Certificate[];
  /** The class 3 certificate, where it is used. */
  intermediates: readonly Certificate[];
}

/** A CAcert account that certificates can be had from. */
export interface ReadyCAcertAccount {
  key: string;
  account: CAcertLogin;
  details: AccountDetails;
  bundle: Bundle;
}

/** What is known of a CAcert account in this process. */
export type CAcertAccountState = State<ReadyCAcertAccount>;

/** The CAcert accounts as this process found them. */
export class CAcertDirectory extends Directory<ReadyCAcertAccount> {
  constructor() {
    super((a, b) => JSON.stringify(a.details) === JSON.stringify(b.details));
  }
}

/** The directory's key of an account. */
export function cacertAccountKey(namespace: string | undefined, name: string): string {
  return `${cacertAccounts.kind}:${refKey({ namespace: namespace ?? '', name })}`;
}

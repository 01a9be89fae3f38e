import type { CAcertLogin } from '../../account/cacert-account.ts';
import { Directory, type State } from '../../account/directory.ts';
import { cacertAccounts } from '../../api/kinds.ts';
import type { AccountDetails } from '../../cacert/index.ts';
import { refKey } from '../../kube/objects.ts';
import type { Certificate } from '../../x509/certificate.ts';

/** The authorities that issued certificates must chain to. */
export interface Bundle {
  roots: readonly Certificate[];
  /** The class 3 certificate, if the account uses it. */
  intermediates: readonly Certificate[];
}

/** A CAcert account that can issue certificates. */
export interface ReadyCAcertAccount {
  key: string;
  account: CAcertLogin;
  details: AccountDetails;
  bundle: Bundle;
}

/** What this process knows about a CAcert account. */
export type CAcertAccountState = State<ReadyCAcertAccount>;

/** The CAcert accounts as this process found them. */
export class CAcertDirectory extends Directory<ReadyCAcertAccount> {
  constructor() {
    super((a, b) => JSON.stringify(a.details) === JSON.stringify(b.details));
  }
}

/** The key of an account in the directory. */
export function cacertAccountKey(namespace: string | undefined, name: string): string {
  return `${cacertAccounts.kind}:${refKey({ namespace: namespace ?? '', name })}`;
}

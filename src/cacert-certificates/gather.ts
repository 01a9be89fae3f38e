import { cacertSpecHash } from '../api/cacert/effective.ts';
import type { CAcertCertificate } from '../api/kinds.ts';
import { cacertAccountKey } from '../issuance/cacert/directory.ts';
import { turnOf } from '../issuance/decide/gate-turn.ts';
import { keyOf, refKey } from '../kube/objects.ts';
import type { Reason } from '../lib/reason.ts';
import type { Deps } from './deps.ts';
import { type CAcertView, openAttempt } from './attempt.ts';
import type { Inputs } from './inputs.ts';
import { type PendingView, pendingSecretRef } from './pending-keys.ts';

/** Reads everything that the decision needs. Secrets are read from the API server only if they may have changed. */
export async function gather(
  deps: Deps,
  certificate: CAcertCertificate,
  view: CAcertView | undefined,
  signal: AbortSignal,
): Promise<Inputs> {
  const { spec, metadata } = certificate;
  const accountKey = cacertAccountKey(metadata.namespace, spec.accountRef.name);
  const account = deps.directory.get(accountKey);
  const elder = deps.certificateSecrets.elderOf(certificate);
  const attempt = openAttempt(deps, view, certificate);
  return {
    certificate,
    specHash: cacertSpecHash(spec),
    crdsFit: deps.crds.fit,
    accountKey,
    account,
    abandoned: abandonedBy(certificate, deps.accountExists(accountKey)),
    accountExists: account !== undefined || deps.accountExists(accountKey),
    elder,
    // A Secret that belongs to another resource is not read.
    secret:
      elder === undefined
        ? await deps.certificateSecrets.readIfChanged(certificate, signal)
        : { state: 'absent' },
    pending: await pendingOf(deps, certificate, attempt !== undefined, signal),
    hasJournal: view !== undefined,
    attempt,
    turn: turnOf(account?.ready ? account.issuer.account.gate : undefined, keyOf(certificate)),
    now: deps.clock.now(),
    monotonic: deps.clock.monotonic(),
  };
}

/** Why a certificate that was issued has no account for its renewal. */
function abandonedBy(
  { spec, status }: Pick<CAcertCertificate, 'spec' | 'status'>,
  accountExists: boolean,
): Reason | undefined {
  if (status?.serialNumber === undefined || accountExists) return undefined;
  return {
    reason: 'AccountNotFound',
    message: `There is no CAcertAccount ${spec.accountRef.name}, so this certificate will not be renewed: create it, or correct accountRef.`,
  };
}

/** Reads the pending Secret unless there can be none: no attempt is without its certificate, and no such Secret is watched. */
async function pendingOf(
  deps: Deps,
  certificate: CAcertCertificate,
  isOpen: boolean,
  signal: AbortSignal,
): Promise<PendingView> {
  const key = refKey(pendingSecretRef(certificate));
  const watched = deps.writtenSecrets.newest(key, deps.secrets.get(key));
  const mayExist = isOpen || certificate.status?.unserved !== undefined;
  if (!mayExist && !watched) return { state: 'absent' };
  return deps.pendingKeys.read(certificate, signal);
}

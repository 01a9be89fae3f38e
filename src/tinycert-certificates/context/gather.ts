import type { TinyCertCertificate } from '../../api/kinds.ts';
import { effectiveNames, specHash } from '../../api/tinycert/effective.ts';
import { certificateRef } from '../../api/tinycert/identity.ts';
import { turnOf } from '../../issuance/decide/gate-turn.ts';
import type { SecretView } from '../../issuance/secret/certificate-secrets.ts';
import { issuerKey, type ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import type { TinyCertView } from '../../issuance/tinycert/records.ts';
import { type SealState, sealStateOf } from '../../issuance/tinycert/seal.ts';
import { keyOf } from '../../kube/objects.ts';
import type { Reason } from '../../lib/reason.ts';
import { attemptAt, statedAccount } from './attempts.ts';
import { lossSignOf } from './loss-sign.ts';
import type { Deps } from './deps.ts';
import type { Inputs } from './inputs.ts';

/**
 * Collects the inputs of a decision. Reads the Secret from the API server only if it may have changed. `view`: the journal as it
 * was when the certificate was taken from the cache.
 */
export async function gather(
  deps: Deps,
  certificate: TinyCertCertificate,
  view: TinyCertView | undefined,
  signal: AbortSignal,
): Promise<Inputs> {
  // The Secret of another resource is not read.
  const secret: SecretView =
    deps.certificateSecrets.elderOf(certificate) === undefined
      ? await deps.certificateSecrets.readIfChanged(certificate, signal)
      : { state: 'absent' };
  return { ...factsOf(deps, certificate, view), secret };
}

/** The inputs of a decision but the Secret. Asks nobody. */
export function factsOf(
  deps: Deps,
  certificate: TinyCertCertificate,
  view: TinyCertView | undefined,
): Omit<Inputs, 'secret'> {
  const { spec, metadata } = certificate;
  const key = issuerKey(spec.issuerRef, metadata.namespace);
  const issuer = deps.directory.get(key);
  const seal = issuer?.ready ? sealStateOf(issuer.issuer.account, certificate) : undefined;
  const facts = sealFacts(deps, certificate, seal);
  if (issuer?.ready && facts.sealed === true) learnId(issuer.issuer, certificate);
  const account = issuer?.ready ? issuer.issuer.account.digest : statedAccount(issuer, certificate, view);
  const found =
    account === undefined
      ? { attempt: undefined, unreadable: undefined }
      : attemptAt(deps, view, certificate, account, facts.sealed === true);
  return {
    certificate,
    names: effectiveNames(spec),
    specHash: specHash(spec),
    crdsFit: deps.crds.fit,
    issuerKey: key,
    issuer,
    issuerExists: issuer !== undefined || deps.issuerExists(key),
    abandoned: abandonedBy(deps, certificate, key),
    issuerKindInstalled: issuer !== undefined || deps.issuerKindInstalled(key),
    elder: deps.certificateSecrets.elderOf(certificate),
    ...facts,
    observed: deps.observations.of(certificate),
    hasJournal: view !== undefined,
    ...found,
    lossSign: issuer?.ready ? lossSignOf(deps, certificate, issuer.issuer, view, found) : { is: 'none' },
    unclaimedWaitMs: deps.unclaimedWaitMs,
    turn: turnOf(issuer?.ready ? issuer.issuer.account.gate : undefined, keyOf(certificate)),
    now: deps.clock.now(),
    monotonic: deps.clock.monotonic(),
  };
}

/** The ids in sealed statuses count as seen (`highestInJournal`): a list that was read before them does not have them. */
function learnId({ account }: ReadyIssuer, { status }: TinyCertCertificate): void {
  const own = certificateRef(status);
  if (own?.account === account.digest) account.noteId(own.authorityId, own.certificateId);
}

/** Why a certificate that was issued has no issuer for its renewal. */
function abandonedBy(
  { issuerExists, issuerIsDeleted }: Pick<Deps, 'issuerExists' | 'issuerIsDeleted'>,
  { spec, status }: TinyCertCertificate,
  key: string,
): Reason | undefined {
  if (status?.certificateId === undefined) return undefined;
  const { kind, name } = spec.issuerRef;
  if (!issuerExists(key)) {
    return {
      reason: 'IssuerNotFound',
      message: `There is no ${kind} ${name}, so this certificate will not be renewed: create it, or correct issuerRef.`,
    };
  }
  if (!issuerIsDeleted(key)) return undefined;
  return {
    reason: 'IssuerDeleted',
    message: `${kind} ${name} is being deleted, and after that this certificate will not be renewed: name another one in issuerRef, or create it again once it is gone.`,
  };
}

function sealFacts(
  { resealPace }: Pick<Deps, 'resealPace'>,
  { metadata: { uid = '' } }: TinyCertCertificate,
  state: SealState | undefined,
): Pick<Inputs, 'sealed' | 'resealAt'> {
  const sealed = state === undefined ? undefined : state !== 'broken';
  if (state === 'partial') return { sealed, resealAt: resealPace.turnOf(uid) };
  resealPace.forget(uid);
  return { sealed, resealAt: undefined };
}

import type { TinyCertCertificate } from '../../api/kinds.ts';
import { certificateKey, type CertificateRef, isSameCertificate } from '../../api/tinycert/identity.ts';
import { secretRef } from '../../issuance/certificate-kind.ts';
import { secretHoldsCurrent } from '../../issuance/decide/readiness.ts';
import { readSecret } from '../../issuance/secret/read-secret.ts';
import {
  type Attempt,
  attemptOwner,
  floorOf,
  nameHash,
  type OpenAttempt,
  previousOf,
} from '../../issuance/tinycert/attempt.ts';
import { claimsOf } from '../../issuance/tinycert/claims.ts';
import { tinycertKind } from '../../issuance/tinycert/kind.ts';
import { certificateAtCa, isAtCa } from '../../issuance/tinycert/lookup.ts';
import { isMarked } from '../../issuance/tinycert/marker.ts';
import { requestOf } from '../../issuance/tinycert/request.ts';
import { isSealed } from '../../issuance/tinycert/seal.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { secrets } from '../../kube/objects.ts';
import { AppError } from '../../lib/errors.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { sameNames } from '../../x509/names.ts';
import { amend, attemptsOfOthers } from '../context/attempts.ts';
import { BY_CERTIFICATE } from '../context/deps.ts';
import { callOptions, type Work } from '../context/work.ts';

/**
 * The CA answered an attempt with a certificate that may belong to another request. Its answer is believed no more than its
 * list is: a proxy or a cache may have repeated an earlier one (`replyAboveFloor`, `replyUnclaimed`, `replyFits`).
 */
export class AnswerDoubted extends AppError {
  /** `why`: which certificate it is, as the rest of a sentence. */
  constructor(why: string) {
    super(
      'AnswerDoubted',
      `TinyCert answered with a certificate ${why}. It is not published, and the operator looks for what this request bought.`,
    );
  }
}

/** What to do about two answers in a row that were in doubt, by what was asked for. */
const AFTER_TWO: Readonly<Record<Attempt['operation'], string>> = {
  New: 'so no other one is requested. Check whether a proxy or a cache in front of TinyCert repeats answers, and at TinyCert which certificates these names have. To have another one requested, change the names or the subject, or delete the resource and create it again.',
  Reissue:
    'and the present one has not been reissued. It is tried again later. Check whether a proxy or a cache in front of TinyCert repeats answers.',
};

/** The CA did so twice in a row, and nothing that the resource bought was found. */
export class AnswersDoubted extends AppError {
  constructor(operation: Attempt['operation']) {
    super(
      'AnswersDoubted',
      `TinyCert answered twice in a row with a certificate that may belong to another request, and no certificate can be identified as the result, ${AFTER_TWO[operation]}`,
    );
  }
}

/**
 * Records that the answer to an attempt is in doubt, and recovers the attempt once it can have no more effect. The count
 * bounds how often that leads to another purchase (`replyOnce`).
 */
export async function afterDoubt(
  work: Work,
  open: OpenAttempt,
  bought: CertificateRef,
  doubt: AnswerDoubted,
): Promise<ReconcileResult> {
  const { deps, inputs, issuer, log } = work;
  const { certificate } = inputs;
  // What it was known to have bought is not known any more.
  const { certificateId: _, ...attempt } = open.attempt;
  const { doubts = 0, account } = attempt;
  const { uid = '' } = certificate.metadata;
  log.warn(
    { attempt: open.id, certificateId: bought.certificateId, why: doubt.message },
    'The answer of the CA is in doubt',
  );
  deps.warn(certificate, doubt.code, doubt.message);
  deps.attempts.sent(attemptOwner(uid, account), open.id, deps.clock.monotonic());
  issuer.account.disbelieve(bought, uid);
  await amend(work, { ...open, attempt }, { doubts: doubts + 1 });
  return { requeueAfterMs: 0 };
}

/**
 * Throws an `AnswerDoubted` if the id in the CA's direct answer to an attempt may belong to another request: it is not above
 * the floor, or a claim names it that is sealed or proved by a key. Rejects with a `TinyCertError` or an `ApiError`.
 */
export async function assertOwnId(work: Work, attempt: Attempt, bought: CertificateRef): Promise<void> {
  const { inputs, issuer } = work;
  const { metadata, status } = inputs.certificate;
  if (bought.certificateId <= floorOf(attempt)) throw new AnswerDoubted('that is older than the request');
  if (claims(status, bought)) throw new AnswerDoubted('that this resource had before');
  const isOthers = (await isClaimed(work, bought)) || !issuer.account.hearsFirst(bought, metadata.uid ?? '');
  if (isOthers) throw new AnswerDoubted('that another resource has');
}

/** Whether another resource claims an id, by a status with a seal or by the private key in its Secret. */
async function isClaimed(work: Work, bought: CertificateRef): Promise<boolean> {
  const { deps, issuer } = work;
  const { uid = '' } = work.inputs.certificate.metadata;
  for (const { certificateId } of attemptsOfOthers(work.view, uid, bought))
    if (certificateId === bought.certificateId) return true;
  const cached = deps.certificates.byIndex(BY_CERTIFICATE, certificateKey(bought));
  for (const other of new Set([...cached, ...deps.writtenCertificates.values()])) {
    if (other.metadata.uid === uid) continue;
    if (!claims(other.status, bought)) continue;
    if (isSealed(issuer.account, other) || (await hasKeyOf(work, other, bought))) return true;
  }
  return false;
}

/** Whether the Secret of a resource holds the certificate with this id, and so its private key. */
async function hasKeyOf(work: Work, resource: TinyCertCertificate, bought: CertificateRef): Promise<boolean> {
  const { deps, issuer, signal } = work;
  const secret = await deps.kube.find(secrets, secretRef(resource), { signal });
  const content = secret && readSecret(tinycertKind, secret);
  return content ? isAtCa(issuer.account, bought, content.leaf, callOptions(work)) : false;
}

function claims(status: TinyCertCertificate['status'], bought: CertificateRef): boolean {
  return claimsOf(status).some((claim) => isSameCertificate(claim, bought));
}

/**
 * Throws an `AnswerDoubted` if the certificate that the CA's direct answer named may belong to another request: a reissue with
 * another key, a certificate with another marker, or one for other names that another open attempt may have bought. Rejects
 * with a `TinyCertError` or an `ApiError`.
 */
export async function assertFits(
  work: Work,
  attempt: Attempt,
  bought: CertificateRef,
  leaf: Certificate,
): Promise<void> {
  if (attempt.operation === 'Reissue') {
    const key = await keyToKeep(work, attempt);
    if (key !== undefined && key !== leaf.publicKeyFingerprint)
      throw new AnswerDoubted('that does not have the key of the one to reissue');
    return;
  }
  const { inputs, issuer } = work;
  const { organizationalUnit } = requestOf(inputs.certificate, issuer, await issuer.material()).subject;
  if (
    organizationalUnit !== undefined &&
    isMarked({ organizationalUnit }) &&
    leaf.subject.organizationalUnit !== organizationalUnit
  )
    throw new AnswerDoubted('that does not carry the marker of this resource');
  if (!sameNames(leaf.names, inputs.names) && mayBeOfAnother(work, bought, leaf))
    throw new AnswerDoubted('with names that another resource is asking for');
}

/** The public key of the certificate to reissue: from the resource's own Secret, or else from the CA. */
async function keyToKeep(work: Work, attempt: Attempt): Promise<string | undefined> {
  const { deps, inputs, issuer, signal } = work;
  const { certificate } = inputs;
  const previous = previousOf(attempt);
  if (!previous) return undefined;
  const secret = await deps.certificateSecrets.read(certificate, signal);
  if (secret.state === 'changed' && isSameCertificate(certificate.status, previous)) {
    if (secretHoldsCurrent({ certificate, secret })) return secret.content?.leaf.publicKeyFingerprint;
  }
  const atCa = await certificateAtCa(issuer.account, previous, callOptions(work));
  return atCa?.publicKeyFingerprint;
}

/** Whether an open attempt of another resource may have bought a certificate. */
function mayBeOfAnother({ inputs, view }: Work, bought: CertificateRef, { names }: Certificate): boolean {
  const name = nameHash(names.commonName);
  for (const other of attemptsOfOthers(view, inputs.certificate.metadata.uid ?? '', bought))
    if (other.nameHash === name && bought.certificateId > floorOf(other)) return true;
  return false;
}

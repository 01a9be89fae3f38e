import { createPrivateKey, X509Certificate } from 'node:crypto';
import { cacertAccounts, cacertCertificates } from '../../../src/api/kinds.ts';
import {
  ATTEMPT_PERIOD_MS,
  MAX_ATTEMPTS_PER_PERIOD,
  UNCERTAIN_WAIT_MS,
} from '../../../src/cacert-certificates/backoffs.ts';
import { cacertKind } from '../../../src/issuance/cacert/kind.ts';
import { isOwnSecret } from '../../../src/issuance/secret/metadata.ts';
import type { Condition, Secret } from '../../../src/kube/objects.ts';
import type { World } from '../world.ts';
import type { CAcertCall } from './ca.ts';
import type { CAcertWorld } from './world.ts';

/** Whether what a condition says is so; a sentence that says what is wrong, or undefined. */
type Truth = (world: World, cacert: CAcertWorld) => string | undefined;

/** What has to be so for each reason. A reason without a row may not be shown when all is quiet. */
const truths: Readonly<Record<string, Truth>> = {
  'Ready=True Ready': served,
  'Ready=False AccountNotFound': accountAbsent,
  'Issuing=False AccountNotFound': accountAbsent,
  'Ready=False AccountNotReady': accountNotReady,
  'Issuing=False AccountNotReady': accountNotReady,
  'Ready=False SecretNotOwned': secretForeign,
  'Issuing=False SecretNotOwned': secretForeign,
  'Ready=False TooManyAttempts': askedOften,
  'Issuing=False TooManyAttempts': askedOften,
  'Ready=False IncorrectCertificate': repliedWrongly,
  'Issuing=False IncorrectCertificate': repliedWrongly,
  'Ready=False InvalidKeyPair': repliedWrongly,
  'Issuing=False InvalidKeyPair': repliedWrongly,
};

/** Every condition of the CAcert certificate and its account that is not true, in a sentence each. */
export function cacertUntruths(world: World): string[] {
  const { cacert } = world;
  if (!cacert) return [];
  const { certificate } = cacert;
  const conditions = certificate?.status?.conditions ?? [];
  if (certificate && conditions.length === 0) return ['mail has no conditions'];
  return [...conditions.flatMap((each) => contradiction(world, cacert, each)), ...accountUntruths(cacert)];
}

function contradiction(world: World, cacert: CAcertWorld, condition: Condition): string[] {
  const { type, status, reason, message, observedGeneration } = condition;
  const said = `${type}=${status} ${reason}`;
  if (observedGeneration !== cacert.certificate?.metadata.generation)
    return [`mail says ${said} of an earlier generation`];
  const truth = truths[said];
  if (!truth) return [`mail says ${said}, which is no state to stay in: ${message}`];
  const why = truth(world, cacert);
  return why === undefined ? [] : [`mail says ${said}, but ${why}`];
}

function accountUntruths({ account, isLoginRight }: CAcertWorld): string[] {
  if (!account) return [];
  const ready = account.status?.conditions?.find(({ type }) => type === 'Ready');
  if ((ready?.status === 'True') === isLoginRight) return [];
  return [`account jane says ${ready?.reason}, and its login is ${isLoginRight ? 'right' : 'wrong'}`];
}

function served({ clock }: World, cacert: CAcertWorld): string | undefined {
  const { secret, certificate, ca } = cacert;
  let leaf: X509Certificate;
  try {
    leaf = new X509Certificate(text(secret, 'tls.crt'));
    if (!leaf.checkPrivateKey(createPrivateKey(text(secret, 'tls.key')))) return 'the key is another';
  } catch {
    return 'the Secret cannot be read';
  }
  const serial = leaf.serialNumber.toLowerCase();
  const atCa = ca.certificates.find((one) => BigInt(`0x${one.serial}`) === BigInt(`0x${serial}`));
  if (!atCa) return 'CAcert did not sign it';
  if (atCa.notAfter * 1_000 <= clock.now()) return 'it has expired';
  if (atCa.emails.join() !== certificate?.spec.emailAddresses.join())
    return `it is for ${atCa.emails.join()}`;
  if (certificate.status?.unserved === undefined && cacert.pending.length > 0)
    return `the Secret ${cacert.pending[0]?.metadata.name} is kept for nothing`;
  return undefined;
}

function accountAbsent(_: World, { account }: CAcertWorld): string | undefined {
  return account ? 'there is such an account' : undefined;
}

function accountNotReady(_: World, { account }: CAcertWorld): string | undefined {
  if (!account) return 'there is no account';
  const isReady = account.status?.conditions?.some(
    ({ type, status }) => type === 'Ready' && status === 'True',
  );
  return isReady ? 'the account is ready' : undefined;
}

function secretForeign(_: World, { certificate, secret }: CAcertWorld): string | undefined {
  if (!secret || !certificate) return 'there is no such Secret';
  return isOwnSecret(cacertKind, certificate, secret) ? 'the Secret is its own' : undefined;
}

function askedOften({ clock }: World, { ca }: CAcertWorld): string | undefined {
  const since = clock.monotonic() - ATTEMPT_PERIOD_MS;
  const asked = ca.calls.filter(({ isRequest, at }) => isRequest && at > since).length;
  return asked < MAX_ATTEMPTS_PER_PERIOD ? `CAcert was asked ${asked} times` : undefined;
}

function repliedWrongly(_: World, { ca }: CAcertWorld): string | undefined {
  const isWrong = ca.calls.some(({ isRequest, fate }) => isRequest && fate?.answer.is === 'replay');
  return isWrong ? undefined : 'CAcert has signed what was asked for';
}

/** What was asked of CAcert too often or too soon, or with a key that may have a certificate left behind. */
export function cacertLedger(world: World): string[] {
  const { cacert } = world;
  if (!cacert) return [];
  return [...signedTooOften(world, cacert), ...askedTooSoon(world, cacert)];
}

/**
 * One certificate for each that the spec asked for, for each renewal, for each that the Secret has lost, since CAcert delivers one
 * once, and for each answer that was lost (docs/guarantees.md, 10).
 */
function signedTooOften({ downtimes }: World, { ca, deeds }: CAcertWorld): string[] {
  const signed = ca.certificates;
  const wanted = deeds.filter(({ is }) => is !== 'other').length;
  const renewed = signed.filter((one, i) => {
    const before = signed[i - 1];
    return before && one.notBefore - before.notBefore + 1 >= (before.notAfter - before.notBefore) / 3;
  }).length;
  const unheard = ca.calls.filter(({ isRequest, fate }) => isRequest && fate && fate.acts !== 'never').length;
  const allowed = wanted + renewed + unheard + downtimes.length;
  return signed.length <= allowed
    ? []
    : [`CAcert signed ${signed.length} certificates, and ${allowed} are allowed`];
}

/** After a lost answer CAcert is asked with the same key, and not before a while, unless a user did something or the process ended. */
function askedTooSoon({ cluster, downtimes }: World, { ca, deeds }: CAcertWorld): string[] {
  /** When the operator hears of it. */
  const heardAt = (at: number): number =>
    Math.max(at, ...cluster.silences.filter(({ from, to }) => from <= at && at < to).map(({ to }) => to));
  const requests = ca.calls.filter(({ isRequest }) => isRequest);
  return requests.flatMap((next, i) => {
    const before = requests[i - 1];
    if (!before || !isUnheard(before)) return [];
    const isBetween = (at: number): boolean => before.at - 1_000 <= at && at <= next.at;
    if (deeds.some(({ at }) => isBetween(heardAt(at))) || downtimes.some(({ from }) => isBetween(from)))
      return [];
    if (next.key !== before.key)
      return [`CAcert was asked for another key at ${next.at}, after a lost answer`];
    return next.at - before.at < UNCERTAIN_WAIT_MS
      ? [`CAcert was asked again at ${next.at}, ${next.at - before.at} ms after a lost answer`]
      : [];
  });
}

/** Whether nobody heard what a request led to. */
function isUnheard({ isRequest, fate }: CAcertCall): boolean {
  return isRequest && fate !== undefined && ['cut', 'silence', 'half'].includes(fate.answer.is);
}

/** What is left although it was deleted. */
export function cacertLeft({ cluster, cacert }: World): string[] {
  return [
    ...[...cluster.all(cacertCertificates), ...cluster.all(cacertAccounts)].map(
      ({ metadata }) => `${metadata.name} stays`,
    ),
    ...(cacert?.pending ?? []).map(({ metadata }) => `the Secret ${metadata.name} stays`),
  ];
}

function text(secret: Secret | undefined, key: string): string {
  return Buffer.from(secret?.data?.[key] ?? '', 'base64').toString();
}

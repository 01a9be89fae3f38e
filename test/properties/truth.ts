import { X509Certificate, createPrivateKey } from 'node:crypto';
import { certificates, type TinyCertCertificate, type TinyCertIssuer } from '../../src/api/kinds.ts';
import { isOwnSecret } from '../../src/issuance/secret/metadata.ts';
import { tinycertKind } from '../../src/issuance/tinycert/kind.ts';
import { claimsOf } from '../../src/issuance/tinycert/claims.ts';
import { accountDigest, certificateKey } from '../../src/api/tinycert/identity.ts';
import { type Condition, type Secret, secrets } from '../../src/kube/objects.ts';
import type { MemoryCa } from './ca.ts';
import { UNCLAIMED_WAIT_MS } from './operator.ts';
import { isOverdue } from './renewals.ts';
import { ISSUERS, type IssuerName, REAL_ISSUERS, type World } from './world.ts';

const SECOND = 1_000;
/** How far the clocks of the API server and a CA may seem apart, in milliseconds. */
const CLOCKS_MS = 5 * 60_000;

/** Whether what a condition says is so; a sentence that says what is wrong, or undefined. */
type Truth = (facts: Facts) => string | undefined;

interface Facts {
  world: World;
  certificate: TinyCertCertificate;
  issuer: TinyCertIssuer | undefined;
  condition: Condition;
  secret: Secret | undefined;
}

/** What has to be so for each reason of a certificate. A reason without a row may not be shown when all is quiet. */
const truths: Readonly<Record<string, Truth>> = {
  'Ready=True Ready': served,
  'Ready=False IssuerNotFound': issuerAbsent,
  'Issuing=False IssuerNotFound': issuerAbsent,
  'Issuing=False IssuerDeleted': ({ issuer }) =>
    issuer && issuer.metadata.deletionTimestamp === undefined ? 'the issuer exists' : undefined,
  'Ready=False IssuerNotReady': issuerNotReady,
  'Issuing=False IssuerNotReady': issuerNotReady,
  'Ready=False SecretNotOwned': secretForeign,
  'Issuing=False SecretNotOwned': secretForeign,
  'Ready=False Revoked': putBackRevoked,
  'Issuing=False Revoked': putBackRevoked,
  'Ready=False AnswersDoubted': repliedTwiceWrongly,
  'Issuing=False AnswersDoubted': repliedTwiceWrongly,
  'Ready=False UnclaimedCertificates': unclaimedAtCa,
  'Issuing=False UnclaimedCertificates': unclaimedAtCa,
  'RevocationPending=True IssuerNotReady': issuerNotReady,
  'RevocationPending=True ApiKeyMismatch': someLoginWrong,
  'FormerAccountPending=True ApiKeyMismatch': someLoginWrong,
  'FormerAccountPending=True FormerAccountUnavailable': someAccountOutOfReach,
};

/** Every condition of a certificate or issuer that is not true, in a sentence each. */
export function untruths(world: World, certificates: readonly TinyCertCertificate[]): string[] {
  return [...certificates.flatMap((each) => untrueOf(world, each)), ...issuerUntruths(world)];
}

function untrueOf(world: World, certificate: TinyCertCertificate): string[] {
  const { metadata, spec, status } = certificate;
  const issuer = world.issuer(spec.issuerRef.name as IssuerName);
  const ref = { namespace: metadata.namespace as string, name: spec.secretName };
  const secret = world.cluster.get(secrets, ref);
  const conditions = status?.conditions ?? [];
  // What is deleted says only why it is still there.
  if (metadata.deletionTimestamp !== undefined) {
    const pending = conditions.filter(({ type }) => type.endsWith('Pending'));
    if (pending.length === 0)
      return [`${metadata.namespace}/${metadata.name} is deleted, stays, and does not say why`];
    return pending.flatMap((condition) => contradiction({ world, certificate, issuer, condition, secret }));
  }
  if (!conditions.some(({ type }) => type === 'Ready'))
    return [`${metadata.namespace}/${metadata.name} has no condition Ready`];
  // Also one that needs nothing says that its renewal would fail (docs/adr/0015-absence.md).
  if (!issuer && !conditions.some(({ type, status: is }) => type === 'Issuing' && is === 'False'))
    return [
      `${metadata.namespace}/${metadata.name} does not say that there is no issuer ${spec.issuerRef.name}`,
    ];
  return conditions.flatMap((condition) => contradiction({ world, certificate, issuer, condition, secret }));
}

function contradiction(facts: Facts): string[] {
  const { condition, certificate } = facts;
  const { metadata } = certificate;
  const said = `${metadata.namespace}/${metadata.name} says ${condition.type}=${condition.status} ${condition.reason}`;
  const truth = truths[said.slice(said.indexOf(' says ') + ' says '.length)];
  if (metadata.deletionTimestamp === undefined && condition.observedGeneration !== metadata.generation)
    return [`${said} of an earlier generation`];
  if (!truth) return [`${said}, which is no state to stay in: ${condition.message}`];
  const why = truth(facts);
  return why === undefined ? [] : [`${said}, but ${why}`];
}

/** Ready: the Secret holds that certificate with its key, and it is good at the issuer's CA, unexpired, and for this spec. */
function served({ world, certificate: { spec, status }, issuer, secret }: Facts): string | undefined {
  const pem = text(secret, 'tls.crt');
  if (pem === undefined) return 'there is no Secret with a certificate';
  let leaf: X509Certificate;
  try {
    leaf = new X509Certificate(pem);
    if (!leaf.checkPrivateKey(createPrivateKey(text(secret, 'tls.key') ?? ''))) return 'the key is another';
  } catch {
    return 'the Secret cannot be read';
  }
  const id = Number.parseInt(leaf.serialNumber, 16);
  const ca = world.cas.find(({ certificates }) =>
    certificates.some((one) => one.id === id && fingerprintAt(one.der) === leaf.fingerprint256),
  );
  if (!ca) return `the Secret holds ${id}, which no CA made`;
  const named = [status, ...(status?.formerAccounts ?? [])];
  if (!named.some((each) => each?.certificateId === id && each.account === digestOf(ca)))
    return `the Secret holds ${id} of ${ca.name}, which status does not name`;
  const atCa = ca.certificates.find((one) => one.id === id);
  if (!atCa || ca.statusOf(atCa) !== 'good') return `certificate ${id} is not good at ${ca.name}`;
  if (Date.parse(leaf.validTo) <= world.clock.now()) return 'it has expired';
  const names = (leaf.subjectAltName ?? '').split(', ').map((name) => name.replace(/^DNS:/, ''));
  if (names.toSorted().join(',') !== (spec.dnsNames ?? []).toSorted().join(','))
    return `it is for ${names.join(', ')}`;
  // An issuer that is not there, or not ready, tells nothing.
  if (!isReady(issuer)) return undefined;
  if (world.caOf(spec.issuerRef.name as IssuerName) !== ca)
    return `its issuer is at another CA than ${ca.name}`;
  if (spec.renewal === undefined && isOverdue(atCa, world.clock.now())) return 'its renewal is overdue';
  return undefined;
}

function issuerAbsent({ issuer }: Facts): string | undefined {
  return issuer ? 'there is such an issuer' : undefined;
}

function issuerNotReady({ issuer }: Facts): string | undefined {
  if (!issuer) return 'there is no issuer';
  return isReady(issuer) ? 'the issuer is ready' : undefined;
}

function secretForeign({ certificate, secret }: Facts): string | undefined {
  if (!secret) return 'there is no such Secret';
  return isOwnSecret(tinycertKind, certificate, secret) ? 'the Secret is its own' : undefined;
}

function someLoginWrong({ world }: Facts): string | undefined {
  return ISSUERS.every((name) => world.isLoginRight(name)) ? 'all credentials are right' : undefined;
}

/** Some account has no issuer that can use it in this namespace. */
function someAccountOutOfReach({ world, certificate: { metadata } }: Facts): string | undefined {
  const isReached = (ca: MemoryCa): boolean =>
    REAL_ISSUERS.some(
      (name) =>
        world.caOf(name) === ca &&
        (world.issuerPlace(name).ref.namespace ?? metadata.namespace) === metadata.namespace &&
        isReady(world.issuer(name)),
    );
  return world.cas.every(isReached) ? 'each account has an issuer that is ready' : undefined;
}

/**
 * Nobody revokes by hand here, so a status can name a revoked certificate only if its tenant put an earlier one back: that is harmless
 * or a condition (docs/adr/0013-journal.md, "Admitted").
 */
function putBackRevoked({ world, certificate: { metadata, status } }: Facts): string | undefined {
  const slot = `${metadata.namespace}/${metadata.name}`;
  if (!world.replays.some((replay) => replay.slot === slot)) return 'its status was never put back';
  const ca = world.cas.find((each) => digestOf(each) === status?.account);
  const named = ca?.certificates.find(({ id }) => id === status?.certificateId);
  if (!ca || !named) return 'status names no certificate';
  return ca.statusOf(named) === 'revoked' ? undefined : `certificate ${named.id} is not revoked`;
}

/** The CA has a good certificate for these names that no resource has, and the wait for its owner is not over. */
function unclaimedAtCa({ world, certificate: { spec, status, metadata } }: Facts): string | undefined {
  if (status?.certificateId !== undefined) return `it has certificate ${status.certificateId}`;
  const { since = '', certificates: noted = [] } = status?.unclaimedCertificates ?? {};
  if (Date.parse(since) + UNCLAIMED_WAIT_MS + SECOND < world.clock.now())
    return `it has waited since ${since}`;
  const claimed = new Set(
    world.cluster.all(certificates).flatMap((each) => claimsOf(each.status).map(certificateKey)),
  );
  const isSo = noted.some((each) => {
    const ca = world.cas.find((one) => digestOf(one) === each.account);
    const one = ca?.certificates.find(({ id }) => id === each.certificateId);
    return (
      ca &&
      one &&
      ca.statusOf(one) === 'good' &&
      one.subject.CN === spec.dnsNames?.[0] &&
      one.notBefore >= Date.parse(metadata.creationTimestamp ?? '') - CLOCKS_MS &&
      !claimed.has(certificateKey(each))
    );
  });
  return isSo ? undefined : 'no CA has one for its names that nobody has';
}

/** A person is asked for, after two answers that were another request's. */
function repliedTwiceWrongly({ world, certificate: { spec } }: Facts): string | undefined {
  const replays = world.cas
    .flatMap(({ calls }) => calls)
    .filter(
      ({ name, params, fate }) =>
        name === 'cert/new' && params['CN'] === spec.dnsNames?.[0] && fate?.answer.is === 'replay',
    );
  return replays.length < 2 ? 'the CA has not answered it so twice' : undefined;
}

function issuerUntruths(world: World): string[] {
  return ISSUERS.flatMap((name) => {
    const issuer = world.issuer(name);
    if (!issuer || issuer.metadata.deletionTimestamp !== undefined) return [];
    const ready = issuer.status?.conditions?.find(({ type }) => type === 'Ready');
    if (!ready) return [`issuer ${name} has no condition Ready`];
    const isRight = world.isLoginRight(name);
    if ((ready.status === 'True') === isRight) return [];
    return [
      `issuer ${name} says ${ready.status} ${ready.reason}, and its credentials are ${isRight ? 'right' : 'wrong'}`,
    ];
  });
}

function isReady(issuer: TinyCertIssuer | undefined): boolean {
  return (
    issuer?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
  );
}

function text(secret: Secret | undefined, key: string): string | undefined {
  const value = secret?.data?.[key];
  return value === undefined ? undefined : Buffer.from(value, 'base64').toString();
}

function fingerprintAt(der: Buffer | undefined): string {
  return der ? new X509Certificate(der).fingerprint256 : '';
}

/** The name of a CA's account in a status. */
export function digestOf({ endpoint, account }: MemoryCa): string {
  return accountDigest(endpoint, account.email);
}

/** What somebody who can write the Secret of a CAcert certificate cannot achieve. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CAcertCertificateStatus } from '../../src/api/cacert/certificate-status.ts';
import { secrets } from '../../src/kube/objects.ts';
import { readCertificate } from '../../src/x509/certificate.ts';
import { aCAcertWorld } from '../support/world/cacert-world.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { filesOf } from '../support/x509/openssl.ts';
import { forge, forgersKey, nameOf } from '../support/x509/forgery.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

const HOUR = 3_600_000;
const MANAGED = 'tinycert-operator.io/managed';
const EVIL = nameOf('Evil');
const evil = forgersKey();
const own = forgersKey();
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A world with a CAcert certificate `mail` that is served. */
async function issued() {
  const cacert = await aCAcertWorld(stage);
  const operator = await cacert.operator();
  await cacert.account();
  await cacert.certificate('mail');
  const { status = {} } = await cacert.ready('mail');
  await cacert.world.settled();
  const secret = await cacert.world.get(secrets, 'mail-tls');
  return { cacert, operator, status, secret, files: filesOf(secret) };
}

function lifetimeOf({ notBefore = '', notAfter = '' }: CAcertCertificateStatus) {
  return { notBefore: Date.parse(notBefore), notAfter: Date.parse(notAfter) };
}

/** A root of somebody's own. */
function evilRoot(status: CAcertCertificateStatus): string {
  return forge({ ...evil, subject: EVIL, issuer: EVIL, isCa: true, ...lifetimeOf(status) });
}

test('a certificate of somebody’s own with the serial number and the end of the present one is replaced', async () => {
  const { cacert, status } = await issued();
  const forged = forge({
    subject: nameOf('anybody'),
    issuer: EVIL,
    publicKey: own.publicKey,
    signer: evil.signer,
    serialNumber: Buffer.from(status.serialNumber ?? '', 'hex'),
    ...lifetimeOf(status),
  });
  const data = {
    'tls.crt': base64(forged),
    'tls.key': base64(own.pem),
    'ca.crt': base64(evilRoot(status)),
  };

  await cacert.world.patch(secrets, 'mail-tls', { metadata: { labels: { [MANAGED]: 'no' } }, data });
  await cacert.world.pass(HOUR);

  const after = await cacert.world.get(secrets, 'mail-tls');
  expect(after.data?.['tls.key']).not.toBe(data['tls.key']);
  expect(filesOf(after).ca).toBe(readCertificate(cacert.server.ca.rootPem).pem);
  expect(cacert.asked()).toBe(2);
  expect((await cacert.ready('mail')).status?.revision).toBe(2);
});

describe('another chain for the same certificate is replaced by that of the bundle, without asking CAcert:', () => {
  test.each<
    [string, (leaf: string, status: CAcertCertificateStatus, root: string) => Record<string, string>]
  >([
    [
      'a chain to a root of somebody’s own',
      (leaf, status, root) => ({ 'tls.crt': leaf + crossSigned(status, root), 'ca.crt': evilRoot(status) }),
    ],
    [
      'the same with a text before it',
      (leaf, status, root) => ({
        'tls.crt': `note\n${leaf}${crossSigned(status, root)}`,
        'ca.crt': evilRoot(status),
      }),
    ],
    [
      'a root that only looks like CAcert’s, and has expired',
      (_, status, root) => {
        const { rawSubject, rawPublicKey } = readCertificate(root);
        const { notBefore } = lifetimeOf(status);
        return {
          'ca.crt': forge({
            ...evil,
            subject: rawSubject,
            issuer: rawSubject,
            publicKey: rawPublicKey,
            isCa: true,
            notBefore: notBefore - 9e10,
            notAfter: notBefore - 8e10,
          }),
        };
      },
    ],
  ])('%s', async (_, change) => {
    const { cacert, operator, status, secret, files } = await issued();
    const since = cacert.world.tally(operator);
    const data = change(files.crt, status, cacert.server.ca.rootPem);

    const encoded = Object.fromEntries(Object.entries(data).map(([file, text]) => [file, base64(text)]));
    await cacert.world.patch(secrets, 'mail-tls', { data: encoded });
    await cacert.world.pass(HOUR);

    expect((await cacert.world.get(secrets, 'mail-tls')).data).toEqual(secret.data);
    expect(since().writes).toEqual({ 'PATCH secrets': 1, 'PATCH cacertcertificates/status': 1 });
    expect(cacert.asked()).toBe(1);
  });
});

/** CAcert's root key, certified by somebody's own root. */
function crossSigned(status: CAcertCertificateStatus, root: string): string {
  const { rawSubject, rawPublicKey } = readCertificate(root);
  return forge({
    subject: rawSubject,
    issuer: EVIL,
    publicKey: rawPublicKey,
    signer: evil.signer,
    isCa: true,
    ...lifetimeOf(status),
  });
}

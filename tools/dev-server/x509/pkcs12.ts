/** Writes PKCS#12 archives (RFC 7292): AES-256-CBC under PBES2, and a SHA-256 MAC. */
import { createCipheriv, createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import * as der from './der.ts';

const derive = promisify(pbkdf2);

const ITERATIONS = 2048;
const SHA256_BLOCK = 64;

const OID = {
  data: der.oid('1.2.840.113549.1.7.1'),
  encryptedData: der.oid('1.2.840.113549.1.7.6'),
  pbes2: der.oid('1.2.840.113549.1.5.13'),
  pbkdf2: der.oid('1.2.840.113549.1.5.12'),
  hmacWithSha256: der.oid('1.2.840.113549.2.9'),
  aes256cbc: der.oid('2.16.840.1.101.3.4.1.42'),
  sha256: der.oid('2.16.840.1.101.3.4.2.1'),
  shroudedKeyBag: der.oid('1.2.840.113549.1.12.10.1.2'),
  certificateBag: der.oid('1.2.840.113549.1.12.10.1.3'),
  x509Certificate: der.oid('1.2.840.113549.1.9.22.1'),
  friendlyName: der.oid('1.2.840.113549.1.9.20'),
  localKeyId: der.oid('1.2.840.113549.1.9.21'),
};

export interface ArchiveContents {
  /** DER, leaf first. */
  certificates: Buffer[];
  /** DER PKCS#8. */
  privateKey: Buffer;
  friendlyName: string;
}

/** The archive: key and certificates under one passphrase. */
export async function pkcs12(contents: ArchiveContents, passphrase: string): Promise<Buffer> {
  const [leaf = Buffer.alloc(0)] = contents.certificates;
  const attributes = der.set(
    der.sequence(OID.friendlyName, der.set(der.bmpString(contents.friendlyName))),
    der.sequence(OID.localKeyId, der.set(der.octetString(createHash('sha1').update(leaf).digest()))),
  );
  const certificateBags = contents.certificates.map((certificate, index) => {
    const wrapped = der.sequence(OID.x509Certificate, der.context(0, der.octetString(certificate)));
    return der.sequence(OID.certificateBag, der.context(0, wrapped), ...(index === 0 ? [attributes] : []));
  });
  const key = await encrypt(contents.privateKey, passphrase);
  const shrouded = der.sequence(key.algorithm, der.octetString(key.ciphertext));
  const keyBag = der.sequence(OID.shroudedKeyBag, der.context(0, shrouded), attributes);
  const safe = der.sequence(
    await encryptedInfo(der.sequence(...certificateBags), passphrase),
    der.sequence(OID.data, der.context(0, der.octetString(der.sequence(keyBag)))),
  );
  const authSafe = der.sequence(OID.data, der.context(0, der.octetString(safe)));
  return der.sequence(der.integer(3), authSafe, mac(safe, passphrase));
}

async function encryptedInfo(plain: Buffer, passphrase: string): Promise<Buffer> {
  const { algorithm, ciphertext } = await encrypt(plain, passphrase);
  const content = der.sequence(OID.data, algorithm, der.contextPrimitive(0, ciphertext));
  return der.sequence(OID.encryptedData, der.context(0, der.sequence(der.integer(0), content)));
}

async function encrypt(
  plain: Buffer,
  passphrase: string,
): Promise<{ algorithm: Buffer; ciphertext: Buffer }> {
  const salt = randomBytes(16);
  const iv = randomBytes(16);
  const key = await derive(passphrase, salt, ITERATIONS, 32, 'sha256');
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const derivation = der.sequence(
    OID.pbkdf2,
    der.sequence(der.octetString(salt), der.integer(ITERATIONS), der.sequence(OID.hmacWithSha256, der.NULL)),
  );
  const scheme = der.sequence(OID.aes256cbc, der.octetString(iv));
  return {
    algorithm: der.sequence(OID.pbes2, der.sequence(derivation, scheme)),
    ciphertext: Buffer.concat([cipher.update(plain), cipher.final()]),
  };
}

function mac(safe: Buffer, passphrase: string): Buffer {
  const salt = randomBytes(16);
  const digest = createHmac('sha256', macKey(passphrase, salt)).update(safe).digest();
  const info = der.sequence(der.sequence(OID.sha256, der.NULL), der.octetString(digest));
  return der.sequence(info, der.octetString(salt), der.integer(ITERATIONS));
}

/** RFC 7292, appendix B.2, for one block of SHA-256 and purpose 3, the MAC. */
function macKey(passphrase: string, salt: Buffer): Buffer {
  const password = Buffer.concat([der.utf16be(passphrase), Buffer.alloc(2)]);
  const purpose = Buffer.alloc(SHA256_BLOCK, 3);
  let key: Buffer = Buffer.concat([purpose, filled(salt), filled(password)]);
  for (let i = 0; i < ITERATIONS; i += 1) key = createHash('sha256').update(key).digest();
  return key;
}

/** Repeated to whole blocks. */
function filled(bytes: Buffer): Buffer {
  return Buffer.alloc(Math.ceil(bytes.length / SHA256_BLOCK) * SHA256_BLOCK, bytes);
}

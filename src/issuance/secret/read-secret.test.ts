import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ref } from '../../../test/support/inputs/inputs.ts';
import { filesFor, tlsSecret } from '../../../test/support/inputs/secret-files.ts';
import { AUTHORITY, type Vector, Vectors } from '../../../test/support/x509/x509-vectors.ts';
import { readCertificate } from '../../x509/certificate.ts';
import { readPrivateKey } from '../../x509/private-key.ts';
import { renderOutputs } from './outputs.ts';
import { readSecret } from './read-secret.ts';

const vectors = new Vectors();
const kind = { claimedBy: () => ref(7) };

let root: Vector;
let middle: Vector;
let leaf: Vector;
let other: Vector;

beforeAll(() => {
  root = vectors.make({ subject: '/CN=Example CA', extensions: AUTHORITY });
  middle = vectors.make({ subject: '/CN=Middle', issuer: root, extensions: AUTHORITY });
  leaf = vectors.make({ subject: '/CN=www.example.com', issuer: middle });
  other = vectors.make({ subject: '/CN=Other CA', extensions: AUTHORITY });
});
afterAll(() => vectors.remove());

function without(files: Record<string, string>, name: string) {
  return Object.fromEntries(Object.entries(files).filter(([each]) => each !== name));
}

function read(change: (files: Record<string, string>) => Record<string, string>) {
  return readSecret(kind, tlsSecret(change(filesFor(leaf, root, [middle]))));
}

test('the content of a Secret is its certificate, chain and key', () => {
  const content = read((files) => files);
  expect(content).toMatchObject({ claimed: ref(7) });
  expect(content?.leaf.pem).toBe(readCertificate(leaf.cert).pem);
  expect(content?.intermediates.map(({ pem }) => pem)).toEqual([readCertificate(middle.cert).pem]);
  expect(content?.root.pem).toBe(readCertificate(root.cert).pem);
  expect(content?.key.toPkcs8()).toBe(readPrivateKey(leaf.key).toPkcs8());
});

describe('a Secret is usable, and its content the same,', () => {
  test.each<[string, (files: Record<string, string>) => Record<string, string>]>([
    ['with text before a certificate', (files) => ({ ...files, 'tls.crt': `note\n${files['tls.crt']}` })],
    [
      'with the root in the chain',
      (files) => ({ ...files, 'tls.crt': `${files['tls.crt']}${files['ca.crt']}` }),
    ],
    ['with text after the key', (files) => ({ ...files, 'tls.key': `${files['tls.key']}note\n` })],
    ['with two authorities', (files) => ({ ...files, 'ca.crt': `${files['ca.crt']}${other.cert}` })],
    [
      'with a certificate that the chain does not need',
      (files) => ({ ...files, 'tls.crt': `${files['tls.crt']}${other.cert}` }),
    ],
  ])('%s', (_, change) => {
    expect(renderOutputs(read(change)!, {} as never)).toEqual(
      renderOutputs(
        read((files) => files)!,
        {} as never,
      ),
    );
  });
});

describe('a Secret has no usable content', () => {
  test.each<[string, (files: Record<string, string>) => Record<string, string>]>([
    ['without any files', () => ({})],
    ['without a chain', (files) => without(files, 'tls.crt')],
    ['without a key', (files) => without(files, 'tls.key')],
    ['without an authority', (files) => without(files, 'ca.crt')],
    ['with the key of another certificate', (files) => ({ ...files, 'tls.key': other.key })],
    ['with another authority', (files) => ({ ...files, 'ca.crt': other.cert })],
    ['with a missing intermediate', (files) => ({ ...files, 'tls.crt': leaf.cert })],
    [
      'with a truncated certificate',
      (files) => ({ ...files, 'tls.crt': (files['tls.crt'] ?? '').slice(0, 200) }),
    ],
    ['with binary data', (files) => ({ ...files, 'tls.crt': '\u0000\u00ff' })],
  ])('%s', (_, change) => {
    expect(read(change)).toBeUndefined();
  });

  test('without data', () => {
    const { data: _, ...secret } = tlsSecret({});
    expect(readSecret(kind, secret)).toBeUndefined();
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { certificate } from '../../../test/support/inputs/inputs.ts';
import { filesFor, tlsSecret } from '../../../test/support/inputs/secret-files.ts';
import { AUTHORITY, type Vector, Vectors } from '../../../test/support/x509/x509-vectors.ts';
import { hasOutputs, renderOutputs } from './outputs.ts';
import { type SecretContent, readSecret } from './read-secret.ts';

const vectors = new Vectors();
const { spec } = certificate({});

let root: Vector;
let middle: Vector;
let leaf: Vector;
let other: Vector;
let files: Record<string, string>;
let source: SecretContent;

beforeAll(() => {
  root = vectors.make({ subject: '/CN=Example CA', extensions: AUTHORITY });
  middle = vectors.make({ subject: '/CN=Middle', issuer: root, extensions: AUTHORITY });
  leaf = vectors.make({ subject: '/CN=www.example.com', issuer: middle });
  other = vectors.make({ subject: '/CN=Other CA', extensions: AUTHORITY });
  files = filesFor(leaf, root, [middle]);
  source = readSecret({ claimedBy: () => undefined }, tlsSecret(files))!;
});
afterAll(() => vectors.remove());

test('the files are the chain without its root, the key and the root', () => {
  expect(renderOutputs(source, spec)).toMatchObject(tlsSecret(files).data ?? {});
});

test('a Secret has its outputs if its files are those, whatever others it has', () => {
  expect(hasOutputs(tlsSecret(files), source, spec)).toBe(true);
  expect(hasOutputs(tlsSecret({ ...files, 'theirs.txt': 'x' }), source, spec)).toBe(true);
});

describe('a Secret does not have its outputs', () => {
  test.each<[string, () => Record<string, string>]>([
    ['with text before a certificate', () => ({ 'tls.crt': `note\n${files['tls.crt']}` })],
    ['with the root in the chain', () => ({ 'tls.crt': `${files['tls.crt']}${files['ca.crt']}` })],
    ['with a certificate too many', () => ({ 'tls.crt': `${files['tls.crt']}${other.cert}` })],
    ['with text after the key', () => ({ 'tls.key': `${files['tls.key']}note\n` })],
    ['with two authorities', () => ({ 'ca.crt': `${files['ca.crt']}${other.cert}` })],
    ['with an empty file', () => ({ 'ca.crt': '' })],
    ['with bytes that are no text', () => ({ 'tls.crt': '\u0000\u00ff' })],
  ])('%s', (_, change) => {
    expect(hasOutputs(tlsSecret({ ...files, ...change() }), source, spec)).toBe(false);
  });

  test('without a file', () => {
    const { 'ca.crt': _, ...rest } = files;
    expect(hasOutputs(tlsSecret(rest), source, spec)).toBe(false);
    expect(hasOutputs({}, source, spec)).toBe(false);
  });
});

import { expect, test } from 'vitest';
import { certificate } from '../../../test/support/inputs/inputs.ts';
import { certificates } from '../../api/kinds.ts';
import { MANAGED_LABEL } from '../../api/names.ts';
import type { Secret } from '../../kube/objects.ts';
import { SecretAltered, TLS_SECRET, assertFilesKept, storedAs } from './kept.ts';

const wanted = { labels: { [MANAGED_LABEL]: 'true' }, annotations: { note: 'a', 'other-note': 'b' } };
const owned = certificate({ spec: { secretDeletionPolicy: 'Delete' } });
const owner = {
  apiVersion: 'tinycert-operator.io/v1alpha1',
  kind: 'TinyCertCertificate',
  name: 'web',
  uid: 'uid',
};

function answer(change: Partial<Secret['metadata']> = {}, type: string = TLS_SECRET): Secret {
  const metadata = { name: 'web-tls', ...wanted, ownerReferences: [owner], ...change };
  return { metadata, type, data: { 'tls.crt': 'eA==', others: 'eg==' } };
}

test('an answer that has all that was written needs no word, whatever others have added', () => {
  const labels = { ...wanted.labels, team: 'x' };
  expect(storedAs({ type: certificates }, owned, answer({ labels }), wanted)).not.toHaveProperty('altered');
});

test.each<[string, Secret, string]>([
  ['a label with another value', answer({ labels: { [MANAGED_LABEL]: 'other' } }), `label ${MANAGED_LABEL}`],
  ['no labels', answer({ labels: {} }), `label ${MANAGED_LABEL}`],
  ['one annotation less', answer({ annotations: { note: 'a' } }), 'annotation other-note'],
  ['no owner', answer({ ownerReferences: [] }), 'its owner references'],
  ['another type', answer({}, 'Opaque'), 'type Opaque'],
  [
    'several of these',
    answer({ labels: {}, ownerReferences: [] }, 'Opaque'),
    `label ${MANAGED_LABEL}, its owner references, type Opaque`,
  ],
])('an answer with %s is named', (_, given, parts) => {
  const { metadata, altered } = storedAs({ type: certificates }, owned, given, wanted);
  expect(metadata).toBe(given.metadata);
  expect(altered).toMatchObject({ reason: 'SecretAltered' });
  expect(altered?.message).toContain(`web-tls is not stored as the operator writes it: ${parts}. `);
});

test.each<[string, Record<string, string | null>, string]>([
  ['is another', { 'tls.crt': 'eQ==' }, 'tls.crt'],
  ['is missing', { 'tls.crt': 'eA==', 'ca.crt': 'eA==' }, 'ca.crt'],
  ['should have gone', { others: null }, 'others'],
])('a file of an answer that %s is no answer to the write', (_, data, file) => {
  expect(() => assertFilesKept(answer(), data)).toThrow(new SecretAltered('web-tls', [file]));
});

test('the files that were written are an answer', () => {
  expect(() => assertFilesKept(answer(), { 'tls.crt': 'eA==', 'ca.crt': null })).not.toThrow();
});

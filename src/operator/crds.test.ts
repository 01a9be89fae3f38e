import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { FIELDS } from '../api/fields-of.ts';
import { missingFields } from './crds.ts';

interface Node {
  properties: Record<string, Node>;
  'x-kubernetes-group-version-kind'?: { kind: string }[];
}

/** The document that an API server derives from the released CRDs. */
function released(): { components: { schemas: Record<string, Node> } } {
  const schemas = ['tinycertcertificates', 'tinycertissuers', 'tinycertclusterissuers'].map((plural) => {
    const crd = parse(readFileSync(`crds/${plural}.tinycert-operator.io.yaml`, 'utf8')) as {
      spec: { names: { kind: string }; versions: { schema: { openAPIV3Schema: Node } }[] };
    };
    const schema = crd.spec.versions[0]?.schema.openAPIV3Schema as Node;
    const node: Node = { ...schema, 'x-kubernetes-group-version-kind': [{ kind: crd.spec.names.kind }] };
    return [plural, node] as const;
  });
  return { components: { schemas: Object.fromEntries(schemas) } };
}

test('the released CRDs have every field', () => {
  expect(missingFields(released())).toEqual([]);
  expect(FIELDS['TinyCertCertificate']).toContain('status.pendingRevocations.notBefore');
  expect(FIELDS['TinyCertIssuer']).toContain('status.orphans.certificateId');
});

test('a missing field is named, at any depth', () => {
  const document = released();
  const status = document.components.schemas['tinycertcertificates']?.properties['status'];
  delete status?.properties['specHash'];
  delete status?.properties['refusedFetches']?.properties['confirmed'];

  expect(missingFields(document)).toEqual([
    'TinyCertCertificate.status.specHash',
    'TinyCertCertificate.status.refusedFetches.confirmed',
  ]);
});

test('a kind that is not installed lacks no field', () => {
  expect(missingFields({})).toEqual([]);
});

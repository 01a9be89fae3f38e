import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { FIELDS } from '../api/fields-of.ts';
import type { Transport } from '../kube/transport/transport.ts';
import { settle, VirtualClock } from '../../test/support/virtual-clock.ts';
import { silentLog } from '../lib/log.ts';
import { CRDS_AGAIN_MS } from '../issuance/status/outdated-crds.ts';
import { InstalledCrds, missingFields } from './crds.ts';

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

test('a check of outdated CRDs that is under way when the operator stops is the last one, so the process can end', async () => {
  const clock = new VirtualClock();
  const stop = new AbortController();
  let requests = 0;
  const request = (): Promise<never> => {
    requests += 1;
    return new Promise((_, reject) => {
      if (stop.signal.aborted) reject(new Error('aborted'));
      stop.signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
    });
  };
  const crds = new InstalledCrds({
    transport: { request } as unknown as Transport,
    clock,
    log: silentLog,
    signal: stop.signal,
    onRenewed: () => {},
  });
  crds.doubt();
  await clock.advance(CRDS_AGAIN_MS);
  expect(requests).toBe(1);

  stop.abort();
  await settle();

  expect(clock.pending).toBe(0);
  await clock.advance(CRDS_AGAIN_MS);
  expect(requests).toBe(1);
});

test('CRDs found outdated after the operator has stopped are not checked again', () => {
  const clock = new VirtualClock();
  const crds = new InstalledCrds({
    transport: {} as Transport,
    clock,
    log: silentLog,
    signal: AbortSignal.abort(),
    onRenewed: () => {},
  });

  crds.doubt();

  expect(clock.pending).toBe(0);
});

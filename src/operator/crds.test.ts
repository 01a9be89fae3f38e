import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { FIELDS } from '../api/fields-of.ts';
import { cacertAccounts, certificates } from '../api/kinds.ts';
import { ApiError } from '../kube/errors.ts';
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

/** A check of a document that a test can change; undefined stands for none. */
function checking(document: object | undefined) {
  const served = { document };
  const lines: unknown[][] = [];
  const clock = new VirtualClock();
  const request = async (): Promise<object> => {
    if (served.document) return served.document;
    throw new ApiError({ status: 404, reason: 'NotFound', message: '', verb: 'GET', resource: 'openapi' });
  };
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const crds = new InstalledCrds({
    transport: { request } as unknown as Transport,
    clock,
    log: { ...silentLog, error: (...line: unknown[]) => void lines.push(line) },
    signal: stop.signal,
    onRenewed: () => {},
  });
  return { crds, served, lines, clock };
}

const old = (plural: string): string =>
  `The CRD ${plural}.tinycert-operator.io is older than the operator: run kubectl apply -f crds/${plural}.tinycert-operator.io.yaml of this release. Nothing is issued until then.`;

test('each CRD that lacks fields is named in one sentence with the command, once', async () => {
  const document = released();
  delete document.components.schemas['tinycertcertificates']?.properties['status']?.properties['specHash'];
  delete document.components.schemas['tinycertissuers']?.properties['status']?.properties['orphans'];
  const { crds, lines } = checking(document);
  expect(crds.complaints()).toEqual([]);

  await crds.check();
  await crds.check(0);

  const sentences = [old('tinycertcertificates'), old('tinycertissuers')];
  expect(lines.map(([, message]) => message)).toEqual(sentences);
  expect(lines[0]?.[0]).toEqual({ missing: ['TinyCertCertificate.status.specHash'] });
  expect(crds.complaints()).toEqual(sentences);
  expect(crds.fit).toBe(false);
});

test('a CRD that gets older while the operator runs is found by the next check', async () => {
  const { crds, served } = checking(released());
  await crds.check();
  expect(crds.fit).toBe(true);

  const document = released();
  delete document.components.schemas['tinycertcertificates']?.properties['status']?.properties['seal'];
  served.document = document;
  await crds.check(0);

  expect(crds.complaints()).toEqual([old('tinycertcertificates')]);
});

test('CRDs that only a write has shown to be old are named together', () => {
  const { crds, lines } = checking(released());
  crds.doubt();
  expect(lines).toEqual([[crds.complaints()[0]]]);
});

test('kinds that are not installed are known, also when they go and come later', async () => {
  const { crds, served } = checking(released());
  await crds.check();
  expect([certificates, cacertAccounts].map((type) => crds.isAbsent(type))).toEqual([false, true]);

  served.document = undefined;
  await crds.check(0);
  expect([certificates, cacertAccounts].map((type) => crds.isAbsent(type))).toEqual([true, true]);
  expect(crds.fit).toBe(true);

  served.document = released();
  await crds.check(0);
  expect(crds.isAbsent(certificates)).toBe(false);
});

test('a kind that is listed while a check is under way is there, also if the document is behind', async () => {
  const { crds } = checking(undefined);
  const checked = crds.check();
  crds.listed(certificates);
  await checked;
  expect([certificates, cacertAccounts].map((type) => crds.isAbsent(type))).toEqual([false, true]);

  await crds.check(0);
  expect(crds.isAbsent(certificates)).toBe(true);
  crds.listed(certificates);
  expect(crds.isAbsent(certificates)).toBe(false);
});

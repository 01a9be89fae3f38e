/** The bare writes of an issuance: what the API server alone costs. Runs in a process of its own. */
import type { CaLoop } from './ca-loop.ts';
import {
  attemptPatch,
  certificateBody,
  certificateNames,
  commonNameOf,
  type Material,
  resourceVersionOf,
  resultPatch,
  secretBody,
  secretVersionOf,
} from './payloads.ts';
import type { RawHttp } from './raw-http.ts';

/** A certificate that exists and has no status. */
export interface Prepared {
  name: string;
  resourceVersion: string;
}

const JSON_TYPE = 'application/json';
const MERGE_PATCH = 'application/merge-patch+json';
const MANAGER = 'fieldManager=tinycert-operator';

function certificatesPath(namespace: string): string {
  return `/apis/tinycert-operator.io/v1alpha1/namespaces/${namespace}/tinycertcertificates`;
}

/** Creates certificates without status, `concurrency` at once. Not part of any measurement. */
export async function createCertificates(
  http: RawHttp,
  namespace: string,
  count: number,
  concurrency: number,
): Promise<Prepared[]> {
  const path = `${certificatesPath(namespace)}?${MANAGER}`;
  return forEach(certificateNames(count), concurrency, async (name) => {
    const body = JSON.stringify(certificateBody(namespace, name));
    return { name, resourceVersion: resourceVersionOf(await http.send('POST', path, JSON_TYPE, body)) };
  });
}

/** One issuance: attempt, CA or none, Secret, result. Without a CA every certificate gets the same files. */
export async function issueRaw(
  http: RawHttp,
  namespace: string,
  { name, resourceVersion }: Prepared,
  source: CaLoop | Material,
): Promise<void> {
  const status = `${certificatesPath(namespace)}/${name}/status?${MANAGER}&fieldValidation=Strict`;
  const attempted = await http.send('PATCH', status, MERGE_PATCH, attemptPatch(resourceVersion));
  const { certificateId, material } =
    'chain' in source
      ? { certificateId: 1000, material: source }
      : await source.buy(commonNameOf(namespace, name));
  const secret = await http.send(
    'POST',
    `/api/v1/namespaces/${namespace}/secrets?${MANAGER}`,
    JSON_TYPE,
    JSON.stringify(secretBody(namespace, name, certificateId, material)),
  );
  const result = resultPatch(resourceVersionOf(attempted), certificateId, secretVersionOf(secret));
  await http.send('PATCH', status, MERGE_PATCH, result);
}

/**
 * Calls `fn` for every item, at most `concurrency` at once, and returns the results in the items' order. Rejects with the first
 * failure.
 */
export async function forEach<T, R>(
  items: readonly T[],
  concurrency: number,
  fn: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const work = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await fn(item);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, work));
  return results;
}

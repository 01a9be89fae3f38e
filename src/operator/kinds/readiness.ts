import { type Check, NotReady } from '../../kube/serve.ts';
import type { InstalledCrds } from '../crds.ts';
import { notInstalled } from './crd-sentences.ts';
import { type AnyKind, type Informers, allKinds } from './informers.ts';

/** How old what is known of the CRDs may be when somebody asks, in milliseconds. */
export const CRDS_FRESH_MS = 60_000;
/** The same while one that is needed is missing, so that a fresh installation gets ready soon. */
export const CRDS_MISSING_FRESH_MS = 5_000;

type Crds = Pick<InstalledCrds, 'check' | 'isAbsent' | 'listed' | 'complaints'>;

/**
 * The checks of `/readyz`. The operator is ready while every kind is in sync or not installed, and while TinyCert's CRDs are installed
 * and know every field; they may also go later. CAcert's kinds may be left out on purpose.
 */
export function readiness(informers: Informers, crds: Crds): Readonly<Record<string, Check>> {
  const { certificates, issuers, clusterIssuers } = informers;
  const needed: AnyKind[] = [certificates, issuers, ...(clusterIssuers ? [clusterIssuers] : [])];
  for (const kind of needed)
    kind.subscribe(({ type }) => {
      if (type === 'listed') crds.listed(kind.type);
    });
  const missing = (): AnyKind[] => needed.filter((kind) => kind.isMissing || crds.isAbsent(kind.type));
  return {
    crds: () => {
      // The answer is for who asks next: an API server that is out of reach must not make the operator unready.
      void crds.check(missing().length > 0 ? CRDS_MISSING_FRESH_MS : CRDS_FRESH_MS);
      const sentences = [...missing().map(notInstalled), ...crds.complaints()];
      if (sentences.length > 0) throw new NotReady(sentences.join(' '));
    },
    caches: () => {
      if (allKinds(informers).some(({ state }) => state === 'unknown'))
        throw new NotReady('The caches are not in sync with the API server.');
    },
  };
}

import type { Logger } from '../../lib/log.ts';
import { crdOf, notInstalled } from './crd-sentences.ts';
import type { AnyKind } from './informers.ts';
import type { ListFault } from './watched-kind.ts';

type Kind = Pick<AnyKind, 'type' | 'dependents' | 'state' | 'subscribe'>;

/** The first failure is left to the retry, which follows within a second: CRDs and operator are often installed together. */
const FAILURES_TO_REPORT = 2;

/** Logs what keeps kinds from being listed: each cause once until a list succeeds, since a CRD can be missing for weeks. */
export function reportKinds(kinds: readonly Kind[], log: Logger): void {
  const reported = new Map<Kind, ListFault>();
  /** All kinds share one API server, so one line is enough. */
  let unreachable: string | undefined;
  for (const kind of kinds) {
    const crd = crdOf(kind.type);
    kind.subscribe((event) => {
      if (event.type === 'listed') {
        unreachable = undefined;
        if (reported.get(kind) === 'not installed' && kind.state === 'synced')
          log.info({ kind: kind.type.kind }, `The CRD ${crd} is installed now.`);
        if (kind.state === 'synced') reported.delete(kind);
        return;
      }
      const { fault, inARow, error } = event;
      if (inARow < FAILURES_TO_REPORT || reported.get(kind) === fault) return;
      if (fault === 'not installed') {
        reported.set(kind, fault);
        log.error({ kind: kind.type.kind, error }, notInstalled(kind));
        return;
      }
      // The reflector logs what happens to a kind once it is in sync.
      if (kind.state === 'synced') return;
      if (fault === 'forbidden') {
        reported.set(kind, fault);
        log.error(
          { kind: kind.type.kind, error },
          'The operator lacks a permission: apply deploy/rbac.yaml from this release.',
        );
      } else if (unreachable !== error.message) {
        unreachable = error.message;
        log.warn({ error }, 'Waiting for the API server');
      }
    });
  }
}

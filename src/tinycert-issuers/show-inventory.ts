import type { ReadyIssuer } from '../issuance/tinycert/issuer-directory.ts';
import { type Orphan, showInventory } from '../issuance/tinycert/inventory/orphans.ts';
import type { ReconcileContext } from '../kube/controller/controller.ts';
import { JournalRefused, TermOver } from '../journal/errors.ts';
import { ApiError } from '../kube/errors.ts';
import { TinyCertError } from '../tinycert/index.ts';
import { X509Error } from '../x509/errors.ts';
import type { Deps, Issuer } from './deps.ts';

type Shown = NonNullable<ReturnType<typeof showInventory>>;

/**
 * What an issuer's status should show of the last inventory; undefined if it shows that already. A failed inventory is
 * logged and left to the next check, since certificates can be issued without it.
 */
export async function inventoryToShow(
  deps: Deps,
  { status }: Issuer,
  found: ReadyIssuer,
  { signal, log }: ReconcileContext,
): Promise<Shown | undefined> {
  try {
    const counted = await deps.inventory.found(found, signal);
    return counted && showInventory(status, counted, deps.clock.now());
  } catch (error) {
    const mayPass = [TinyCertError, ApiError, X509Error, JournalRefused, TermOver];
    if (!mayPass.some((kind) => error instanceof kind) || signal.aborted) throw error;
    log.warn({ error }, 'The inventory of the authority could not be completed');
    return undefined;
  }
}

/** Emits an event for each orphan. Call it once status shows them. */
export function warnOfOrphans(deps: Pick<Deps, 'warn'>, issuer: Issuer, orphans: readonly Orphan[]): void {
  for (const { certificateId, commonName, serialNumber } of orphans) {
    const serial = serialNumber === undefined ? '' : `, serial number ${serialNumber}`;
    deps.warn(
      issuer,
      'OrphanedCertificate',
      `Certificate ${certificateId} (${commonName}${serial}) was bought by the operator and no TinyCertCertificate has it: revoke it at TinyCert unless somebody uses it.`,
      { isBounded: true },
    );
  }
}

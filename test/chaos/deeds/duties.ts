/** Deletions with several duties. */
import { setTimeout as pause } from 'node:timers/promises';
import { ISSUERS_OF } from '../issuers.ts';
import type { Wanted } from '../population.ts';
import { beside, type RunState, WHILE_MS } from '../run-state.ts';
import { caOf } from './pick.ts';
import { recreate, respec, switchIssuer } from './resources.ts';

/** Whether it asks for a hold or revocation both of what it replaces and of what it has when it is deleted. */
export function hasDuties({ more, forged }: Wanted): boolean {
  const { onDelete, onReplace } = (more['revocation'] ?? {}) as { onDelete?: string; onReplace?: string };
  return onDelete !== undefined && onReplace !== undefined && forged === 0;
}

/**
 * Gives a resource a certificate that is replaced, one at an account that it leaves, and a present one, each with a duty; and deletes it
 * while some of these duties may be pending, and the last certificate under way.
 */
export function heapDuties(state: RunState, wanted: Wanted): Promise<void> {
  beside(state, heap());
  return Promise.resolve();

  async function heap(): Promise<void> {
    const away = ISSUERS_OF.main.find((issuer) => caOf(state, { issuer }) !== caOf(state, wanted));
    const steps = [
      () => respec(state, wanted),
      () => (away ? switchIssuer(state, wanted, away) : Promise.resolve()),
      () => respec(state, wanted),
    ];
    for (const step of steps) {
      await pause(2 * WHILE_MS);
      if (wanted.gone) return;
      await step();
    }
    await recreate(state, wanted);
  }
}

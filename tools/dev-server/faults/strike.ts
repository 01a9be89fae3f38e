/** Faults of the connection, which are the same for both services. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Exchange, HUGE, send, sendHuge, sendSlowly, sendTruncated } from '../http/answer.ts';
import type { ConnectionEffect } from '../types.ts';

const KINDS = {
  hang: true,
  delay: true,
  hold: true,
  late: true,
  'reset-before': true,
  'reset-after': true,
  huge: true,
  truncated: true,
  trickle: true,
} satisfies Record<ConnectionEffect['kind'], true>;

/** Whether it is a fault of the connection. */
export function isConnectionEffect(effect: { kind: string }): effect is ConnectionEffect {
  return Object.hasOwn(KINDS, effect.kind);
}

/** Makes the fault strike. Rejects only if the server stops meanwhile. */
export async function strikeConnection(one: Exchange, effect: ConnectionEffect): Promise<void> {
  const { context, request, response, act } = one;
  const { stopping } = context;
  switch (effect.kind) {
    case 'hang':
      break;
    case 'delay':
      await sleep(effect.ms, undefined, { signal: stopping });
      await send(one, await act());
      break;
    case 'hold': {
      const acted = effect.when === 'after' ? await act() : undefined;
      await waitAtGate(one);
      await send(one, acted ?? (await act()));
      break;
    }
    case 'late': {
      if (effect.cut) request.socket.destroy();
      if (!response.closed) await once(response, 'close', { signal: stopping });
      await sleep(effect.ms, undefined, { signal: stopping });
      await act();
      break;
    }
    case 'reset-before':
      request.socket.destroy();
      break;
    case 'reset-after':
      await act();
      request.socket.destroy();
      break;
    case 'truncated': {
      const answer = await act();
      await sendTruncated(one, answer, effect.bytes);
      break;
    }
    case 'trickle': {
      const answer = await act();
      await sendSlowly(one, answer, effect.bytes ?? 1, effect.ms ?? 50);
      break;
    }
    case 'huge':
      if (effect.acts) await act();
      await sendHuge(one, effect.bytes ?? HUGE);
      break;
  }
}

async function waitAtGate({ context, entry }: Exchange): Promise<void> {
  const passing = context.gate.pass(context.stopping);
  context.journal.update(entry, { held: true });
  await passing;
  delete entry.held;
}

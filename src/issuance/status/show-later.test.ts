import { describe, expect, test } from 'vitest';
import { certificate, issued } from '../../../test/support/inputs/inputs.ts';
import { settle, VirtualClock } from '../../../test/support/virtual-clock.ts';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { WantedCondition } from './conditions.ts';
import { SHOW_AFTER_MS, showLater } from './show-later.ts';
import type { StatusWrite } from './writer.ts';

const { signal } = new AbortController();
const issuing: WantedCondition = {
  type: 'Issuing',
  status: 'True',
  reason: 'Issuing',
  message: 'on its way',
};

/** A certificate that is being obtained, and a writer of its status that answers when the test says so. */
function start() {
  const clock = new VirtualClock();
  const resource = certificate({ status: issued });
  const writes: StatusWrite<TinyCertCertificate>[] = [];
  const written = Promise.withResolvers<TinyCertCertificate>();
  const writeNews = (update: StatusWrite<TinyCertCertificate>): Promise<TinyCertCertificate> => {
    writes.push(update);
    return written.promise;
  };
  let wanted = [issuing];
  const end = showLater({ clock, statuses: { writeNews } }, resource, () => wanted, signal);
  return {
    clock,
    resource,
    writes,
    written,
    end,
    want: (conditions: WantedCondition[]) => (wanted = conditions),
  };
}

describe('that a certificate is being obtained', () => {
  test('is not shown if the CA answers within a moment, not even later', async () => {
    const { clock, resource, writes, end } = start();
    await clock.advance(SHOW_AFTER_MS - 1);
    expect(await end()).toBe(resource);
    await clock.advance(60_000);
    expect(writes).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  test('is shown once if the CA takes longer, with what is to be said then', async () => {
    const { clock, resource, writes, want } = start();
    const later: WantedCondition = { ...issuing, message: 'still on its way' };
    want([later]);
    await clock.advance(SHOW_AFTER_MS);
    expect(writes).toEqual([{ certificate: resource, conditions: [later], signal }]);
    await clock.advance(60_000);
    expect(writes).toHaveLength(1);
  });

  test('is waited for, since the next write is based on the version that shows it', async () => {
    const { clock, resource, written, end } = start();
    await clock.advance(SHOW_AFTER_MS);
    let ended: TinyCertCertificate | undefined;
    const ending = end().then((newest) => (ended = newest));
    await settle();
    expect(ended).toBeUndefined();
    const newest = { ...resource, metadata: { ...resource.metadata, resourceVersion: '2' } };
    written.resolve(newest);
    await ending;
    expect(ended).toBe(newest);
  });

  test('does no harm if it cannot be shown', async () => {
    const { clock, resource, written, end } = start();
    await clock.advance(SHOW_AFTER_MS);
    written.reject(new Error('conflict'));
    expect(await end()).toBe(resource);
  });
});

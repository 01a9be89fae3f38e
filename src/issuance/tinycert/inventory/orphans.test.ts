import { describe, expect, test } from 'vitest';
import { ref } from '../../../../test/support/inputs/inputs.ts';
import type { IssuerStatus } from '../../../api/tinycert/issuer-status.ts';
import { type Found, type Orphan, showInventory } from './orphans.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const counts = { good: 3, hold: 0, revoked: 1, expired: 0 };

function orphan(certificateId: number, observedTime = '2026-01-01T12:00:00Z'): Orphan {
  return { ...ref(certificateId), commonName: 'www.example.com', observedTime };
}

function found(change: Partial<Found> = {}): Found {
  return { counts, foreignCount: 2, orphans: [], ...change };
}

/** The status that shows these findings. */
function showing(change: Partial<Found> = {}, now = NOW): IssuerStatus {
  const shown = showInventory(undefined, found(change), now)?.change;
  return { ...shown, orphans: shown?.orphans ?? [] } as IssuerStatus;
}

describe('the inventory in the status of an issuer', () => {
  test('is written once, and not again while it stays the same', () => {
    const status = showing({ orphans: [orphan(5)] });
    expect(status).toEqual({
      certificates: { ...counts, observedTime: '2026-01-01T12:00:00Z' },
      foreignCount: 2,
      orphanCount: 1,
      orphans: [orphan(5)],
    });
    const later = found({ orphans: [orphan(5, '2026-01-02T12:00:00Z')] });
    expect(showInventory(status, later, NOW + 86_400_000)).toBeUndefined();
  });

  test.each<[string, Partial<Found>]>([
    ['the number of good ones', { counts: { ...counts, good: 4 } }],
    ['the number of foreign ones', { foreignCount: 3 }],
  ])('does not write %s before the interval has passed', (_, change) => {
    expect(showInventory(showing(), found(change), NOW + 600_000)).toBeUndefined();
    expect(showInventory(showing(), found(change), NOW + 900_000)?.change).toEqual({
      certificates: { ...counts, ...change.counts, observedTime: '2026-01-01T12:15:00Z' },
      foreignCount: change.foreignCount ?? 2,
    });
  });

  test('writes a new orphan at once, without the counts', () => {
    const shown = showInventory(
      showing({ orphans: [orphan(5)] }),
      found({ orphans: [orphan(5), orphan(7)] }),
      NOW,
    );
    expect(shown?.change).toEqual({ orphanCount: 2, orphans: [orphan(7), orphan(5)] });
    expect(shown?.news).toEqual([orphan(7)]);
  });

  test('drops an orphan that is one no longer', () => {
    const shown = showInventory(showing({ orphans: [orphan(5)] }), found(), NOW);
    expect(shown).toEqual({ change: { orphanCount: 0, orphans: null }, news: [] });
  });

  test('shows the newest hundred orphans, and counts all', () => {
    const orphans = Array.from({ length: 150 }, (_, i) => orphan(i + 1));
    const shown = showInventory(undefined, found({ orphans }), NOW);
    expect(shown?.change.orphanCount).toBe(150);
    expect(shown?.change.orphans?.map(({ certificateId }) => certificateId)).toEqual(
      Array.from({ length: 100 }, (_, i) => 150 - i),
    );
    expect(showInventory(showing({ orphans }), found({ orphans }), NOW)).toBeUndefined();
  });
});

import type { Journal } from './state.ts';
import type { Turn } from './turn.ts';

/** Entries and records that no journal holds any more are nobody's to know. */
export function forget(
  turn: Turn,
  old: Journal | undefined,
  now: Journal | undefined,
  isExcused = false,
): void {
  const { state } = turn;
  const idsOf = (journal: Journal | undefined): number[] => [
    ...(journal?.givenUp ?? []),
    ...(journal?.released ?? []),
    ...(journal?.undecided ?? []),
  ];
  const kept = new Set([...idsOf(now), ...(now?.entries ?? []).map(({ id }) => id)]);
  const open = (old?.entries ?? []).filter(({ id }) => !kept.has(id));
  const ids = idsOf(old).filter((id) => !kept.has(id));
  state.forgotten = [...new Set([...state.forgotten, ...ids, ...open.map(({ id }) => id)])];
  if (isExcused) state.excuses += open.length;
}

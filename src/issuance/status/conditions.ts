import type { Condition } from '../../kube/objects.ts';

/** A condition as a controller wants it; `withConditions` adds time and generation. */
export type WantedCondition = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

/**
 * Adds the `wanted` conditions to `present` and removes the `removed` types. The transition time changes only with the
 * status, as `metav1.Condition` requires.
 */
export function withConditions(
  present: readonly Condition[] | undefined,
  wanted: readonly WantedCondition[],
  options: { now: number; generation: number | undefined; removed?: readonly string[] },
): Condition[] {
  const { now, generation, removed = [] } = options;
  const kept = (present ?? []).filter(
    ({ type }) => !removed.includes(type) && !wanted.some((condition) => condition.type === type),
  );
  const made = wanted.map((condition): Condition => {
    const before = conditionOf(present, condition.type);
    const sameStatus = before?.status === condition.status;
    return {
      ...condition,
      message: condition.message.slice(0, 32_768),
      lastTransitionTime: sameStatus ? before.lastTransitionTime : rfc3339(now),
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    };
  });
  return [...kept, ...made].sort((a, b) => (a.type < b.type ? 1 : -1));
}

/** Whether two lists have the same conditions, in any order and with any transition times. */
export function sameConditions(
  a: readonly Condition[] | undefined,
  b: readonly Condition[] | undefined,
): boolean {
  const text = (list: readonly Condition[] | undefined): string =>
    (list ?? [])
      .map(({ type, status, reason, message, observedGeneration }) =>
        JSON.stringify([type, status, reason, message, observedGeneration]),
      )
      .sort()
      .join();
  return text(a) === text(b);
}

/** Whether a list says what is wanted of this generation, and nothing of the removed types: a write would change no word of it. */
export function says(
  present: readonly Condition[] | undefined,
  wanted: readonly WantedCondition[],
  { generation, removed }: { generation?: number | undefined; removed?: readonly string[] },
): boolean {
  const options = { now: 0, generation, ...(removed ? { removed } : {}) };
  return sameConditions(present, withConditions(present, wanted, options));
}

/** The condition of this type. */
export function conditionOf(list: readonly Condition[] | undefined, type: string): Condition | undefined {
  return list?.find((condition) => condition.type === type);
}

/** A time as Kubernetes writes it: RFC 3339 in whole seconds. */
export function rfc3339(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

import { collectionPath } from '../../src/kube/paths.ts';
import type { Wish, World } from './world.ts';

/** How long after an issuer has gone a request that was begun before may arrive, in milliseconds: after a login and two reads. */
const BEGUN_MS = 1_500;
/** The same if one of these has a slow answer. */
const BEGUN_SLOWLY_MS = 30_000;
const BEFORE_A_REQUEST: ReadonlySet<string> = new Set(['connect', 'ca/details', 'ca/get']);
/** How long the news of it may take beside that while the watches are silent, in milliseconds. */
const NEWS_MS = 100;

/**
 * Requests for certificates whose issuer had been gone for longer than any of its work lasts, in a sentence each. What a check finds
 * about an issuer that went meanwhile is dropped (docs/adr/0015-absence.md).
 */
export function issuedForGone(world: World): string[] {
  return world.cas.flatMap((ca) =>
    ca.calls.flatMap(({ name, params, at }) => {
      if (name !== 'cert/new') return [];
      const asking = world.wishes.filter((wish) => wish.commonName === params['CN'] && wish.ca === ca.name);
      const isSlow = ca.calls.some(
        (call) =>
          call.fate !== undefined &&
          BEFORE_A_REQUEST.has(call.name) &&
          call.at <= at &&
          at < call.at + BEGUN_SLOWLY_MS,
      );
      const begunMs = isSlow ? BEGUN_SLOWLY_MS : BEGUN_MS;
      if (asking.some((wish) => wasKnown(world, wish, at - begunMs))) return [];
      return [`${params['CN']} was requested at ${at} of ${ca.name}, whose issuer was gone`];
    }),
  );
}

/** Whether an operator may have taken the issuer of a wish for present at this moment, or somewhat later. */
function wasKnown(world: World, { issuer }: Wish, begun: number): boolean {
  const { type, ref } = world.issuerPlace(issuer);
  const collection = collectionPath(type);
  const key = `${ref.namespace ?? ''}/${ref.name}`;
  return world.cluster.lives.some((life) => {
    if (life.collection !== collection || life.key !== key || life.from > begun + BEGUN_SLOWLY_MS)
      return false;
    const heard = world.cluster.silences
      .filter(({ from, to }) => from - NEWS_MS <= life.to && life.to <= to)
      .map(({ to }) => to + NEWS_MS);
    return begun <= Math.max(life.to, ...heard);
  });
}

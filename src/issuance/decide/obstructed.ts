import type { Reason } from '../../lib/reason.ts';
import type { WantedCondition } from '../status/conditions.ts';
import type { Obstacle } from './inputs.ts';
import { earliest, failed } from './readiness.ts';

/** Say in status what is in the way, if it does not say so already. */
export interface ReportPlan {
  do: 'report';
  why: Reason;
  conditions: WantedCondition[];
  requeueAt?: number | undefined;
  isQueued?: true;
}

/** Do nothing until then. */
export interface NothingPlan {
  do: 'nothing';
  requeueAt?: number | undefined;
  isQueued?: true;
}

/** What is served meanwhile; `until`: when Ready stops being true by itself, if it is true now. */
interface Served {
  isServed: boolean;
  /** What Ready says of it. */
  ready?: WantedCondition;
  until: number | undefined;
}

/** Says what is in the way, and when to look again. */
export function reportOf(obstacle: Obstacle, { isServed, ready, until }: Served): ReportPlan {
  return {
    do: 'report',
    why: obstacle,
    conditions: failed(isServed, obstacle, ready),
    requeueAt: earliest(obstacle.until, until),
    ...(obstacle.isQueued ? { isQueued: true } : {}),
  };
}

/** The same, where that is worth a word. Whoever is called by the gate looks by itself when what is served ends. */
export function around(obstacle: Obstacle, served: Served): ReportPlan | NothingPlan {
  if (!obstacle.isMomentary) return reportOf(obstacle, served);
  return obstacle.isQueued ? { do: 'nothing', isQueued: true, requeueAt: served.until } : { do: 'nothing' };
}

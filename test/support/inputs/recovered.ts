import { attemptOwner } from '../../../src/issuance/tinycert/attempt.ts';
import { type Recovery, recover } from '../../../src/tinycert-certificates/recovery/recover.ts';
import { account } from './inputs.ts';
import type { TinyCertStage } from './tinycert-step.ts';

export type Given = Parameters<TinyCertStage['work']>[0];

/** What a recovery came to. */
export interface Recovered extends Pick<Recovery, 'verdict' | 'boughtNothing'> {
  /** What is on record then, in words. */
  records: readonly string[];
}

/** Recovers the open attempt of the resource of a stage, whose status and Secret are empty unless given. */
export async function recoveredAt(stage: TinyCertStage, given: Given = {}): Promise<Recovered> {
  const open = stage.present();
  const { verdict, records, boughtNothing } = await recover(
    stage.work({ status: {}, secret: { state: 'absent' }, attempt: open, ...given }),
    open,
  );
  await stage.view.record(attemptOwner('uid', account), records);
  return { verdict, records: stage.records, ...(boughtNothing === undefined ? {} : { boughtNothing }) };
}

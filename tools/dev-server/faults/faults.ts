import type { Fault, FaultEffect, FaultRule, FaultView } from '../types.ts';

interface Armed<F> {
  id: number;
  fault: F;
  /** Matching calls seen, including those that passed. */
  seen: number;
  struck: number;
}

/** Whether the call's answer can show the effect of the fault. */
type CanAffect<F> = (fault: F, call: string, params: ReadonlyMap<string, string>) => boolean;

/** The certificate parts in which a defect of the certificate shows. */
const CERTIFICATE_PARTS = ['cert', 'chain', 'pkcs12'];
const KEY_PARTS = ['key.dec', 'key.enc', 'pkcs12'];

/** The faults in force, in the order in which they were added. */
export class Faults<F extends FaultRule<string>> {
  #armed: Armed<F>[] = [];
  #lastId = 0;
  readonly #canAffect: CanAffect<F>;

  constructor(faults: readonly F[] = [], canAffect: CanAffect<F>) {
    this.#canAffect = canAffect;
    for (const fault of faults) this.add(fault);
  }

  add(fault: F): number {
    this.#lastId += 1;
    this.#armed.push({ id: this.#lastId, fault, seen: 0, struck: 0 });
    return this.#lastId;
  }

  clear(): void {
    this.#armed = [];
  }

  views(): FaultView<F>[] {
    return this.#armed.map((armed) => ({
      id: armed.id,
      fault: armed.fault,
      struck: armed.struck,
      done: isDone(armed),
    }));
  }

  /** The fault that strikes this call: the first that fits. A fault that must let calls pass first counts this one. */
  strike(call: string, params: ReadonlyMap<string, string>): F | undefined {
    for (const armed of this.#armed) {
      const { fault } = armed;
      if (isDone(armed) || !fits(fault, call, params) || !this.#canAffect(fault, call, params)) continue;
      armed.seen += 1;
      if (armed.seen <= (fault.after ?? 0)) continue;
      armed.struck += 1;
      return fault;
    }
    return undefined;
  }
}

function isDone({ fault, struck }: Armed<FaultRule<string>>): boolean {
  return fault.times !== 'forever' && struck >= (fault.times ?? 1);
}

function fits(fault: FaultRule<string>, call: string, params: ReadonlyMap<string, string>): boolean {
  if (fault.call !== '*' && fault.call !== call) return false;
  return Object.entries(fault.match ?? {}).every(([name, value]) => params.get(name) === value);
}

/** Whether the answer of a TinyCert call can show this effect. Only certificate defects depend on the call. */
export function canAffect(effect: Fault, call: string, params: ReadonlyMap<string, string>): boolean {
  if (!isDefect(effect)) return true;
  const what = params.get('what') ?? '';
  if (call === 'cert/get')
    return (effect.kind === 'wrong-key' ? KEY_PARTS : CERTIFICATE_PARTS).includes(what);
  return effect.kind !== 'wrong-key' && (call === 'cert/new' || call === 'cert/reissue');
}

/** Whether the effect is in the certificate or key, not in the answer. */
export function isDefect(effect: FaultEffect): boolean {
  return ['wrong-key', 'wrong-names', 'expired', 'future', 'foreign-chain'].includes(effect.kind);
}

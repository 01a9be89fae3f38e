import type { Fault, FaultEffect, FaultView } from './types.ts';

interface Armed {
  id: number;
  fault: Fault;
  /** Matching calls seen, those let pass included. */
  seen: number;
  struck: number;
}

/** The certificate parts in which a defect of the certificate shows. */
const CERTIFICATE_PARTS = ['cert', 'chain', 'pkcs12'];
const KEY_PARTS = ['key.dec', 'key.enc', 'pkcs12'];

/** The faults in force, in order of their adding. */
export class Faults {
  #armed: Armed[] = [];
  #lastId = 0;

  constructor(faults: readonly Fault[] = []) {
    for (const fault of faults) this.add(fault);
  }

  add(fault: Fault): number {
    this.#lastId += 1;
    this.#armed.push({ id: this.#lastId, fault, seen: 0, struck: 0 });
    return this.#lastId;
  }

  clear(): void {
    this.#armed = [];
  }

  views(): FaultView[] {
    return this.#armed.map((armed) => ({
      id: armed.id,
      fault: armed.fault,
      struck: armed.struck,
      done: isDone(armed),
    }));
  }

  /** The fault that strikes this call: the first that fits. One that must let calls pass counts this one. */
  strike(call: string, params: ReadonlyMap<string, string>): FaultEffect | undefined {
    for (const armed of this.#armed) {
      if (isDone(armed) || !fits(armed.fault, call, params)) continue;
      armed.seen += 1;
      if (armed.seen <= (armed.fault.after ?? 0)) continue;
      armed.struck += 1;
      return armed.fault;
    }
    return undefined;
  }
}

function isDone({ fault, struck }: Armed): boolean {
  return fault.times !== 'forever' && struck >= (fault.times ?? 1);
}

function fits(fault: Fault, call: string, params: ReadonlyMap<string, string>): boolean {
  if (fault.call !== '*' && fault.call !== call) return false;
  if (!canAffect(fault, call, params.get('what') ?? '')) return false;
  return Object.entries(fault.match ?? {}).every(([name, value]) => params.get(name) === value);
}

/** Whether the call's answer can show this effect; only the certificate defects are choosy. */
function canAffect(effect: FaultEffect, call: string, what: string): boolean {
  if (!isDefect(effect)) return true;
  if (call === 'cert/get')
    return (effect.kind === 'wrong-key' ? KEY_PARTS : CERTIFICATE_PARTS).includes(what);
  return effect.kind !== 'wrong-key' && (call === 'cert/new' || call === 'cert/reissue');
}

/** Whether the effect is in the certificate or key and not in the answering. */
export function isDefect(effect: FaultEffect): boolean {
  return ['wrong-key', 'wrong-names', 'expired', 'future', 'foreign-chain'].includes(effect.kind);
}

import type { CertificateRef } from '../../api/tinycert/identity.ts';
import type { Inputs } from '../context/inputs.ts';
import { planOf } from './plan.ts';
import type { Plan } from './types.ts';

/**
 * Decides what to do when the resource's own Secret holds no certificate that status can adopt. Pure. `givesUp` is a certificate that
 * the Secret proves and the resource does not want: once the Secret holds another one, only the record of it as a former
 * certificate remains.
 */
export function decideAfterAdoption(inputs: Inputs, givesUp: CertificateRef | undefined): Plan {
  const plan = planOf(inputs);
  return givesUp !== undefined && plan.do === 'issue' ? { ...plan, givesUp } : plan;
}

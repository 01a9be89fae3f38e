import { z } from 'zod';
import { integer, statusText, time } from './fields.ts';

const Condition = z
  .object({
    type: statusText('What the condition is about, for example Ready.', 316),
    status: z.enum(['True', 'False', 'Unknown']).describe('Whether the condition holds.'),
    reason: statusText('One word for machines: why the condition has this status.', 1024),
    message: statusText('A sentence for people: what is the matter and what to do.', 32768),
    lastTransitionTime: time('When the status last changed.'),
    observedGeneration: integer('The metadata.generation that the condition speaks of.').exactOptional(),
  })
  .describe('One condition, as metav1.Condition has it.');

/** A list of conditions, one of each type. */
export function conditions(description: string) {
  return z
    .array(Condition)
    .max(16)
    .meta({
      description,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    });
}

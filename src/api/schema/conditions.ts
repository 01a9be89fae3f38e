import { z } from 'zod';
import { integer, statusText, time } from './fields.ts';

const Condition = z
  .object({
    type: statusText('Type of the condition, for example Ready.', 316),
    status: z.enum(['True', 'False', 'Unknown']).describe('Whether the condition holds.'),
    reason: statusText('Why the condition has this status, as one word for programs.', 1024),
    message: statusText('Why the condition has this status and what to do, as a sentence for people.', 32768),
    lastTransitionTime: time('When the status last changed.'),
    observedGeneration: integer('The metadata.generation that the condition is based on.').exactOptional(),
  })
  .describe('One condition, with the fields of metav1.Condition.');

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

import { z } from 'zod';
import { integer, statusText, time } from './fields.ts';

/** Longest message of a failure in a status, in UTF-16 code units. */
export const MAX_FAILURE_MESSAGE = 4096;

const LastFailure = z
  .object({
    reason: statusText('Why the attempt failed, as one word for programs.', 1024),
    message: statusText(
      'Why the attempt failed and what to do, as a sentence for people.',
      MAX_FAILURE_MESSAGE,
    ),
    observedGeneration: integer('The metadata.generation that the attempt was made for.').exactOptional(),
  })
  .describe(
    'Why the last attempt failed. Absent after a success. A change of the spec ends the wait for the next attempt.',
  );

/** Fields of a status: how often attempts failed, why, and when the next one comes. */
export const failureFields = {
  failedAttempts: integer('Number of failed attempts in a row. Absent after a success.').exactOptional(),
  lastFailureTime: time('When the last attempt failed. Absent after a success.').exactOptional(),
  lastFailure: LastFailure.exactOptional(),
  nextAttemptTime: time('When the operator retries at the earliest.').exactOptional(),
};

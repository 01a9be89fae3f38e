/** Why something is needed, or why it cannot be done: a reason for machines and a sentence for people. */
export interface Reason {
  reason: string;
  message: string;
}

/** Why something is needed or cannot be done: a reason for programs and a sentence for people. */
export interface Reason {
  reason: string;
  message: string;
}

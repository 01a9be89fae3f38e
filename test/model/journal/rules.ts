/** The rules of the journal protocol, one switch each, under the number of the rule that they are part of. */
const sentences = {
  journalVersion: 'F1 The journal is written over the version last written or read.',
  takeoverWrites: 'F1 A takeover writes the journal, so that no earlier leader can write it any more.',
  takeoverLists: 'F1 A takeover lists the resources before it decides; an older cache does not count.',
  journalFirst: 'F1 The journal is written before the resources are listed.',
  refusedRepeats:
    'F2 A refused write of the journal, or a changed journal, repeats the takeover; it is never re-read alone.',
  leaseAfterRead: 'F3 The Lease is looked at after every read and before the decision.',
  sendGate: 'F3 Nothing is sent later than W after the group was decided, or without the Lease.',
  randomIds: 'F3 Ids of attempts are random, not counted in the journal.',
  liveFloor: 'F4 What a live GET shows, a 404 too, counts for later decisions.',
  ownWrites: 'F4 So does what the process itself has written.',
  removeLast: 'F5 The entry is removed after the result is written.',
  resultReread:
    'F5 A refused result is read again, and written only if uid and our part of status are unchanged.',
  namedDropped: 'F5 An entry that the status names under its seal is dropped at once.',
  oneOpen: 'F6 At most one entry is open for an account and request.',
  soleCountsEntries: 'F6 A resource is not sole while another entry is open for its request.',
  concludeFirst: 'F6 A changed spec concludes and removes the open entry before it is decided on anew.',
  againAsItWas: 'F6 A reissue that is made again starts from the same certificate.',
  highestInJournal:
    'F7 The journal keeps the highest id seen, in sealed statuses too, and a new entry looks above that.',
  window:
    'F8 Without the marker a candidate was issued in the window of the entry or of one that it replaced.',
  freshAfterId: 'F8 An entry keeps how far back it looks only after an inconclusive recovery.',
  putBackUnsure:
    'F8 Without the marker an entry of a journal that was put back adopts nothing but what the Secret holds.',
  ownSecret: 'F9 What the own Secret holds above the status is adopted, whatever window and afterId say.',
  heldNotGivenUp:
    'F9 What the own Secret already holds is taken into the status, and neither given up nor revoked, even if the spec has changed.',
  proofByKey: 'F9 A Secret proves an id only by the private key in it.',
  reachedDropped: 'F10 An entry whose revision the status has reached is dropped.',
  resultNeverFalls: 'F10 A result never lowers revision or id.',
  leaderRewrites: 'F11 The running leader writes a missing journal again from memory.',
  missingWaits: 'F11 Another one waits W + T + X before it makes a new journal.',
  putBackWaits: 'F11 So does whoever finds a journal that was put back, before it decides.',
  successorStays:
    'F13 What continues the key that a status names is its own successor, even if it was given up.',
  inventoryFirst: 'F12 An inventory taken since the takeover is looked at before buying.',
  inventoryByKey: 'F12 Nothing of it is adopted but by marker or by a chain of keys.',
  goneConcluded: 'F13 The entry of a deleted resource is concluded and recorded before it is removed.',
  unmarkedKept: 'F13 What was given up without a marker is never revoked.',
  recordAbandoned: 'F13 An attempt that is removed without a finding is recorded.',
  journalBeforeClaims: 'F13 The inventory reads the journal before it lists the resources.',
  fixedSize: 'F14 An entry holds no text of a tenant.',
  capped: 'F14 No more entries are open than the journal has room for.',
  replyAboveFloor: 'A reply is believed only if its id is above the floor of the entry.',
  replyUnclaimed: 'A reply is believed only if no sealed or proven claim of the account names its id.',
  replyFits: 'A reply for another request is not held on to if another entry may have bought it.',
  replyOnce: 'Replies that are not believed lead to one further purchase, not to a second one in a row.',
  accountOfEntry: 'An entry is concluded at the account that it was made for.',
  idsByAccount: 'An id counts only together with its account.',
  sealed: 'Nothing is dropped, fetched or claimed on the word of a status without its seal.',
} as const;

export type RuleName = keyof typeof sentences;
export type Rules = Readonly<Record<RuleName, boolean>>;

export const ruleNames = Object.keys(sentences) as RuleName[];

/** What a rule says. */
export function sentenceOf(rule: RuleName): string {
  return sentences[rule];
}

/** All rules but these. */
export function rulesWithout(...off: readonly RuleName[]): Rules {
  return Object.fromEntries(ruleNames.map((name) => [name, !off.includes(name)])) as Rules;
}

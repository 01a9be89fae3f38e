/** The rules of the journal protocol, one switch each, under the number of the rule that they are part of. */
const sentences = {
  attemptBeforeCall: 'F1 An entry is in the journal before the CA is asked.',
  journalVersion: 'F1 The journal is written over the version last written or read.',
  takeoverWrites: 'F1 A takeover writes the journal, so that no earlier leader can write it any more.',
  takeoverLists: 'F1 A takeover lists the resources before it decides; an older cache does not count.',
  journalFirst: 'F1 The journal is written before the resources are listed.',
  refusedRepeats:
    'F2 A refused write of the journal, or a changed journal, repeats the takeover; it is never re-read alone.',
  leaseAfterRead: 'F3 The Lease is looked at after every read and before the decision.',
  sendGate: 'F3 Nothing is sent later than W after the group was decided, or without the Lease.',
  randomIds: 'F3 Ids of attempts are random, not counted in the journal.',
  liveGet: 'F4 A live GET of the resource and of its Secret comes before a verdict.',
  liveFloor: 'F4 What a live GET shows, a 404 too, counts for later decisions.',
  ownWrites: 'F4 So does what the process itself has written.',
  secretVersion: 'F5 The Secret is written over what was looked at, or created.',
  secretNeverFalls: 'F5 A Secret never goes back to a lower id for the same names and subject.',
  removeLast: 'F5 The entry is removed after the result is written.',
  resultEcho: 'F5 The entry stays until the answer to the result shows that all of it is stored.',
  resultReread:
    'F5 A refused result is read again, and written only if uid and our part of status are unchanged.',
  namedDropped: 'F5 An entry that the status names under its seal is dropped at once.',
  failedCheckKeepsId:
    'F5 A certificate that fails the checks keeps its id with the entry and is only fetched again.',
  waitBeforeRecovery: 'F6 A recovery begins W + T + X after the entry was first seen.',
  unsentKeepsOperation: 'F6 What was not sent is made again as what it was.',
  notLatestRecovers: 'F6 NotLatest leads to a recovery, not to another purchase.',
  oneOpen: 'F6 At most one entry is open for an account and request.',
  sole: 'F6 Without the marker a resource adopts only if no other one asks for the same.',
  soleCountsEntries: 'F6 A resource is not sole while another entry is open for its request.',
  concludeFirst: 'F6 A changed spec concludes and removes the open entry before it is decided on anew.',
  againAsItWas: 'F6 A reissue that is made again starts from the same certificate.',
  highestInJournal:
    'F7 The journal keeps the highest id seen, in sealed statuses too, and a new entry looks above that.',
  aboveAfterId: 'F7 Without a certificate to reissue only an id above that is a candidate.',
  windowStart:
    'F8 Without the marker a candidate was issued after the entry, or the first that it goes on from.',
  windowEnd: 'F8 Without the marker a candidate was issued within W + T + X of one of those.',
  oneCandidate: 'F8 Without the marker none of several candidates is adopted.',
  skipClaimed: 'F8 What another resource claims under its seal is not adopted.',
  skipReissued:
    'F8 Nothing is adopted while the list lacks what another resource has, or what was given up: a person may have reissued that.',
  foreignSeen: 'F8 Nothing is adopted once a certificate of somebody else with these names is seen.',
  previousBeforeList: 'F8 The certificate to reissue is looked at before the CA’s list.',
  listBeforeCluster: 'F8 The CA’s list is read before the resources.',
  reissueByKey: 'F8 What a reissue bought has the public key of the certificate before it.',
  freshAfterId: 'F8 An entry keeps how far back it looks only after an inconclusive recovery.',
  putBackUnsure:
    'F8 Without the marker an entry of a journal that was put back adopts nothing but what the Secret holds.',
  ownSecret: 'F9 What the own Secret holds above the status is adopted, whatever window and afterId say.',
  ownSecretFits: 'F9 But only if it is for the names and subject that were asked for.',
  secretIntoStatus: 'F9 A Secret above a status without an open entry is taken into it.',
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
  recordGivenUp: 'F13 What is given up is recorded in the write that gives it up, and never adopted.',
  unmarkedKept: 'F13 What was given up without a marker is never revoked.',
  recordAbandoned: 'F13 An attempt that is removed without a finding is recorded.',
  inventoryListsFirst: 'F13 The inventory takes the CA’s list before journal and resources.',
  inventorySkipsOpen: 'F13 The inventory reports nothing that an open entry may have bought.',
  journalBeforeClaims: 'F13 The inventory reads the journal before it lists the resources.',
  fixedSize: 'F14 An entry holds no text of a tenant.',
  capped: 'F14 No more entries are open than the journal has room for.',
  replyAboveFloor: 'A reply is believed only if its id is above the floor of the entry.',
  replyUnclaimed: 'A reply is believed only if no sealed or proven claim of the account names its id.',
  replyFits: 'A reply for another request is not held on to if another entry may have bought it.',
  replyOnce: 'Replies that are not believed lead to one further purchase, not to a second one in a row.',
  accountOfEntry: 'An entry is concluded at the account that it was made for.',
  idsByAccount: 'An id counts only together with its account.',
  sealed:
    'Nothing is dropped, fetched, claimed, reissued or revoked on the word of a status without its seal.',
  sealOnlyOwn: 'A new seal covers nothing that stood in a status without one.',
  revokeUnclaimed: 'What another resource has is never revoked.',
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

/** The rules of the protocol, one switch each, so that a search can show what every one of them is for. */
const sentences = {
  attemptBeforeCall: 'An attempt is written before the CA is asked.',
  attemptEcho: 'The answer to that write must echo the attempt, else nothing is asked.',
  attemptVersion: 'That write carries the version that the decision was made on.',
  keepAfterId: 'An attempt that replaces another one keeps how far back it looks, in ids and in time.',
  sendGate: 'Nothing is sent after W, or by a process that no longer leads.',
  unsentKeepsOperation: 'An attempt that was not sent is made again as what it was.',
  notLatestRecovers: 'NotLatest leads to a recovery, not to another purchase.',
  failedCheckKeepsId:
    'A certificate that fails the checks keeps its id in the attempt and is only fetched again.',
  secretVersion: 'The Secret is written over what was looked at, or created.',
  secretNeverFalls: 'A Secret never goes back to a lower certificate id for the same names and subject.',
  resultNeverFalls: 'A result is not written over an attempt that holds a higher id.',
  secretIntoStatus: 'A Secret id above the one in status is taken into status.',
  resultByAttempt: 'After a conflict a result is written only while the attempt is still the same one.',
  waitBeforeRecovery: 'A recovery waits W + T + X from first seeing the attempt.',
  previousBeforeList: 'cert/details of the previous certificate comes before cert/list.',
  listBeforeCluster: 'cert/list comes before the live LIST of the cluster.',
  liveGet: 'A live GET of resource and Secret comes before a verdict.',
  ownSecretFirst: 'What the own Secret already holds is adopted before anything else.',
  ownSecretFits: 'But only if it is for the names and subject that the attempt asked for.',
  reissueByKey: 'The successor of a reissue is the newest with the same public key.',
  aboveAfterId: 'Only ids above afterId are candidates.',
  windowStart: 'Only certificates issued after the attempt, or the first that it replaces, are candidates.',
  windowEnd: 'Only certificates issued within W + T + X of it are candidates.',
  oneCandidate: 'Two candidates: none is adopted.',
  skipClaimed: 'What another resource claims is not adopted.',
  skipReissued:
    'Nothing is adopted while the list lacks what another resource has or had: a person may have reissued it.',
  sole: 'Without a marker only a resource whose request nobody else makes adopts.',
  soleCountsAttempts: 'An open attempt counts with the request it made, whatever its spec says by now.',
  foreignSeen: 'Without a marker nothing is adopted once a foreign certificate with these names is seen.',
  concludeFirst: 'An open attempt is concluded before a changed spec leads to the next one.',
  recordGivenUp:
    'Ids given up are recorded before their resource lets go of them or vanishes, and never adopted.',
  recordAbandoned: 'So are attempts that were replaced without a finding, with what they asked for.',
  sealed: 'No key is fetched, and nothing revoked or recorded, on the word of a status without its seal.',
  sealOnlyOwn:
    'A status that had lost its seal is sealed again only once it holds an id found by the operator.',
  revokeUnclaimed: 'An id that another resource claims is never revoked.',
  inventoryListsFirst: 'The inventory takes the CA’s list before the claims.',
  inventorySkipsOpen: 'The inventory skips what an open attempt may have bought.',
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

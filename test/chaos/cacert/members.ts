import { MAIN } from '../population.ts';

/** A member of CAcert. Its addresses are enough to have many orders. */
export interface Member {
  username: string;
  password: string;
  firstName: string;
  lastName: string;
  emails: readonly string[];
}

function member(firstName: string): Member {
  const user = firstName.toLowerCase();
  const emails = ['', '.a', '.b', '.c', '.d', '.e'].map((alias) => `${user}${alias}@chaos.test`);
  return { username: `${user}@chaos.test`, password: `of ${user}`, firstName, lastName: 'Doe', emails };
}

export const MEMBERS: readonly Member[] = [member('Jane'), member('John')];

/** The member whose account each namespace has: one account is in two of them. */
export function memberOf(namespace: string): Member {
  const at = (MAIN as readonly string[]).indexOf(namespace) === 2 ? 1 : 0;
  const found = MEMBERS[at];
  if (!found) throw new Error('There is no such member.');
  return found;
}

export function nameOf({ firstName, lastName }: Member): string {
  return `${firstName} ${lastName}`;
}

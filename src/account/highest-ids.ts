/** What is known of one authority. */
interface Known {
  highest: number;
  /** Once a whole list has contradicted `highest`: the highest id on that list and in the answers since. */
  contradiction: number | undefined;
}

/** One reading of an authority's list. */
export interface IdList {
  /** Notes the id of a line. */
  see(certificateId: number): void;
  /** The list was read to its end. One that broke off says nothing of what is missing. */
  end(): void;
}

/**
 * The highest certificate id that an account knows of each of its authorities: the floor of the next attempt. Answers and
 * lists raise it. Ids only grow at the CA, so a whole list that does not reach what was known when it began contradicts it.
 * Two such lists in a row lower it to what they show: a single wrong line must not put every later certificate below it.
 */
export class HighestIds {
  readonly #known = new Map<number, Known>();

  /** The highest id known of an authority; undefined before its first list and answer. */
  of(authorityId: number): number | undefined {
    return this.#known.get(authorityId)?.highest;
  }

  /** Notes an id that the CA answered with. */
  note(authorityId: number, certificateId: number): void {
    const { highest = 0, contradiction } = this.#known.get(authorityId) ?? {};
    this.#known.set(authorityId, {
      highest: Math.max(highest, certificateId),
      contradiction: contradiction === undefined ? undefined : Math.max(contradiction, certificateId),
    });
  }

  /** Begins to read the authority's list. */
  list(authorityId: number): IdList {
    const before = this.of(authorityId) ?? 0;
    let listed = 0;
    return {
      see: (certificateId) => {
        listed = Math.max(listed, certificateId);
      },
      end: () => {
        this.#known.set(authorityId, after(this.#known.get(authorityId), { before, listed }));
      },
    };
  }
}

/** What is known after a list: `before` was known when it began, `listed` is the highest id on it. */
function after(known: Known | undefined, { before, listed }: { before: number; listed: number }): Known {
  const { highest, contradiction } = known ?? { highest: 0, contradiction: undefined };
  if (listed >= before) return { highest: Math.max(highest, listed), contradiction: undefined };
  if (contradiction === undefined) return { highest, contradiction: listed };
  return { highest: Math.max(contradiction, listed), contradiction: undefined };
}

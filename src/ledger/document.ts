/** What documents of every kind have in common; `documents.ts` lists the kinds. Pure. */

/** What every document has. */
export type DocumentHead = {
  readonly clusterId: string;
  /** UID of the object it is about: with the kind, the identity of the document. */
  readonly uid: string;
  /** Empty for what belongs to no namespace. */
  readonly namespace: string;
  readonly name: string;
  /** Grows by one with each commit; compared before the next. 0 = not stored yet. */
  readonly revision: number;
  /** Ended: the object is gone; the document stays for the history. */
  readonly phase: 'Live' | 'Ended';
};

/** Who did something, and how that is known. Asserted: a listed account said so. */
export type Person = {
  readonly username: string;
  readonly source: 'Authenticated' | 'Asserted';
  /** Asserted: the account that said so. */
  readonly attestedBy?: string;
};

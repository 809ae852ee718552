/**
 * Which keys have a quota, and how often each was used in its window when that was last asked. In the
 * memory of the leader, from the records that pass by: those that the sweep after a start reads, and each that is
 * committed.
 */
import type { Ref } from '../../api/meta.ts';
import { quotaSubject } from '../../ledger/gate.ts';
import type { Ledger } from '../../ledger/port.ts';
import type { GrantBinding, KeyRecord } from '../../ledger/record.ts';
import type { QuotaWindow } from '../../terms/quota.ts';
import type { QuotaStep } from '../../terms/quotasteps.ts';
import type { Quota } from '../../terms/terms.ts';

/** One key with a quota that is counted. */
export type Metered = {
  readonly ref: Ref;
  readonly uid: string;
  /** What its uses are counted under. */
  readonly subject: string;
  readonly quota: Quota;
  readonly grant?: GrantBinding;
  /** What was counted last; Fresh: nothing can have been counted under this subject yet. */
  count: Counted | 'Fresh' | undefined;
  /** What its status was last told to say; undefined: nobody told it anything since the start. */
  told: QuotaStep | undefined;
};

/** Uses in one window. */
type Counted = QuotaWindow & { readonly uses: number };

/** See the file comment. */
export class MeteredKeys {
  readonly #keys = new Map<string, Metered>();
  /** UIDs of keys by the form that granted them. */
  readonly #forms = new Map<string, string>();

  /** The same ledger; what is scanned and committed through it is noted here. */
  watch(ledger: Ledger): Ledger {
    return {
      ...ledger,
      scan: async (limit, after) => {
        const page = await ledger.scan(limit, after);
        for (const record of page.records) this.#note(record);
        return page;
      },
      commit: (commit) => {
        this.#note(commit.record);
        return ledger.commit(commit);
      },
    };
  }

  /** All of them, as they are at this moment. */
  all(): readonly Metered[] {
    return [...this.#keys.values()];
  }

  /** Uses of a key in the window that this instant lies in; undefined: nobody has looked yet. */
  uses(uid: string, nowMs: number): number | undefined {
    return usesOf(this.#keys.get(uid), nowMs);
  }

  /** As `uses`, of the round of a form. A round that its key does not follow yet has none. */
  usesOfGrant({ formUid, round }: GrantBinding, nowMs: number): number | undefined {
    const key = this.#keys.get(this.#forms.get(formUid) ?? '');
    if (key?.grant === undefined || key.grant.round > round) return undefined;
    return key.grant.round < round ? 0 : usesOf(key, nowMs);
  }

  #note(record: KeyRecord): void {
    const { uid, namespace, name, grant, phase, terms } = record;
    const { quota } = terms;
    const before = this.#keys.get(uid);
    if (quota === undefined || quota.requests < 1 || phase !== 'Live') {
      this.#keys.delete(uid);
      if (before?.grant !== undefined) this.#forms.delete(before.grant.formUid);
      return;
    }
    const subject = quotaSubject(record);
    const isSame = before?.subject === subject && before.quota.period === quota.period;
    const fresh = before === undefined || isSame ? undefined : 'Fresh';
    this.#keys.set(uid, {
      ref: { namespace, name },
      uid,
      subject,
      quota,
      ...(grant === undefined ? {} : { grant }),
      count: isSame ? before.count : fresh,
      told: isSame ? before.told : undefined,
    });
    if (grant !== undefined) this.#forms.set(grant.formUid, uid);
  }
}

function usesOf(key: Metered | undefined, nowMs: number): number | undefined {
  const count = key?.count;
  if (count === undefined) return undefined;
  if (count === 'Fresh') return 0;
  return count.endMs !== undefined && count.endMs <= nowMs ? 0 : count.uses;
}

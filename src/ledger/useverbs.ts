/** What gates ask for as requests, whoever answers them; the rest is in verbs.ts. */
import { randomBytes } from 'node:crypto';
import type { GateLedger, UseLedger, UseReads } from './gate.ts';
import type { UseRead, UseRequest } from './requests.ts';
import { decodeRecord, optionalText } from './rows.ts';
import { checkWishes, firstOfEach, mergeReports, mergeUsage } from './uses.ts';
import type { Ask } from './verbs.ts';

/** Looking at uses, through `ask`; asks nothing about nothing. */
export function createUseReads(ask: Ask<UseRead>): UseReads {
  return {
    counts: async (refs) => (refs.length === 0 ? [] : ask<'counts'>({ type: 'counts', refs })),
    usage: async (uids) => (uids.length === 0 ? [] : ask<'usage'>({ type: 'usage', uids })),
  };
}

/** What a gate sees otherwise than others, through `ask`. */
export function createGateReads(
  ask: Ask<UseRead>,
): Pick<GateLedger, 'findByKeyId' | 'keyIds' | 'keyIdsOf'> {
  return {
    findByKeyId: async (keyId) => {
      const found = await ask<'findAtGate'>({ type: 'findAtGate', keyId });
      if (found === undefined) return undefined;
      const application = optionalText(found.application);
      const record = decodeRecord(found.record);
      return application === undefined ? record : { ...record, application };
    },
    keyIds: (limit, after) => ask<'keyIds'>({ type: 'keyIds', limit, after }),
    keyIdsOf: async (uids) =>
      uids.length === 0 ? [] : ask<'keyIdsOf'>({ type: 'keyIdsOf', uids }),
  };
}

/** Counting, through `ask`; asks nothing about nothing. */
export function createUseWrites(ask: Ask<UseRequest>): UseLedger {
  return {
    lease: async (wishes) => {
      checkWishes(wishes);
      return wishes.length === 0 ? [] : ask<'lease'>({ type: 'lease', wishes });
    },
    reportLeases: async (reports, nowMs) => {
      const merged = mergeReports(reports, nowMs);
      if (merged.length === 0) return;
      await ask<'reportLeases'>({ type: 'reportLeases', reports: merged, nowMs });
    },
    returnLeases: async (reports, nowMs) => {
      const merged = mergeReports(reports, nowMs);
      if (merged.length === 0) return;
      await ask<'returnLeases'>({ type: 'returnLeases', reports: merged, nowMs });
    },
    reportUsage: async (reports) => {
      const merged = mergeUsage(reports);
      if (merged.length > 0) await ask<'reportUsage'>({ type: 'reportUsage', reports: merged });
    },
    remember: async (signatures) => {
      const isFirst = firstOfEach(signatures);
      const firsts = signatures.filter((_, index) => isFirst[index]);
      if (firsts.length === 0) return [];
      const claim = randomBytes(16).toString('hex');
      const answers = await ask<'remember'>({ type: 'remember', signatures: firsts, claim });
      const next = answers.values();
      return isFirst.map((each) => each && next.next().value === true);
    },
    sweepUses: async (nowMs, leaseSilenceMs) => {
      // In steps, so that others get their turn in between.
      // oxlint-disable-next-line no-await-in-loop
      while (await ask<'sweepUses'>({ type: 'sweepUses', nowMs, leaseSilenceMs }));
    },
  };
}

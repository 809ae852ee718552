/** What gates write to a ledger file, inside a transaction that their engine holds open. */
import type { DatabaseSync } from 'node:sqlite';
import type { Lease, LeaseReport, LeaseWish } from '../gate.ts';
import type { Answers, UseRequest } from '../requests.ts';
import { bytes, integer, text } from '../rows.ts';
import { COUNT_KEPT_MS, grant, SIGNATURE_KEPT_MS, SWEEP_MAX, USAGE_KEPT_MS } from '../uses.ts';
import { prepare } from './statements.ts';

type Request<T extends UseRequest['type']> = Extract<UseRequest, { type: T }>;

/** Carries out the writes of one connection of a gate. */
export class UseWriter {
  readonly #statements: ReturnType<typeof prepareUses>;

  constructor(db: DatabaseSync) {
    this.#statements = prepareUses(db);
  }

  /** The answer to a request; what SQLite throws spoils the transaction. */
  write(request: UseRequest): Answers[UseRequest['type']] {
    switch (request.type) {
      case 'lease':
        return request.wishes.map((wish) => this.#lease(wish));
      case 'reportLeases':
        for (const report of request.reports) this.#report(report, request.nowMs);
        return null;
      case 'returnLeases':
        for (const report of request.reports) this.#giveBack(report, request.nowMs);
        return null;
      case 'reportUsage':
        for (const { uid, uses, lastUsedMs } of request.reports) {
          this.#statements.addUsage.run(uid, uses, lastUsedMs);
        }
        return null;
      case 'remember':
        return this.#remember(request);
      case 'sweepUses':
        return this.#sweep(request);
    }
  }

  #lease(wish: LeaseWish): Lease {
    const { id, subject, windowStartMs, windowEndMs = null, nowMs } = wish;
    const { lease, count, addCount, addLease, hear } = this.#statements;
    const reserved = integer(count.get(subject, windowStartMs)?.[0] ?? 0);
    const known = lease.get(id);
    if (known !== undefined) {
      hear.run(nowMs, id);
      const isEnded = known[4] !== null;
      return {
        id,
        uses: isEnded ? 0 : integer(known[2]),
        unreserved: Math.max(0, wish.limit - reserved),
      };
    }
    const granted = grant(wish, reserved);
    if (granted.uses === 0) return granted;
    addCount.run(subject, windowStartMs, windowEndMs, granted.uses);
    addLease.run(id, subject, windowStartMs, granted.uses, nowMs);
    return granted;
  }

  #report({ id, spent }: LeaseReport, nowMs: number): void {
    this.#statements.spend.run(spent, nowMs, id);
  }

  #giveBack(report: LeaseReport, nowMs: number): void {
    const { addEnded, lease } = this.#statements;
    addEnded.run(report.id, nowMs);
    this.#report(report, nowMs);
    const [subject, windowStart, uses, spent, ended] = lease.get(report.id) ?? [];
    if (ended !== null) return;
    this.#statements.end.run(report.id);
    this.#statements.free.run(integer(uses) - integer(spent), text(subject), integer(windowStart));
  }

  #remember({ signatures, claim }: Request<'remember'>): readonly boolean[] {
    const { addSignature, signatureClaim } = this.#statements;
    return signatures.map(({ keyId, digest, untilMs }) => {
      addSignature.run(keyId, digest, claim, untilMs);
      return signatureClaim.get(keyId, digest)?.[0] === claim;
    });
  }

  #sweep({ nowMs, leaseSilenceMs }: Request<'sweepUses'>): boolean {
    const { silentLeases, dropLease, overCounts, dropLeasesOf, dropCount } = this.#statements;
    const silent = silentLeases.all(nowMs - leaseSilenceMs);
    for (const [id] of silent) dropLease.run(text(id));
    const over = overCounts.all(nowMs - COUNT_KEPT_MS);
    for (const [subject, start] of over) {
      dropLeasesOf.run(text(subject), integer(start));
      dropCount.run(text(subject), integer(start));
    }
    const { oldSignatures, dropSignature, oldUsage, dropUsage } = this.#statements;
    const old = oldSignatures.all(nowMs - SIGNATURE_KEPT_MS);
    for (const [keyId, digest] of old) dropSignature.run(text(keyId), bytes(digest));
    const unowned = oldUsage.all(nowMs - USAGE_KEPT_MS);
    for (const [uid] of unowned) dropUsage.run(text(uid));
    return [silent, over, old, unowned].some(({ length }) => length === SWEEP_MAX);
  }
}

function prepareUses(db: DatabaseSync) {
  return { ...prepareLeases(db), ...prepareSeen(db) };
}

function prepareLeases(db: DatabaseSync) {
  const one = 'subject = ? AND window_start = ?';
  return {
    count: prepare(db, `SELECT reserved FROM counts WHERE ${one}`),
    // Of one first instant, the longest window counts, and none is longer than one without end.
    addCount: prepare(
      db,
      `INSERT INTO counts (subject, window_start, window_end, reserved) VALUES (?, ?, ?, ?)
       ON CONFLICT (subject, window_start) DO UPDATE SET
         reserved = reserved + excluded.reserved,
         window_end = max(window_end, excluded.window_end)`,
    ),
    free: prepare(db, `UPDATE counts SET reserved = reserved - ? WHERE ${one}`),
    lease: prepare(db, 'SELECT subject, window_start, uses, spent, ended FROM leases WHERE id = ?'),
    addLease: prepare(
      db,
      `INSERT INTO leases (id, subject, window_start, uses, spent, heard_at)
       VALUES (?, ?, ?, ?, 0, ?)`,
    ),
    // The wish may be on its way; it is to find that it is over.
    addEnded: prepare(
      db,
      `INSERT INTO leases (id, subject, window_start, uses, spent, heard_at, ended)
       VALUES (?, '', 0, 1, 1, ?, 1) ON CONFLICT DO NOTHING`,
    ),
    hear: prepare(db, 'UPDATE leases SET heard_at = max(heard_at, ?) WHERE id = ?'),
    spend: prepare(
      db,
      `UPDATE leases SET spent = max(spent, min(uses, ?)), heard_at = max(heard_at, ?)
       WHERE id = ? AND ended IS NULL`,
    ),
    end: prepare(db, 'UPDATE leases SET ended = 1 WHERE id = ?'),
    silentLeases: prepare(db, `SELECT id FROM leases WHERE heard_at < ? LIMIT ${SWEEP_MAX}`),
    dropLease: prepare(db, 'DELETE FROM leases WHERE id = ?'),
    overCounts: prepare(
      db,
      `SELECT subject, window_start FROM counts WHERE window_end < ? LIMIT ${SWEEP_MAX}`,
    ),
    dropLeasesOf: prepare(db, `DELETE FROM leases WHERE ${one}`),
    dropCount: prepare(db, `DELETE FROM counts WHERE ${one}`),
  };
}

function prepareSeen(db: DatabaseSync) {
  return {
    addUsage: prepare(
      db,
      `INSERT INTO usage (uid, uses, last_used) VALUES (?, ?, ?)
       ON CONFLICT (uid) DO UPDATE SET
         uses = min(${Number.MAX_SAFE_INTEGER}, uses + excluded.uses),
         last_used = max(last_used, excluded.last_used)`,
    ),
    oldUsage: prepare(
      db,
      `SELECT uid FROM usage WHERE last_used < ?
         AND NOT EXISTS (SELECT 1 FROM keys WHERE keys.uid = usage.uid) LIMIT ${SWEEP_MAX}`,
    ),
    dropUsage: prepare(db, 'DELETE FROM usage WHERE uid = ?'),
    addSignature: prepare(
      db,
      `INSERT INTO signatures (key_id, digest, claim, forget_at) VALUES (?, ?, ?, ?)
       ON CONFLICT DO NOTHING`,
    ),
    signatureClaim: prepare(db, 'SELECT claim FROM signatures WHERE key_id = ? AND digest = ?'),
    oldSignatures: prepare(
      db,
      `SELECT key_id, digest FROM signatures WHERE forget_at < ? LIMIT ${SWEEP_MAX}`,
    ),
    dropSignature: prepare(db, 'DELETE FROM signatures WHERE key_id = ? AND digest = ?'),
  };
}

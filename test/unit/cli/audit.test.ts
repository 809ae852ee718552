/** What `keyward audit list` prints. */
import { describe, expect, it } from 'vitest';
import { parseLimit, printAudit, readAudit } from '../../../src/cli/audit.ts';
import type { AuditLine, AuditQuery } from '../../../src/ledger/port.ts';
import { NOW_MS } from '../../support/world.ts';

const line = (number: number, changes: Partial<AuditLine> = {}): AuditLine => ({
  number,
  uid: 'uid-1',
  action: 'KeyIssued',
  actor: 'operator',
  atMs: NOW_MS,
  facts: { sequence: 1 },
  ...changes,
});

/** A ledger of `count` entries that remembers what it was asked. */
function chain(count: number) {
  const asked: AuditQuery[] = [];
  const auditLines = async (query: AuditQuery): Promise<readonly AuditLine[]> => {
    asked.push(query);
    const newest = Math.min(count, (query.before ?? Infinity) - 1);
    const size = Math.min(query.limit, newest);
    return Array.from({ length: size }, (_, index) => line(newest - index));
  };
  return { asked, auditLines };
}

function printed(lines: Parameters<typeof printAudit>[0]): { data: string; notes: string } {
  let [data, notes] = ['', ''];
  printAudit(lines, { data: (text) => (data += text), note: (text) => (notes += text) });
  return { data, notes };
}

describe('The list of the audit chain', () => {
  it('names number, time, actor, action, UID and facts, and nothing acts on a terminal', async () => {
    const lines = [
      line(12, {
        action: 'ReviewCounted',
        actor: 'eve\u001b[2J',
        facts: { because: 'a b=c', n: 2 },
      }),
      line(7, { uid: '', facts: {} }),
    ];
    const read = await readAudit({ auditLines: async () => lines }, { limit: 10 });
    expect(printed(read).data).toBe(
      [
        'NUMBER   TIME                   ACTOR        ACTION          UID          FACTS',
        '12       2026-01-01T00:00:00Z   eve\\x1b[2J   ReviewCounted   uid-1        because="a b=c" n=2',
        '7        2026-01-01T00:00:00Z   operator     KeyIssued       <database>',
        '',
      ].join('\n'),
    );
    expect(read[0]).toEqual({
      number: 12,
      time: '2026-01-01T00:00:00Z',
      actor: 'eve\u001b[2J',
      action: 'ReviewCounted',
      uid: 'uid-1',
      facts: { because: 'a b=c', n: 2 },
    });
  });

  it('is read in pages, newest first, and ends at the limit or the beginning', async () => {
    const long = chain(5_000);
    const read = await readAudit(long, { limit: 2_500, uid: 'u' });
    expect(read.map(({ number }) => number)).toEqual(
      Array.from({ length: 2_500 }, (_, index) => 5_000 - index),
    );
    expect(long.asked).toEqual([
      { limit: 1_000, uid: 'u' },
      { limit: 1_000, uid: 'u', before: 4_001 },
      { limit: 500, uid: 'u', before: 3_001 },
    ]);
    expect(await readAudit(chain(3), { limit: 50 })).toHaveLength(3);
    expect(await readAudit(chain(1_000), { limit: 5_000 })).toHaveLength(1_000);
  });

  it('may be empty, and says so on standard error', async () => {
    const read = await readAudit(chain(0), { limit: 50 });
    expect(printed(read)).toEqual({ data: '', notes: 'no entries\n' });
  });

  it('takes limits from 1 to 100000, 50 where none is said', () => {
    expect([undefined, '1', '100000'].map(parseLimit)).toEqual([50, 1, 100_000]);
    for (const bad of ['0', '-1', '100001', '1e3', '', ' 5', 'x', 7]) {
      expect(() => parseLimit(bad)).toThrow(expect.objectContaining({ reason: 'Usage' }));
    }
  });
});

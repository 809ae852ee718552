import { expect, test } from 'vitest';
import { overhear } from '../../../src/bin/overhearing.ts';
import type { Ref } from '../../../src/api/meta.ts';
import { silentLogger } from '../../../src/kernel/log.ts';
import type { AuditQuery } from '../../../src/ledger/port.ts';
import type { Phase } from '../../../src/ledger/record.ts';
import { FakeClock } from '../../support/clock.ts';
import { aRecord } from '../../support/world.ts';

/** A database that others write; records by UID. */
function hearing() {
  const clock = new FakeClock();
  const lines: { readonly uid: string; readonly actor: string }[] = [];
  const phases = new Map<string, Phase>();
  const asked: AuditQuery[] = [];
  const heard: string[] = [];
  const stop = new AbortController();
  const trouble: Error[] = [];
  const ledger = {
    identity: async () => {
      const error = trouble.pop();
      if (error !== undefined) throw error;
      return { commitCounter: lines.length } as never;
    },
    auditLines: async (query: AuditQuery) => {
      asked.push(query);
      const { after = 0, by = '', limit } = query;
      return lines
        .map(({ uid, actor }, index) => ({
          uid,
          actor,
          number: index + 1,
          action: 'Changed',
          atMs: 0,
          facts: {},
        }))
        .filter(({ number, actor }) => number > after && actor.startsWith(by))
        .slice(0, limit);
    },
    load: async (uid: string) => {
      const phase = phases.get(uid);
      const record = phase && aRecord({ uid, namespace: 'shop', name: uid, phase });
      return { record, others: [] };
    },
  };
  const onKey = ({ namespace, name }: Ref): void => void heard.push(`${namespace}/${name}`);
  const onGone = (): void => void heard.push('gone');
  const run = overhear({ ledger, clock, log: silentLogger, onKey, onGone }, stop.signal);
  const commit = (uid: string, actor: string, phase: Phase = 'Live'): void => {
    lines.push({ uid, actor });
    phases.set(uid, phase);
  };
  const later = (): Promise<void> => clock.advanceSettled(2_000);
  const end = async (): Promise<void> => {
    stop.abort();
    await clock.advanceSettled(2_000);
    await run;
  };
  return { commit, later, asked, heard, trouble, end };
}

test('a key that a command changed in the database is looked at within two seconds', async () => {
  const at = hearing();
  await at.later();
  at.commit('ours', 'operator');
  at.commit('web', 'command line: mina');
  at.commit('debt', 'command line: mina', 'Ended');
  at.commit('web', 'command line: mina');
  await at.later();
  expect(at.heard).toEqual(['shop/web', 'gone']);
  await at.end();
});

test('nothing but the counter is read while nobody commits, and nothing is told twice', async () => {
  const at = hearing();
  await at.later();
  at.commit('web', 'command line: mina');
  await at.later();
  await at.later();
  await at.later();
  expect(at.asked).toHaveLength(1);
  expect(at.heard).toEqual(['shop/web']);
  await at.end();
});

test('a database that does not answer hides no change', async () => {
  const at = hearing();
  await at.later();
  at.commit('web', 'command line: mina');
  at.trouble.push(new Error('down'));
  await at.later();
  expect(at.heard).toEqual([]);
  await at.later();
  expect(at.heard).toEqual(['shop/web']);
  await at.end();
});

test('more changes than a page holds are all heard of', async () => {
  const at = hearing();
  await at.later();
  for (let n = 0; n < 450; n += 1) at.commit(`k${n}`, 'command line: mina');
  await at.later();
  expect(at.heard).toHaveLength(450);
  await at.end();
});

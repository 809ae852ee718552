import { describe, expect, it } from 'vitest';
import { RefusalLog } from '../../../src/gate/refusallog.ts';
import { silentLogger, type Logger, type LogFields } from '../../../src/kernel/log.ts';
import { FakeClock } from '../../support/clock.ts';
import { issueKey } from '../../support/gate.keys.ts';
import { Bench, showing } from './bench.ts';

function recorder(): { readonly log: Logger; readonly lines: [string, LogFields | undefined][] } {
  const lines: [string, LogFields | undefined][] = [];
  const note = (message: string, fields?: LogFields) => void lines.push([message, fields]);
  return { log: { ...silentLogger, info: note, error: note, warn: note }, lines };
}

describe('the log of refusals', () => {
  it('has five lines a second at most, and says how many it left out', () => {
    const clock = new FakeClock();
    const { log, lines } = recorder();
    const refusals = new RefusalLog(log, clock);
    for (let i = 0; i < 10_000; i += 1) refusals.refused('UnknownKey', 'Keyward', undefined);
    expect(lines).toHaveLength(10);
    clock.advance(1_000);
    for (let i = 0; i < 10_000; i += 1) refusals.refused('UnknownKey', 'Keyward', undefined);
    expect(lines).toHaveLength(15);
    expect(lines[10]).toEqual([
      'call refused',
      { cause: 'UnknownKey', profile: 'Keyward', refusalsNotLogged: 9_990 },
    ]);
  });

  it('says with the first of a cause what to look at where mostly the setup is wrong', () => {
    const { log, lines } = recorder();
    const refusals = new RefusalLog(log, new FakeClock());
    refusals.refused('Unlisted', 'Keyward', 'CXMOCB2rHCkSYQKh');
    refusals.refused('Unlisted', 'Keyward', 'CXMOCB2rHCkSYQKh');
    refusals.refused('WrongSecret', 'Keyward', undefined);
    const hints = lines.map(([, fields]) => fields?.['hint']);
    expect(hints).toEqual([expect.stringContaining('--unlisted allow'), undefined, undefined]);
  });

  it('tells each unexpected failure once', () => {
    const { log, lines } = recorder();
    const refusals = new RefusalLog(log, new FakeClock());
    for (let i = 0; i < 100; i += 1) refusals.failed('SealBroken', new Error('x'));
    refusals.failed('Other', undefined);
    expect(lines.map(([, fields]) => fields?.['reason'])).toEqual(['SealBroken', 'Other']);
  });

  it('names the credential only when its holder has proven himself, and never its value', async () => {
    const { log, lines } = recorder();
    const bench = await new Bench(undefined, {}, { log }).start();
    const key = bench.issue('a', { state: 'Suspended' });
    const other = issueKey('b');
    await bench.pass(200);
    await bench.decide(showing(key.value));
    await bench.decide(showing(other.value));
    const text = JSON.stringify(lines);
    expect(text).toContain(key.keyId);
    expect(text).not.toContain(other.keyId);
    expect(text).not.toContain(key.value.slice(-43));
    expect(text).not.toContain(other.value.slice(-43));
  });

  it('has nothing about calls that are let in', async () => {
    const { log, lines } = recorder();
    const bench = await new Bench(undefined, {}, { log }).start();
    const key = bench.issue('a');
    await bench.pass(200);
    const before = lines.length;
    for (let i = 0; i < 5; i += 1) await bench.decide(showing(key.value));
    expect(lines).toHaveLength(before);
  });
});

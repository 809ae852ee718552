import { describe, expect, it } from 'vitest';
import { issueKey } from '../../support/gate.keys.ts';
import { Bench, showing } from './bench.ts';

const QUOTA = { requests: 5, period: 'Lifetime', timeZone: 'UTC' } as const;

describe('metrics', () => {
  it('tell decisions by result, cause and profile, and what is held in memory', async () => {
    const bench = await new Bench().start();
    const key = bench.issue('a', {
      terms: { timeZone: 'UTC', cidrs: [], productRefs: [], quota: QUOTA },
    });
    await bench.pass(200);
    await bench.decide(showing(key.value));
    await bench.decide(showing(key.value));
    await bench.decide(showing('nonsense', { profile: 'Solapi' }));
    bench.database.trouble.set('reportUsage', 'Fails');
    await bench.pass(5_000);
    const text = await bench.registry.metrics();
    for (const line of [
      'keyward_gate_verifications_total{result="allowed",cause="",profile="Keyward"} 2',
      'keyward_gate_verifications_total{result="refused",cause="MalformedKey",profile="Solapi"} 1',
      'keyward_gate_verifications_total{result="refused",cause="StateUnknown",profile="Keyward"} 0',
      'keyward_gate_known_ids 1',
      'keyward_gate_cached_credentials 1',
      'keyward_gate_cache_hits_total 1',
      'keyward_gate_cache_misses_total 1',
      'keyward_gate_quota_counts 1',
      'keyward_gate_usage_lost_total 2',
      'keyward_gate_database_failures_total{reason="LedgerUnavailable"} 1',
      'keyward_gate_decision_seconds_bucket{le="+Inf"} 3',
      'keyward_gate_decision_seconds_count 3',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    expect(text).toMatch(/^keyward_gate_view_age_seconds 0(\.1)?$/m);
    expect(text).toContain('\nkeyward_gate_view_age_limit_seconds 15\n');
  });

  it('never have a key, an id or anything that a caller chose (L6)', async () => {
    const bench = await new Bench().start();
    const key = bench.issue('a');
    await bench.pass(200);
    await bench.decide(showing(key.value, { host: 'chosen-host', target: '/chosen-path' }));
    await bench.decide(showing(issueKey('b').value, { product: 'chosen-product' }));
    const text = await bench.registry.metrics();
    expect(text).not.toContain(key.keyId);
    expect(text).not.toContain('chosen');
    expect(text).not.toContain('key-a');
  });

  it('tell how long nothing was known', async () => {
    const bench = new Bench();
    bench.database.trouble.set('*', 'Fails');
    await bench.start();
    await bench.pass(20_000);
    const text = await bench.registry.metrics();
    const age = Number(/^keyward_gate_view_age_seconds (.*)$/m.exec(text)?.[1]);
    expect(age).toBeGreaterThanOrEqual(20);
    expect(age).toBeLessThan(21);
  });
});

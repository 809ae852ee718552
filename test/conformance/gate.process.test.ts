/** The command itself, as a process beside its operator on a file. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGateKeyText } from '../../src/keys/gatekey.ts';
import { openGateLedger, openLedger } from '../../src/ledger/open.ts';
import type { Ledger } from '../../src/ledger/port.ts';
import { eventually } from '../support/eventually.ts';
import { aKeyring, issueKey } from '../support/gate.keys.ts';
import { GateProcess } from '../support/gate.process.ts';
import { aCommit, CLUSTER, EPOCH } from './ledger.records.ts';

const QUOTA = { requests: 1_000, period: 'Lifetime', timeZone: 'UTC' } as const;

describe('keyward gate', () => {
  let directory: string;
  let url: string;
  let keyFile: string;
  let ledger: Ledger;
  const gates: GateProcess[] = [];

  async function start(flags: readonly string[] = []): Promise<GateProcess> {
    const gate = await GateProcess.start({ database: url, keyFile, flags });
    gates.push(gate);
    return gate;
  }

  async function ask(gate: GateProcess, value: string): Promise<number> {
    const res = await fetch(`http://127.0.0.1:${gate.httpPort}/auth/nginx`, {
      headers: { 'X-API-Key': value, 'X-Original-URI': '/v1', 'X-Original-Method': 'GET' },
    });
    return res.status;
  }

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'keyward-gate-'));
    url = `sqlite://${join(directory, 'keyward.db')}`;
    keyFile = join(directory, 'gate.key');
    writeFileSync(keyFile, createGateKeyText(aKeyring()).reveal(), { mode: 0o600 });
    ledger = await openLedger({ url, missing: 'Create', gatherMs: 0 });
    await ledger.adoptCluster(CLUSTER);
    await ledger.openEpoch(EPOCH, 'operator-0');
    await ledger.rememberVersion(1, aKeyring().checkValue(1));
  });

  afterEach(async () => {
    await Promise.all(gates.splice(0).map((gate) => gate.kill()));
    await ledger.close();
    rmSync(directory, { recursive: true });
  });

  it('returns what it has not spent and writes usage when it is told to end', async () => {
    const terms = { timeZone: 'UTC', cidrs: [], productRefs: [], quota: QUOTA };
    const { record, value } = issueKey('a', { clusterId: CLUSTER, terms });
    await ledger.commit(aCommit(record));
    const gate = await (await start(['--unlisted=allow', '--replicas=1'])).whenReady();
    for (let i = 0; i < 21; i += 1) expect(await ask(gate, value)).toBe(204);
    await gate.stop();
    expect(gate.said).toContain('"msg":"gate stopped"');
    expect(gate.said).not.toContain(value.slice(-43));
    const looking = await openGateLedger(url);
    const ref = { subject: 'key/a', windowStartMs: 0 };
    expect(await looking.counts([ref])).toEqual([{ ...ref, reserved: 21, unspent: 0 }]);
    expect(await looking.usage(['a'])).toMatchObject([{ uses: 21 }]);
    await looking.close();
  });

  it('listens at once, and is never ready with the key file of another database', async () => {
    const { record, value } = issueKey('a', { clusterId: CLUSTER });
    await ledger.commit(aCommit(record));
    writeFileSync(keyFile, createGateKeyText(aKeyring(OTHER_FILE)).reveal());
    const gate = await start(['--unlisted=allow']);
    for (let i = 0; i < 100 && !gate.said.includes('cannot follow'); i += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const { code, text } = await gate.ask('/readyz');
    expect([code, text]).toEqual([503, expect.stringContaining('of another master key')]);
    expect((await gate.ask('/livez')).code).toBe(200);
    expect(await ask(gate, value)).toBe(403);
  });

  it('that loses its database goes on saying no, and is ready for a probe that leaves the view out', async () => {
    const { record, value } = issueKey('a', { clusterId: CLUSTER });
    await ledger.commit(aCommit(record));
    const gate = await (await start(['--unlisted=allow', '--max-staleness-seconds=1'])).whenReady();
    expect(await ask(gate, value)).toBe(204);
    renameSync(join(directory, 'keyward.db'), join(directory, 'elsewhere.db'));
    await eventually(async () => {
      const { code, text } = await gate.ask('/readyz');
      expect(code).toBe(503);
      expect(text).toMatch(/^\[\+\]gate ok\n\[-\]view failed: .+\nreadyz check failed\n$/);
    });
    expect((await gate.ask('/readyz?exclude=view')).code).toBe(200);
    expect(await ask(gate, value)).toBe(403);
    renameSync(join(directory, 'elsewhere.db'), join(directory, 'keyward.db'));
    await gate.whenReady();
    expect(await ask(gate, value)).toBe(204);
  });

  it('says what is missing, and ends, when it is not told where the database is', async () => {
    const gate = await GateProcess.start({ database: '', keyFile });
    await gate.ended;
    expect(gate.said).toMatch(/--database is required/);
  });

  it('ends when no database can ever be where it was told to look', async () => {
    const gate = await GateProcess.start({ database: 'sqlite://keyward.db', keyFile });
    await gate.ended;
    expect(gate.said).toMatch(/write sqlite:\/\/\/path/);
  });

  it('says what to do when its operator never ran', async () => {
    const gate = await GateProcess.start({ database: `${url}-not-yet`, keyFile });
    gates.push(gate);
    for (let i = 0; i < 100 && !gate.said.includes('cannot follow'); i += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect((await gate.ask('/readyz')).text).toContain('its operator makes it');
  });
});

const OTHER_FILE = `v1:${Buffer.from([...Array(32).keys()].toReversed()).toString('base64')}\n`;

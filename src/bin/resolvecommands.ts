/** Composition of `keyward keys resolve` and `keyward import`. */
import type { Ref } from '../api/meta.ts';
import { usageError } from '../cli/exit.ts';
import { databaseConfig, masterKeyConfig, vendorConfig } from '../config/commands.ts';
import type { Flags } from '../config/layers.ts';
import type { Decision } from '../controllers/apikey/remote/resolve.ts';
import { systemClock } from '../kernel/clock.ts';
import { systemEntropy } from '../kernel/entropy.ts';
import { createRegistry } from '../kernel/metrics.ts';
import { openLedgerReader } from '../ledger/open.ts';
import type { Ledger } from '../ledger/port.ts';
import type { KeyRecord } from '../ledger/record.ts';
import { commandLineActor } from './actor.ts';
import { resolveWish } from './servingcommands.ts';
import { openStoreOf } from './debts.ts';
import { loadKeyring } from './masterkey.ts';
import { askOperator, openOrAsk } from './requests.ts';
import { checkWish, findByName, parseName, type ResolveWish } from './resolving.ts';
import { output } from './streams.ts';
import { createSessions } from './vendors.ts';

/** `keyward keys resolve NAMESPACE/NAME (--adopt ID | --none)` */
export async function runResolve(flags: Flags, name: string): Promise<void> {
  const { adopt, none } = flags;
  if ((typeof adopt === 'string') === (none === true)) {
    throw usageError('decide: either --adopt ID, the vendor key that it is, or --none');
  }
  const decision: Decision =
    typeof adopt === 'string' ? { type: 'Adopt', id: adopt } : { type: 'None' };
  await run(flags, name, { decision, actor: actor() });
}

/** `keyward import --store KIND/NAMESPACE/NAME --id ID --apikey NAMESPACE/NAME` */
export async function runImport(flags: Flags): Promise<void> {
  const { store, id, apikey } = flags;
  if (typeof store !== 'string' || typeof id !== 'string' || typeof apikey !== 'string') {
    throw usageError(
      'an import names all three: --store KeyStore/NAMESPACE/NAME or ClusterKeyStore/NAME, --id ID, --apikey NAMESPACE/NAME',
    );
  }
  await run(flags, apikey, {
    decision: { type: 'Adopt', id },
    actor: actor(),
    importFrom: store,
  });
}

async function run(flags: Flags, name: string, wish: ResolveWish): Promise<void> {
  const at = parseName(name);
  const database = await databaseConfig(flags);
  const opened = await openOrAsk(database);
  if ('folder' in opened) return ask(opened.folder, database, at, wish);
  const { ledger } = opened;
  try {
    const record = await findByName(ledger, at);
    checkWish(record, wish);
    const answer = await actHere(flags, ledger, record, wish);
    output.note(`${answer}\na running operator hears of it within seconds\n`);
  } finally {
    await ledger.close();
  }
}

/** The operator runs and alone may write: it is asked. */
async function ask(folder: string, database: string, at: Ref, wish: ResolveWish): Promise<void> {
  const reader = await openLedgerReader(database);
  try {
    const { uid } = await findByName(reader, at);
    const text = JSON.stringify(wish);
    output.note(`${await askOperator(folder, { uid, verb: 'resolve', text })}\n`);
  } finally {
    await reader.close();
  }
}

/** In this process, with the account's credentials as the ledger remembers them. */
async function actHere(
  flags: Flags,
  ledger: Ledger,
  record: KeyRecord,
  wish: ResolveWish,
): Promise<string> {
  const masterKeyFile = await masterKeyConfig(flags);
  const keyring = await loadKeyring(masterKeyFile);
  const { epoch, clusterId = record.clusterId } = await ledger.identity();
  const current = (): number => epoch;
  const sessions = await createSessions({
    config: await vendorConfig(flags),
    client: { get: () => Promise.reject(usageError('no API server is asked here')) },
    ledger,
    epoch: current,
    keyring,
    registry: createRegistry(),
    onHealth: () => undefined,
    isLeading: () => false,
  });
  const { answer } = await resolveWish(
    {
      ledger,
      keyring,
      entropy: systemEntropy,
      clock: systemClock,
      epoch: current,
      clusterId,
      session: (debtor, signal) => openStoreOf(sessions, () => undefined, debtor, signal),
    },
    record.uid,
    wish,
    new AbortController().signal,
  );
  return answer;
}

function actor(): string {
  return commandLineActor();
}

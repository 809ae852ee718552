/** What `src/controllers/apikey/secretio.ts` does at the API server, one call at a time. */
import {
  renderEntries,
  shapeOf,
  slotKey,
  type SecretLayout,
} from '../../src/controllers/apikey/secret.ts';
import type { Inspection, World } from '../../src/controllers/apikey/world.ts';
import type { KeyRecord } from '../../src/ledger/record.ts';
import { setSecret } from '../../src/ledger/transitions.ts';
import { valueOf } from './commits.ts';
import { commit } from './ledger.ts';
import {
  endOperator,
  setOperator,
  setPass,
  stamp,
  storeSecret,
  type Model,
  type Pass,
  type Place,
  type StoredSecret,
} from './model.ts';
import type { Step } from './operator.ts';

/** POST, or GET and then PUT as two steps. */
export function writeSecret(model: Model, at: Place, layout: SecretLayout): Step {
  const pass = model.operators[at.operator]?.passes[at.name];
  if (pass === undefined) return rest(model, at, 'WriteSecret');
  if (pass.seen !== undefined) return replace(model, at, pass, layout);
  const { world } = pass;
  const isFirst =
    world.record?.secret === undefined && world.evidence.inspection?.type !== 'Altered';
  const entries = isFirst ? compose(world, layout, undefined) : undefined;
  const present = model.secrets[layout.name];
  if (entries === undefined || present !== undefined) return look(model, at, world, present);
  const [uid, withUid] = stamp(model);
  return write(withUid, at, world, { uid, entries, layout });
}

/** GET; the ledger is asked right after it, and what is committed later meets the version of the PUT. */
function look(model: Model, at: Place, world: World, present: StoredSecret | undefined): Step {
  const newest = model.records[world.record?.uid ?? ''];
  if (world.record?.revision !== newest?.revision) {
    return rest(model, at, 'GET Secret: the record is stale');
  }
  return inside(setPass(model, at, { world, seen: present ?? null }), 'GET Secret');
}

function replace(model: Model, at: Place, { world, seen }: Pass, layout: SecretLayout): Step {
  const { record } = world;
  if (seen === null || seen === undefined || record === undefined) {
    return record?.secret === undefined
      ? rest(model, at, 'WriteSecret: moved away')
      : inspected(model, at, world, { type: 'Absent' });
  }
  const isOurs = record.secret?.uid === seen.uid || provesOurs(record, seen);
  if (!isOurs) return rest(model, at, 'WriteSecret: SecretConflict');
  const entries = compose(world, layout, seen);
  if (entries === undefined) {
    const { uid, resourceVersion } = seen;
    const isBeyondRepair = true;
    return inspected(model, at, world, { type: 'Tampered', uid, resourceVersion, isBeyondRepair });
  }
  const current = model.secrets[layout.name];
  if (current?.uid !== seen.uid || current.resourceVersion !== seen.resourceVersion) {
    return rest(model, at, 'PUT Secret: conflict');
  }
  return write(model, at, world, { uid: seen.uid, entries, layout });
}

type Content = Pick<StoredSecret, 'uid' | 'entries'> & { readonly layout: SecretLayout };

function write(model: Model, at: Place, world: World, content: Content): Step {
  const [resourceVersion, stamped] = stamp(model);
  const { uid, entries, layout } = content;
  const fingerprint = fingerprintOf(entries);
  const secret: StoredSecret = {
    uid,
    resourceVersion,
    ownerUid: layout.owner?.uid,
    proof: { apiKeyUid: world.record?.uid ?? '', sequence: layout.sequence },
    fingerprint,
    entries,
  };
  const { inspection: _, ...evidence } = world.evidence;
  const written = { name: layout.name, uid, resourceVersion, fingerprint, shape: shapeOf(layout) };
  const stored = storeSecret(stamped, layout.name, secret);
  const next = setPass(stored, at, { world: { ...world, evidence: { ...evidence, written } } });
  return { model: remember(next, at, layout.name, secret), label: 'write Secret', isOutside: true };
}

function remember(model: Model, at: Place, name: string, secret: StoredSecret): Model {
  const operator = model.operators[at.operator];
  if (operator === undefined) return model;
  const { uid, resourceVersion } = secret;
  const own = { ...operator.own, [name]: { uid, resourceVersion } };
  return setOperator(model, at.operator, { ...operator, own });
}

/** One GET, judged as the operator judges it. */
export function inspectSecret(model: Model, at: Place, layout: SecretLayout): Step {
  const world = model.operators[at.operator]?.passes[at.name]?.world;
  if (world === undefined) return rest(model, at, 'InspectSecret');
  return inspected(model, at, world, judge(world, layout, model.secrets[layout.name]));
}

function judge(
  { record }: World,
  layout: SecretLayout,
  secret: StoredSecret | undefined,
): Inspection {
  if (secret === undefined || record === undefined) return { type: 'Absent' };
  const { uid, resourceVersion } = secret;
  const isKnown = record.secret?.uid === uid;
  const isOurs = provesOurs(record, secret);
  if (!isKnown && !isOurs) return { type: 'Foreign' };
  const fields = [...layout.entries.keys()].map((name) => [name, secret.entries[name] ?? '']);
  if (isKnown && fingerprintOf(Object.fromEntries(fields)) === record.secret?.fingerprint) {
    const isWorn = layout.owner === undefined || secret.ownerUid === layout.owner.uid;
    return { type: isWorn && isOurs ? 'Intact' : 'Altered', uid, resourceVersion };
  }
  return { type: isOurs ? 'Altered' : 'Tampered', uid, resourceVersion };
}

/** DELETE with the UID, after a GET where the ledger does not know it; then, if the key lives on, a commit. */
export function deleteSecret(model: Model, at: Place, record: KeyRecord): Step {
  const pass = model.operators[at.operator]?.passes[at.name];
  if (pass === undefined) return rest(model, at, 'DeleteSecret');
  const { world } = pass;
  const name = record.secret?.name ?? record.name;
  const present = model.secrets[name];
  const isOurs =
    present !== undefined &&
    (record.secret === undefined ? provesOurs(record, present) : present.uid === record.secret.uid);
  if (isOurs) {
    // The world stays as it is: the step that follows finds the name free and goes on below.
    return {
      model: setPass(storeSecret(model, name, undefined), at, pass),
      label: 'DELETE Secret',
      isOutside: true,
    };
  }
  const done: World = { ...world, evidence: { ...world.evidence, secretDeleted: true } };
  if (record.phase !== 'Live') return inside(setPass(model, at, { world: done }), 'Secret is gone');
  const result = commit(model, at, {
    record: setSecret(record, undefined),
    expectedRevision: record.revision,
  });
  if (result.type === 'Fenced') return inside(endOperator(model, at.operator), 'fenced');
  if (result.type !== 'Committed') return rest(model, at, 'DeleteSecret: stale');
  const next = setPass(result.model, at, { world: { ...done, record: result.record } });
  return { model: next, label: 'forget Secret', isOutside: true };
}

function compose(
  world: World,
  layout: SecretLayout,
  existing: StoredSecret | undefined,
): StoredSecret['entries'] | undefined {
  const candidates = Object.values(existing?.entries ?? {});
  const values = new Map<string, string>();
  for (const source of layout.fields.values()) {
    if (source.type !== 'Slot') continue;
    const text = valueOf(world.record, source.sequence, source.slot);
    const slot = world.record?.credentials
      .find(({ sequence }) => sequence === source.sequence)
      ?.slots.find(({ name }) => name === source.slot);
    if (text === undefined || (slot?.sealed === undefined && !candidates.includes(text))) continue;
    values.set(slotKey(source.sequence, source.slot), text);
  }
  return renderEntries(layout, values);
}

/** How many sequences a Secret may be behind; as in secretio.ts. */
const SEQUENCES_BACK = 8;

function provesOurs(record: KeyRecord, { proof }: StoredSecret): boolean {
  if (proof?.apiKeyUid !== record.uid) return false;
  return proof.sequence <= record.sequence && proof.sequence >= record.sequence - SEQUENCES_BACK;
}

function fingerprintOf(entries: StoredSecret['entries']): string {
  return Object.entries(entries)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => `${name}=${text}`)
    .join();
}

function inspected(model: Model, at: Place, world: World, inspection: Inspection): Step {
  const next: World = { ...world, evidence: { ...world.evidence, inspection } };
  return inside(setPass(model, at, { world: next }), `inspect Secret: ${inspection.type}`);
}

function rest(model: Model, at: Place, label: string): Step {
  return inside(setPass(model, at, undefined), label);
}

function inside(model: Model, label: string): Step {
  return { model, label, isOutside: false };
}

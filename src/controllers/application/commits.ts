/** What every applied step needs: commits with their audit entry, and the parts of a World it relies on. */
import { refText } from '../../api/meta.ts';
import { KeywardError } from '../../kernel/errors.ts';
import type { FormRecord } from '../../ledger/form.ts';
import type { AuditEntry } from '../../ledger/port.ts';
import { ledgerMoved } from '../../runtime/behind.ts';
import type { Deps } from './deps.ts';
import type { FormView, World } from './world.ts';

/** What the audit chain says about a commit; names, round and time are filled in, and the actor if absent. */
type Note = {
  readonly action: string;
  /** User name, `operator` or `schedule`; absent: operator. */
  readonly actor?: string;
  readonly facts?: AuditEntry['facts'];
};

/** Commits the next record of a form. @throws KeywardError Conflict when somebody else committed first */
export async function commit(
  { ledger, epoch, clock, committing }: Deps,
  record: FormRecord,
  { action, actor = 'operator', facts = {} }: Note,
): Promise<FormRecord> {
  const { namespace, name, round } = record;
  const about = round === undefined ? {} : { round: round.number, type: round.type };
  const { uid } = record;
  committing.add(uid);
  const { type } = await ledger
    .commitDocuments({
      changes: [{ kind: 'Form', document: record, expectedRevision: record.revision }],
      epoch: epoch(),
      audit: {
        action,
        actor,
        atMs: clock.nowMs(),
        facts: { namespace, application: name, ...about, ...facts },
      },
    })
    .finally(() => committing.delete(uid));
  if (type === 'Committed') return { ...record, revision: record.revision + 1 };
  throw ledgerMoved(`ApiKeyApplication ${refText(record)}`, type);
}

/** Commits the next record of this world's form; the world with the record as stored. */
export async function change(
  deps: Deps,
  world: World,
  record: FormRecord,
  note: Note,
): Promise<World> {
  return { ...world, record: await commit(deps, record, note) };
}

/** The record a planned step is about. */
export function mine(world: World): FormRecord {
  if (world.record !== undefined) return world.record;
  throw new KeywardError('Bug', {
    reason: 'RecordMissing',
    message: `ApiKeyApplication ${refText(world.ref)}: a step was planned for a record that does not exist`,
  });
}

/** The object a planned step is about. */
export function present(world: World): FormView {
  if (world.form !== undefined) return world.form;
  throw new KeywardError('Bug', {
    reason: 'ObjectMissing',
    message: `ApiKeyApplication ${refText(world.ref)}: a step was planned for an object that does not exist`,
  });
}

/** Who is behind the newest edit, as far as that is known: the last editor, else the applicant. */
export function author({ editors, applicant }: FormRecord): string {
  return editors.at(-1) ?? applicant.username;
}

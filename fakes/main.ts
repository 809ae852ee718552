/**
 * `npm run fake -- NAME [--port N] [--state FILE]`: a fake vendor alone, until it is interrupted. A
 * vendor's folder is found by name: fakes/NAME/fake.ts with a class `NameFake`.
 */
import { parseArgs } from 'node:util';
import { readOrExplain } from '../tools/flags.ts';
import { FakeVendor, type FakeOptions } from './vendor.ts';

const NAMES: Readonly<Record<string, string>> = {
  naver: 'NaverFake',
  solapi: 'SolapiFake',
  awkward: 'AwkwardFake',
};
const USAGE = `usage: npm run fake -- ${Object.keys(NAMES).join('|')} [--port N] [--state FILE]`;

const { values, positionals } = readOrExplain(USAGE, () =>
  parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      port: { type: 'string' },
      state: { type: 'string' },
    },
  }),
);
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const name = positionals[0] ?? '';
if (!Object.hasOwn(NAMES, name)) {
  console.error(USAGE);
  process.exit(2);
}
const fake = await open(name, {
  port: Number(values.port ?? 0),
  ...(values.state === undefined ? {} : { stateFile: values.state }),
});
await fake.start();
console.log(`address: ${fake.address}`);
for (const { id, credentials } of fake.accounts) {
  console.log(`account ${id}:`);
  for (const [entry, value] of Object.entries(credentials)) console.log(`  ${entry}: ${value}`);
}
console.log(`switches: ${fake.address}/__fake/ faults, state, acts, calls, hold`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void fake.stop().then(() => process.exit(0)));
}

/** Loaded by name, so that one fake does not need the others. */
async function open(which: string, options: FakeOptions): Promise<FakeVendor<unknown>> {
  // A module found by name is `unknown` until it was looked at; the check below is that look.
  const module = (await import(`./${which}/fake.ts`)) as Record<string, unknown>;
  const made = module[NAMES[which] ?? ''];
  if (typeof made !== 'function') throw new Error(`fakes/${which}/fake.ts has no ${NAMES[which]}`);
  const opened: unknown = Reflect.construct(made, [options]);
  if (!(opened instanceof FakeVendor)) throw new Error(`${NAMES[which]} is no FakeVendor`);
  return opened;
}

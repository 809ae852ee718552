/**
 * The rules of structure, checked on the source text. A violation is reported as
 * `file: what is wrong`. A file promises to be pure with the word "Pure" in its opening comment.
 */
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { EVENT_REASONS } from '../src/api/conditions.ts';
import { CONDITION_TABLES } from '../src/api/conditiontables.ts';
import { readSources, type Import, type Source } from './support/sources.ts';

const ROOT = posix.join(import.meta.dirname, '..');
const isGenerated = (source: Source): boolean => source.path.startsWith('src/api/generated/');
const sources = readSources(ROOT, ['src/**/*.ts']);
const written = sources.filter((source) => !isGenerated(source));
const byPath = new Map(sources.map((source) => [source.path, source]));
const everywhere = readSources(ROOT, [
  '{src,test,tools,demo,e2e,bench,control-plane,fakes,kit}/**/*.ts',
  'vitest.config.ts',
]);

/** Lowest first. Folders of one floor do not know each other. */
const FLOORS: readonly (readonly string[])[] = [
  ['kernel'],
  ['api'],
  ['keys'],
  ['terms'],
  ['kube', 'ledger'],
  ['runtime', 'stores'],
  ['controllers', 'gate', 'cli', 'config'],
  ['bin'],
];

/** What may be imported or used in one place only: [pattern of it, its home, as a sentence]. */
const SINGLE_HOMES: readonly { readonly name: RegExp; readonly home: RegExp }[] = [
  { name: /^process\.env$/, home: /^src\/config\/environment\.ts$/ },
  { name: /^process\.argv$/, home: /^src\/bin\// },
  { name: /^systemClock$/, home: /^src\/(bin\/|kernel\/clock\.ts$)/ },
  { name: /^systemEntropy$/, home: /^src\/(bin\/|kernel\/entropy\.ts$)/ },
  { name: /^node:sqlite$/, home: /^src\/ledger\// },
  { name: /^@kubernetes\/client-node$/, home: /^src\/kube\// },
  {
    name: /^node:(tls|https)$/,
    home: /^src\/(kube\/|stores\/(http|dialing)\.ts$|gate\/(http\/(server|tls)|grpc\/server)\.ts$)/,
  },
  { name: /^pg$/, home: /^src\/ledger\/postgres\// },
  { name: /^pino$/, home: /^src\/kernel\/log\.ts$/ },
  { name: /^prom-client$/, home: /^src\/kernel\/metrics\.ts$/ },
];

/** What a pure file, and all that it runs, never touches. */
const IMPURE_USES =
  /^(Date\.now|new Date|Math\.random|process|performance|fetch|console|setTimeout|setInterval|setImmediate|queueMicrotask|crypto|globalThis|Temporal\.Now)(\.|$)/;

/** Names that a pure file may take from Node's modules: computations without a hidden input. */
const PURE_NODE_NAMES: Readonly<Record<string, RegExp>> = {
  'node:buffer': /^Buffer$/,
  'node:crypto':
    /^(?!random|generate|getRandom|webcrypto|crypto$|subtle|checkPrime|\*|prng|pseudo|rng)/,
  'node:net': /^(isIP|isIPv4|isIPv6|BlockList|SocketAddress)$/,
  'node:zlib': /^crc32$/,
};

const FILE_LINES_MAX = 400;
const VAGUE_NAME = /(^|\/)(utils?|helpers?|common|misc|types)(\.[^/]*)?$/;

test('every event that is promised is reported by some code', () => {
  const texts = written
    .filter(({ path }) => !path.startsWith('src/api/'))
    .map(({ path }) => readFileSync(posix.join(ROOT, path), 'utf8'));
  const silent = Object.keys(EVENT_REASONS).filter(
    (reason) => !texts.some((text) => text.includes(`'${reason}'`)),
  );
  expect(silent).toEqual([]);
});

test.each([
  ['apikey', CONDITION_TABLES.ApiKey],
  ['application', CONDITION_TABLES.ApiKeyApplication],
  ['review', CONDITION_TABLES.ApiKeyReview],
  ['client', CONDITION_TABLES.ApiClient],
  ['product', CONDITION_TABLES.ApiProduct],
  ['keystore', CONDITION_TABLES.KeyStore],
])('every reason of a condition of %s is set by some code', (folder, { ready, further }) => {
  const text = written
    .filter(({ path }) => path.startsWith(`src/controllers/${folder}/`))
    .map(({ path }) => readFileSync(posix.join(ROOT, path), 'utf8'))
    .join('\n');
  const isRetried = Object.values(ready).some(({ companion }) => companion === 'Reconciling');
  const known = isRetried ? ['RetryingStore'] : [];
  const unset = Object.entries({ Ready: ready, ...further }).flatMap(([type, reasons]) =>
    Object.keys(reasons)
      .filter((reason) => type !== 'Stalled' && !known.includes(reason))
      // Quoted, or the key of a table of messages.
      .filter((reason) => !new RegExp(`'${reason}'|\\b${reason}: `).test(text))
      .map((reason) => `${type}/${reason}`),
  );
  expect(unset).toEqual([]);
});

describe('imports', () => {
  test('go down to a lower floor or stay inside their folder', () => {
    expect(
      complaints(written, (source) => source.imports.flatMap((to) => floorError(source, to))),
    ).toEqual([]);
  });

  test('of one key-store driver never reach into another', () => {
    const driverOf = (path: string): string => /^src\/stores\/([^/]+)\//.exec(path)?.[1] ?? '';
    expect(
      complaints(written, ({ path, imports }) =>
        imports
          .filter(({ target }) => driverOf(path) && driverOf(target))
          .filter(({ target }) => driverOf(path) !== driverOf(target))
          .map(({ target }) => `reaches into the driver "${driverOf(target)}"`),
      ),
    ).toEqual([]);
  });

  test('form no cycle, not even one of types', () => {
    expect(cycles()).toEqual([]);
  });

  test('of packages name declared dependencies only', () => {
    const { dependencies } = JSON.parse(readFileSync(posix.join(ROOT, 'package.json'), 'utf8'));
    const declared = new Set(Object.keys(dependencies));
    const packageOf = (name: string): string =>
      name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/');
    expect(
      complaints(written, ({ imports }) =>
        imports
          .filter(({ target, isOurs }) => !isOurs && !target.startsWith('node:'))
          .filter(({ target }) => !declared.has(packageOf(target)))
          .map(({ target }) => `"${target}" is no dependency of package.json`),
      ),
    ).toEqual([]);
  });

  test('never come from a barrel, because there is none', () => {
    expect(
      complaints(written, ({ passesOn }) => (passesOn ? ["passes on another file's exports"] : [])),
    ).toEqual([]);
  });
});

describe('purity', () => {
  const promised = written.filter(({ opening }) => /\bPure\b/.test(opening));

  test('is promised by at least one file', () => {
    expect(promised.length).toBeGreaterThan(0);
  });

  test('holds for each file that promises it and for all that it runs', () => {
    const found = promised.flatMap(({ path }) =>
      reached(path).flatMap((source) =>
        impurities(source).map((what) => `${path}: ${what} (in ${source.path})`),
      ),
    );
    expect(found).toEqual([]);
  });
});

describe('homes', () => {
  test.each(SINGLE_HOMES)('$name lives in $home only', ({ name, home }) => {
    const away = written.filter(({ path }) => !home.test(path));
    expect(
      complaints(away, ({ uses, imports }) =>
        [...uses, ...imports.map(({ target }) => target)]
          .filter((used) => name.test(used))
          .map((used) => `uses ${used}`),
      ),
    ).toEqual([]);
  });
});

describe('files', () => {
  test(`have at most ${FILE_LINES_MAX} lines`, () => {
    expect(
      complaints(written, ({ lines }) => (lines > FILE_LINES_MAX ? [`has ${lines} lines`] : [])),
    ).toEqual([]);
  });

  test('are named for what they hold: no utils, helpers, common, misc or types', () => {
    const vague = everywhere.map(({ path }) => path).filter((path) => VAGUE_NAME.test(path));
    expect(vague).toEqual([]);
  });

  test('say above every export what it is for', () => {
    expect(
      complaints(written, ({ exports }) =>
        exports
          .filter(({ isDocumented }) => !isDocumented)
          .map(({ name, line }) => `"${name}" in line ${line} has no doc comment`),
      ),
    ).toEqual([]);
  });

  test('open with a comment that says what they are for', () => {
    expect(
      complaints(written, ({ opening }) => (opening === '' ? ['has no opening comment'] : [])),
    ).toEqual([]);
  });
});

afterAll(() => {
  const lines = written.map((source) => source.lines).toSorted((a, b) => a - b);
  const at = (share: number): number => lines[Math.floor((lines.length - 1) * share)] ?? 0;
  const exported = written.flatMap((source) => source.exports);
  const documented = exported.filter(({ isDocumented }) => isDocumented).length;
  const share = ((100 * documented) / Math.max(exported.length, 1)).toFixed(1);
  console.log(
    `report: ${written.length} files in src, median ${at(0.5)} and p95 ${at(0.95)} lines; ` +
      `${share} % of ${exported.length} exports documented`,
  );
});

function complaints(
  among: readonly Source[],
  find: (source: Source) => readonly string[],
): readonly string[] {
  return among.flatMap((source) => find(source).map((what) => `${source.path}: ${what}`));
}

// ---- floors ----

type Place = { readonly floor: number; readonly folder: string };

/** Where a file lives. Each kind of controller is a folder of its own. */
function placeOf(path: string): Place | undefined {
  const [, top = '', second = ''] = path.split('/');
  const floor = FLOORS.findIndex((folders) => path.startsWith('src/') && folders.includes(top));
  const folder = top === 'controllers' ? `${top}/${second}` : top;
  return floor < 0 ? undefined : { floor, folder };
}

function floorError(source: Source, { target, isOurs }: Import): readonly string[] {
  if (!isOurs) return [];
  const from = placeOf(source.path);
  const to = placeOf(target);
  if (from === undefined) return ['lies on no floor'];
  if (to === undefined) return [`imports ${target}, which lies on no floor`];
  if (to.folder === from.folder || to.floor < from.floor) return [];
  return [`imports ${target} from ${to.floor > from.floor ? 'a higher' : 'its own'} floor`];
}

// ---- cycles and reach ----

/** Each cycle once, as `a → b → a`, beginning with the file that sorts first. */
function cycles(): readonly string[] {
  const found = new Set<string>();
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const again = trail.indexOf(path);
    if (again >= 0) found.add(cycleText(trail.slice(again)));
    if (again >= 0 || done.has(path)) return;
    for (const { target, isOurs } of byPath.get(path)?.imports ?? []) {
      if (isOurs) visit(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const path of byPath.keys()) visit(path, []);
  return [...found];
}

function cycleText(members: readonly string[]): string {
  const first = members.toSorted()[0] ?? '';
  const start = members.indexOf(first);
  return [...members.slice(start), ...members.slice(0, start), first].join(' → ');
}

/** The file and all of ours that run because of it; imports of types run nothing. */
function reached(path: string): readonly Source[] {
  const seen = new Set<string>();
  const queue = [path];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    const imports = byPath.get(next)?.imports ?? [];
    queue.push(...imports.filter((to) => to.isOurs && !to.isTypeOnly).map((to) => to.target));
  }
  return [...seen].flatMap((name) => byPath.get(name) ?? []);
}

function impurities({ uses, imports }: Source): readonly string[] {
  const used = [...uses].filter((name) => IMPURE_USES.test(name)).map((name) => `uses ${name}`);
  const taken = imports
    .filter(({ isOurs, isTypeOnly }) => !isOurs && !isTypeOnly)
    .flatMap(({ target, names }) =>
      names
        .filter((name) => !(PURE_NODE_NAMES[target]?.test(name) ?? false))
        .map((name) => `takes ${name} from ${target}`),
    );
  return [...used, ...taken];
}

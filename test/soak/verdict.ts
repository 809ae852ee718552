/** What a soak found, and whether that is well. Pure. */
import type { Look } from './looks.ts';
import { slopeOf, type Point } from './slope.ts';

/** Everything that was seen. */
export type Findings = {
  /** At rest: after the warm-up, after the load, at the end. */
  readonly warm: Look;
  readonly loaded: Look;
  readonly ended: Look;
  /** Under load. */
  readonly memory: Readonly<Record<'operator' | 'gate', readonly Point[]>>;
  /** Between the first two looks. */
  readonly lives: number;
  readonly asked: number;
  /** Each with its words. */
  readonly failedLives: readonly string[];
  readonly wrongAnswers: readonly string[];
  readonly idleWrites: readonly string[];
};

/** How much a heap may have grown, as a share, and the number of handles. Less is always well: connections end at rest. */
const HEAP_SHARE = 0.05;
const HANDLES = 5;

/** One sentence for each thing that is not as it must be; none: all is well. */
export function violations(findings: Findings): readonly string[] {
  const { warm, loaded, ended, failedLives, wrongAnswers, idleWrites } = findings;
  return [
    ...compare(warm, loaded, 'after the load'),
    ...compare(warm, ended, 'at the end'),
    ...(ended.databaseBytes > loaded.databaseBytes ? ['the database grew at rest'] : []),
    ...some(failedLives, 'lives of keys failed'),
    ...some(wrongAnswers, 'answers of the gate were wrong'),
    ...some(idleWrites, 'writes at rest beside the Lease'),
  ];
}

/** The figures, a line each. */
export function table({ warm, loaded, ended, memory, lives, asked }: Findings): string {
  const lines = warm.rests.flatMap(({ name }) => {
    const three = [warm, loaded, ended].map((look) => restOf(look, name));
    const { perHour, low, high } = slopeOf(memory[name]);
    return [
      `${name}: heap ${three.map(({ heapBytes }) => inMib(heapBytes)).join(', ')} MiB`,
      `${name}: handles ${three.map(({ handles }) => handles).join(', ')}`,
      `${name}: RSS ${three.map(({ rssMiB }) => rssMiB.toFixed(1)).join(', ')} MiB; under load ${perHour.toFixed(1)} MiB/h (95 %: ${low.toFixed(1)} to ${high.toFixed(1)})`,
    ];
  });
  const sizes = [warm, loaded, ended].map(({ databaseBytes }) => inMib(databaseBytes)).join(', ');
  const perLife = (loaded.databaseBytes - warm.databaseBytes) / Math.max(1, lives) / 1_024;
  return [
    'at rest, after warm-up, after load, at the end:',
    ...lines,
    `database: ${sizes} MiB; ${perLife.toFixed(2)} KiB for each life of a key`,
    `lives of keys under load: ${lives}; questions to the gate: ${asked}`,
  ].join('\n');
}

function compare(before: Look, after: Look, when: string): readonly string[] {
  return before.rests.flatMap(({ name, heapBytes, handles }) => {
    const now = restOf(after, name);
    const share = now.heapBytes / heapBytes - 1;
    return [
      ...(share > HEAP_SHARE
        ? [`the heap of the ${name} ${when} grew by ${(share * 100).toFixed(1)} %`]
        : []),
      ...(now.handles - handles > HANDLES
        ? [`the ${name} has ${now.handles} handles ${when}, and had ${handles}`]
        : []),
    ];
  });
}

function restOf(look: Look, name: string): Look['rests'][number] {
  const rest = look.rests.find((one) => one.name === name);
  if (rest === undefined) throw new Error(`nobody looked at the ${name}`);
  return rest;
}

function some(list: readonly string[], what: string): readonly string[] {
  return list.length === 0
    ? []
    : [`${list.length} ${what}, such as ${list.slice(0, 3).join('; ')}`];
}

function inMib(bytes: number): string {
  return (bytes / 1_048_576).toFixed(2);
}

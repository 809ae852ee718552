/** From the figures of all rounds to the lines of the table, and to pass or fail. Pure. */
import type { Arrival, Idle } from './afterwards.ts';
import { median, spread } from './figures.ts';
import type { BareRun, OperatorRun } from './runs.ts';
import type { Sample } from './sample.ts';

/** Beyond this spread of W, ratios of neighbouring runs say little. */
const UNSTEADY = 0.2;

/** One round: both runs on copies of the same data. */
export type Round = { readonly bare: BareRun; readonly operator: OperatorRun };

/** All that was measured at one number of keys. */
export type Series = {
  readonly keys: number;
  readonly rounds: readonly Round[];
  readonly idle?: Idle;
  readonly arriveAtOperator?: Arrival;
  readonly arriveAtBare?: Arrival;
};

/** One line of the table; `goal` and `floor` are empty where the design names none. */
export type Line = {
  readonly name: string;
  readonly value: string;
  readonly goal: string;
  readonly floor: string;
};

/** The lines for one series, each value the median over its rounds. */
export function summarize(series: Series, sample: Sample): readonly Line[] {
  const { keys, rounds } = series;
  const mid = (of: (round: Round) => number): number => median(rounds.map(of));
  const share = (of: 'steadyRate' | 'fromStartRate') => (round: Round) =>
    round.operator[of] / round.bare[of];
  const startMs = (sample.startCpuSeconds * 1_000) / keys;
  const wRates = rounds.map(({ bare }) => bare.steadyRate);
  return [
    line('keys Ready', mid((r) => r.operator.ready).toFixed(0), String(keys), String(keys)),
    line('API writes per key', mid((r) => r.operator.writesPerKey).toFixed(3), '2.000', '2.000'),
    line('live reads', mid((r) => r.operator.liveReads).toFixed(0), '0', '0'),
    line('W, pairs/s', `${mid((r) => r.bare.steadyRate).toFixed(0)} ${plusMinus(wRates)}`),
    line('operator, keys/s', mid((r) => r.operator.steadyRate).toFixed(0)),
    line('share of W, first Ready to last', percent(mid(share('steadyRate'))), '90 %', '70 %'),
    line('share of W, from process start', percent(mid(share('fromStartRate')))),
    line(
      'CPU per key, whole process',
      `${mid((r) => r.operator.cpuMs).toFixed(2)} ms`,
      '0.70',
      '1.00',
    ),
    line(
      'CPU per key, start-up taken off',
      `${mid((r) => r.operator.cpuMs - startMs).toFixed(2)} ms`,
    ),
    line('CPU per key, bare client', `${mid((r) => r.bare.cpuMs).toFixed(2)} ms`),
    line('API server CPU per key', `${mid((r) => r.operator.serverCpuMs).toFixed(2)} ms`),
    line('API server CPU per bare pair', `${mid((r) => r.bare.serverCpuMs).toFixed(2)} ms`),
    line('RSS, all Ready', mib(mid((r) => r.operator.memory.residentMiB)), ...memoryGoal(keys)),
    line('RSS, highest', mib(mid((r) => r.operator.memory.peakMiB))),
    line('RSS after a restart', mib(mid((r) => r.operator.restart.memory.residentMiB))),
    line('restart: writes', mid((r) => r.operator.restart.writes).toFixed(0), '0', '0'),
    line('restart: live reads', mid((r) => r.operator.restart.reads).toFixed(0)),
    line('restart: until ready', seconds(mid((r) => r.operator.restart.readySeconds))),
    line('restart: all looked at', seconds(mid((r) => r.operator.restart.lookedAtSeconds))),
    line('restart: CPU', seconds(mid((r) => r.operator.restart.cpuSeconds))),
    ...idleLines(series),
    ...arrivalLines(series),
  ];
}

/** What must hold whatever the machine: counts, never times. One sentence for each that does not. */
export function violations(series: Series): readonly string[] {
  const { keys, rounds, arriveAtOperator: arrival } = series;
  const inRounds = rounds.flatMap(({ operator }, at) => {
    const where = `${keys} keys, round ${at + 1}`;
    const { ready, writesPerKey, liveReads, restart } = operator;
    return [
      ready === keys ? '' : `${where}: ${ready} keys became Ready`,
      writesPerKey === 2 ? '' : `${where}: ${writesPerKey} API writes per key, not 2`,
      liveReads === 0 ? '' : `${where}: ${liveReads} live reads, not 0`,
      restart.writes === 0 ? '' : `${where}: ${restart.writes} writes after a restart, not 0`,
    ];
  });
  const missing = arrival?.missing ?? 0;
  const atHalfLoad = missing === 0 ? '' : `half load: ${missing} keys never became Ready`;
  return [...inRounds, atHalfLoad].filter((sentence) => sentence !== '');
}

/** A sentence where the machine was too busy for its ratios to be believed; undefined otherwise. */
export function caution({ keys, rounds }: Series): string | undefined {
  const apart = spread(rounds.map(({ bare }) => bare.steadyRate));
  if (rounds.length < 2 || apart <= UNSTEADY) return undefined;
  return `${keys} keys: W differed by ${percent(apart)} between rounds; repeat on a quiet machine before believing rates or shares`;
}

/** The table as text; columns are as wide as their widest entry. */
export function table(lines: readonly Line[]): string {
  const rows = [{ name: '', value: 'measured', goal: 'goal', floor: 'floor' }, ...lines];
  const width = (of: keyof Line): number => Math.max(...rows.map((row) => row[of].length));
  return rows
    .map((row) =>
      [
        row.name.padEnd(width('name')),
        row.value.padStart(width('value')),
        row.goal.padStart(width('goal')),
        row.floor.padStart(width('floor')),
      ].join('  '),
    )
    .join('\n');
}

function idleLines({ idle }: Series): readonly Line[] {
  if (idle === undefined) return [];
  return [
    line('idle: CPU', `${idle.millicores.toFixed(1)} millicores`, '2', '10'),
    line('idle: writes beside the Lease', String(idle.writes), '0', '0'),
    line('idle: RSS', mib(idle.memory.residentMiB)),
  ];
}

function arrivalLines({ arriveAtOperator: ours, arriveAtBare: bare }: Series): readonly Line[] {
  if (ours === undefined || bare === undefined) return [];
  const pairMs = bare.pairMs.p50;
  const times = ours.createdToReadyMs.p99 / pairMs;
  return [
    line('half load: keys/s arriving', ours.rate.toFixed(0)),
    line('half load: never Ready', String(ours.missing), '0', '0'),
    line('half load: bare pair p50', `${pairMs.toFixed(1)} ms`),
    line('half load: bare create-to-Ready p99', `${bare.createdToReadyMs.p99.toFixed(1)} ms`),
    line('half load: create-to-Ready p50', `${ours.createdToReadyMs.p50.toFixed(1)} ms`),
    line('half load: create-to-Ready p99', `${ours.createdToReadyMs.p99.toFixed(1)} ms`),
    line('half load: p99 in bare pair p50s', `${times.toFixed(1)} times`, '5', '10'),
  ];
}

function line(name: string, value: string, goal = '', floor = ''): Line {
  return { name, value, goal, floor };
}

/** Design 14 names two sizes; between them there is nothing to compare with. */
function memoryGoal(keys: number): [string, string] {
  if (keys === 10_000) return ['90', '120'];
  return keys === 100_000 ? ['180', '300'] : ['', ''];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function plusMinus(values: readonly number[]): string {
  return values.length < 2 ? '' : `(spread ${percent(spread(values))})`;
}

function mib(value: number): string {
  return `${value.toFixed(0)} MiB`;
}

function seconds(value: number): string {
  return `${value.toFixed(2)} s`;
}

/** A layer made of vitest projects. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runFile } from './command.ts';
import { add, NOTHING, type Tally } from './tally.ts';

type Report = {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
};

/**
 * Runs the projects and counts. A file that fails before any of its tests does is one failure, and
 * so is a run that ends badly though no test says so.
 */
export async function runProjects(projects: readonly string[]): Promise<Tally> {
  const folder = await mkdtemp(join(tmpdir(), 'keyward-report-'));
  const reportFile = join(folder, 'report.json');
  try {
    const { code, output } = await runFile('node_modules/vitest/vitest.mjs', [
      'run',
      '--passWithNoTests',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${reportFile}`,
      ...projects.map((project) => `--project=${project}`),
    ]);
    const tally = await countOf(reportFile);
    if (code === 0 && tally.failed === 0) return { ...tally, output: notesOf(output) };
    return { ...tally, failed: Math.max(tally.failed, 1), output };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function countOf(reportFile: string): Promise<Tally> {
  // Vitest writes no report when it could not even begin; the exit code says so then.
  const text = await readFile(reportFile, 'utf8').catch(() => '{"testResults":[]}');
  const report: Report = JSON.parse(text);
  return report.testResults.map(fileTally).reduce(add, NOTHING);
}

function fileTally(file: Report['testResults'][number]): Tally {
  const named = (...statuses: string[]): readonly string[] =>
    file.assertionResults
      .filter(({ status }) => statuses.includes(status))
      .map(({ fullName }) => fullName);
  const failed = named('failed').length;
  return {
    passed: named('passed').length,
    failed: failed === 0 && file.status === 'failed' ? 1 : failed,
    skipped: named('pending', 'skipped', 'todo', 'disabled'),
    output: '',
  };
}

/** Figures that a suite prints for the log begin with `report:`. */
function notesOf(output: string): string {
  return output
    .split('\n')
    .filter((line) => line.startsWith('report:'))
    .map((line) => `${line}\n`)
    .join('');
}

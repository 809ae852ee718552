/** What Argo CD and Flux say about the object of each row; asked of their own code. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { askGitops, type Answer, type Question } from '../../../control-plane/gitops.ts';
import { ROOT } from '../../runner/command.ts';
import type { Kind, Shown } from './situation.ts';
import { KINDS, MAKERS, rowsOf, type Row } from './states.ts';

/** Where the scripts of a kind are. */
export function argoFolder(kind: Kind): string {
  return join(ROOT, 'contrib', 'argocd', 'resource_customizations', 'keyward.dev', kind);
}

/** The settings of Argo CD as people apply them. */
export function argoSettings(): Readonly<Record<string, string>> {
  const file = join(ROOT, 'contrib', 'argocd', 'argocd-cm.yaml');
  // Parser: our own file.
  const { data } = parse(readFileSync(file, 'utf8')) as {
    readonly data: Readonly<Record<string, string>>;
  };
  return data;
}

/** The health checks of a variant for Flux, as they stand in a Kustomization. */
export function fluxChecks(variant: 'strict' | 'tolerant'): unknown {
  const text = readFileSync(join(ROOT, 'contrib', 'flux', 'healthchecks.yaml'), 'utf8');
  const found = parseAllDocuments(text)
    // Parser: our own file.
    .map((document) => document.toJS() as Kustomization)
    .find(({ metadata }) => metadata.name === variant);
  if (found === undefined) throw new Error(`there is no variant ${variant}`);
  return found.spec.healthCheckExprs;
}

type Kustomization = {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly healthCheckExprs: unknown };
};

/** A verdict with its message. */
export type Said = { readonly status: string; readonly message?: string };

/** What everybody said about one object. */
export type Verdicts = {
  /** By the script, with the libraries that Argo CD gives its own ones. */
  readonly argo: Said;
  /** By the settings, without them. */
  readonly settings: Said;
  readonly kstatus: Said;
  readonly strict: Said;
  readonly tolerant: Said;
};

/** A row with its object and the verdicts. */
export type Judged = {
  readonly kind: Kind;
  readonly row: Row;
  readonly object: Shown;
  readonly verdicts: Verdicts;
};

/** Every row of every kind. @throws when one cannot be made or judged */
export async function judgeAll(): Promise<readonly Judged[]> {
  const rows = KINDS.flatMap((kind) => rowsOf(kind).map((row) => ({ kind, row })));
  const objects = await Promise.all(
    rows.map(async ({ kind, row }) => {
      const make = MAKERS[kind][row.name];
      if (make === undefined) throw new Error(`nobody makes ${kind} ${row.name}`);
      return { kind, row, object: await make() };
    }),
  );
  const verdicts = await judge(objects.map(({ object }) => object));
  return objects.map((judged, at) => ({ ...judged, verdicts: verdicts[at] as Verdicts }));
}

const QUESTIONS = 5;

/** The verdicts on each of these objects. */
export async function judge(objects: readonly Shown[]): Promise<readonly Verdicts[]> {
  const settings = argoSettings();
  const [strict, tolerant] = [fluxChecks('strict'), fluxChecks('tolerant')];
  const questions = objects.flatMap((object): readonly Question[] => {
    const script = readFileSync(join(argoFolder(object.kind), 'health.lua'), 'utf8');
    return [
      { op: 'argo-health', object, script },
      { op: 'argo-settings-health', object, settings },
      { op: 'kstatus', object },
      { op: 'flux-health', object, healthChecks: strict },
      { op: 'flux-health', object, healthChecks: tolerant },
    ];
  });
  const answers = await askGitops(questions);
  return objects.map((_, at) => verdictsOf(answers.slice(at * QUESTIONS, (at + 1) * QUESTIONS)));
}

function verdictsOf(answers: readonly Answer[]): Verdicts {
  const [argo, settings, kstatus, strict, tolerant] = answers.map(said);
  // Five answers, one for each question.
  return { argo, settings, kstatus, strict, tolerant } as Verdicts;
}

function said(answer: Answer): Said {
  if (answer.error !== undefined) throw new Error(answer.error);
  // Parser: gitops/argo.go and gitops/flux.go write this shape.
  return answer.result as Said;
}

/**
 * The switches of a fake vendor over HTTP, for the crash runner, the demo and a person with curl:
 *
 *     GET POST DELETE  /__fake/faults          rules; POST one (kit/fake.ts), DELETE clears everything
 *     GET PATCH        /__fake/state           credentials with values, and the settings
 *     POST             /__fake/acts            what a stranger does in the vendor's console
 *     GET DELETE       /__fake/calls           what reached the vendor
 *     GET POST DELETE  /__fake/hold            {"operation","point":"Before|After","nth"}; DELETE lets all go
 *     GET              /__fake/hold/N          answers when the call stands still
 *     POST             /__fake/hold/N/release  {"end":"Go|Cut"}
 */
import type { Fault, FaultRule, PageShift, StrangerAct } from '../kit/fake.ts';
import type { HoldEnd, HoldPoint } from './holds.ts';
import type { FakeAnswer, FakeRequest, FakeVendor } from './vendor.ts';

/** Below it lies everything that the vendor does not have. */
export const CONTROL_PATH = '/__fake/';

type Settings = {
  readonly listLagMs?: number;
  readonly pageShift?: readonly PageShift[];
  readonly clockOffsetMs?: number;
};

/** Answers a request to one of the switches. */
export async function control(
  fake: FakeVendor<unknown>,
  request: FakeRequest,
): Promise<FakeAnswer> {
  const [name, index, verb] = request.pathname.slice(CONTROL_PATH.length).split('/');
  try {
    if (name === 'hold') return await hold(fake, request, { index, verb });
    return change(fake, `${request.method} ${name}`, request.body);
  } catch (err) {
    return { status: 400, body: { message: err instanceof Error ? err.message : 'refused' } };
  }
}

function change(fake: FakeVendor<unknown>, what: string, body: string): FakeAnswer {
  switch (what) {
    case 'GET faults':
      return { status: 200, body: fake.rules };
    case 'POST faults':
      fake.inject(checked(parse<FaultRule>(body)));
      return { status: 201 };
    case 'DELETE faults':
      fake.clear();
      return { status: 204 };
    case 'GET calls':
      return { status: 200, body: fake.calls };
    case 'DELETE calls':
      fake.forgetCalls();
      return { status: 204 };
    case 'POST acts':
      return { status: 200, body: { id: fake.act(parse<StrangerAct>(body)) } };
    case 'GET state':
      return { status: 200, body: stateOf(fake) };
    case 'PATCH state':
      set(fake, parse<Settings>(body));
      return { status: 200, body: stateOf(fake) };
    default:
      return { status: 404, body: { message: 'a fake vendor has no such switch' } };
  }
}

async function hold(
  fake: FakeVendor<unknown>,
  { method, body }: FakeRequest,
  { index, verb }: { readonly index: string | undefined; readonly verb: string | undefined },
): Promise<FakeAnswer> {
  const { holds } = fake;
  if (index === undefined && method === 'POST') {
    const asked = parse<{ operation?: string; point?: HoldPoint; nth?: number }>(body);
    holds.add(asked.operation ?? '*', asked.point, asked.nth);
    return { status: 201, body: { index: holds.all.length - 1 } };
  }
  if (index === undefined && method === 'DELETE') {
    holds.releaseAll();
    return { status: 204 };
  }
  if (index === undefined) {
    return {
      status: 200,
      body: holds.all.map(({ operation, point, state }) => ({ operation, point, state })),
    };
  }
  const held = holds.all[Number(index)];
  if (held === undefined) return { status: 404 };
  if (verb === 'release') held.release(parse<{ end?: HoldEnd }>(body).end);
  else await held.arrived;
  return { status: 200, body: { state: held.state } };
}

function stateOf(fake: FakeVendor<unknown>): unknown {
  const { listLagMs, pageShift, clockOffsetMs, accounts } = fake;
  return { accounts, credentials: fake.credentials(), listLagMs, pageShift, clockOffsetMs };
}

function set(fake: FakeVendor<unknown>, settings: Settings): void {
  fake.listLagMs = settings.listLagMs ?? fake.listLagMs;
  fake.pageShift = settings.pageShift ?? fake.pageShift;
  fake.clockOffsetMs = settings.clockOffsetMs ?? fake.clockOffsetMs;
}

/** A kind with a typing error would meet nothing, and the test that wanted it would prove nothing. */
const KINDS: Readonly<Record<Fault['kind'], true>> = {
  Status: true,
  Cut: true,
  LostAnswer: true,
  Torn: true,
  Hang: true,
  Twice: true,
  Redirect: true,
  Huge: true,
  NotJson: true,
  DeepJson: true,
  GzipBomb: true,
  Late: true,
  EchoSecrets: true,
  StrangeMembers: true,
};

function checked(rule: FaultRule): FaultRule {
  const { operation, fault } = rule as Partial<FaultRule>;
  if (typeof operation !== 'string') throw new Error('a rule needs an operation, or "*"');
  if (fault === undefined || !Object.hasOwn(KINDS, fault.kind)) {
    throw new Error(`a rule needs a fault of kind ${Object.keys(KINDS).join(', ')}`);
  }
  return rule;
}

/** Whoever moves the switches is a test or a person at the keyboard: taken at their word. */
function parse<T>(body: string): T {
  return JSON.parse(body === '' ? '{}' : body) as T;
}

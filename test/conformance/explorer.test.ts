/** The protocol, walked through every order of what people, time, two leaders and faults can do. */
import { expect, test } from 'vitest';
import { SCENARIOS } from '../explorer/scenarios.ts';
import { explore } from '../explorer/search.ts';

const STATES_MAX = 400_000;

test.each(SCENARIOS)(
  'no order of faults breaks the protocol or keeps it from resting: $title',
  (scenario) => {
    const { states, findings } = explore(scenario, STATES_MAX);
    console.log(`${scenario.title}: ${states} states, ${scenario.faults} faults`);
    expect(findings).toEqual([]);
    expect(states).toBeGreaterThan(1_000);
  },
);

/** No value of any key stands in a log, in an event, or on this screen. */
import { expect } from '../../demo/expect.ts';
import type { Stage } from '../stage.ts';
import { SHOP, SYSTEM } from '../stage.ts';
import type { Step } from '../step.ts';

export const leaks: Step = {
  title: 'No value of a key in logs, events, or on this screen',
  short: 'no leaks',
  async run(stage) {
    const texts = { ...(await logsOf(stage)), events: await eventsOf(stage) };
    const all = Object.entries({ ...texts, 'this screen': stage.screen.text });
    expect('there are values to look for', stage.values.length > 0, '0');
    for (const [where, text] of all) {
      const found = stage.values.some((value) => text.includes(value.revealText()));
      expect(`no value in ${where}`, !found, 'there is one');
    }
    const bytes = all.reduce((sum, [, text]) => sum + text.length, 0);
    stage.screen.proof(`${stage.values.length} values, none of them in ${bytes} bytes`);
  },
};

async function logsOf(stage: Stage): Promise<Record<string, string>> {
  const logs: Record<string, string> = {};
  for (const namespace of [SYSTEM, SHOP]) {
    const pods = await stage.ask(['-n', namespace, 'get', 'pods', '-o', 'name']);
    for (const pod of pods.trim().split('\n')) {
      const args = ['-n', namespace, 'logs', pod, '--all-containers', '--tail=-1'];
      logs[`the log of ${pod}`] = (await stage.try(args)).stdout;
    }
  }
  return logs;
}

function eventsOf(stage: Stage): Promise<string> {
  return stage.ask(['get', 'events', '-A', '-o', 'yaml']);
}

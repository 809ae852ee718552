/** What Linux says about a running process. */
import { readdir, readFile } from 'node:fs/promises';

/** Clock ticks per second of /proc; 100 on every Linux that runs Node. */
const TICKS_PER_SECOND = 100;
const NS_PER_SECOND = 1e9;

/** Processor time so far, all threads, user and system; precise to 10 ms. */
export async function cpuSeconds(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The second field is the name in brackets and may hold spaces.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/**
 * Processor time so far of the threads that live now, to the nanosecond; for differences of a few
 * milliseconds in a process whose threads stay.
 */
export async function threadSeconds(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const texts = await Promise.all(
    threads.map((id) => readFile(`/proc/${pid}/task/${id}/schedstat`, 'utf8')),
  );
  return texts.reduce((total, text) => total + Number(text.split(' ')[0]), 0) / NS_PER_SECOND;
}

/** Resident memory in MiB: now, and the highest since the start. */
export type Memory = { readonly residentMiB: number; readonly peakMiB: number };

export async function memory(pid: number): Promise<Memory> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  const mib = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) / 1_024;
  return { residentMiB: mib('VmRSS'), peakMiB: mib('VmHWM') };
}

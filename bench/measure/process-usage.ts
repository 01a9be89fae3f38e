import { readFileSync } from 'node:fs';

/** The kernel's counters of a process. Linux only: read from /proc. */

/** Linux shows CPU times in hundredths of a second (USER_HZ), whatever the kernel counts in. */
const MS_PER_TICK = 10;

/** CPU time that the process and its threads have used, user and system, in milliseconds. Throws if there is no such process. */
export function cpuMs(pid: number): number {
  return parseCpuMs(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

/** Peak resident memory, in MiB. Throws if there is no such process. */
export function peakRssMb(pid: number): number {
  return parsePeakRssMb(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

/** From the text of /proc/PID/stat: fields 14 and 15, counted from the end of the name, which may contain spaces and brackets. */
export function parseCpuMs(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  if (!Number.isFinite(ticks)) throw new TypeError('The text is not that of /proc/PID/stat.');
  return ticks * MS_PER_TICK;
}

/** From the text of /proc/PID/status. */
export function parsePeakRssMb(status: string): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kib === undefined) throw new TypeError('The text is not that of /proc/PID/status.');
  return Number(kib) / 1024;
}

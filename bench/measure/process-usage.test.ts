import { describe, expect, test } from 'vitest';
import { cpuMs, parseCpuMs, parsePeakRssMb, peakRssMb } from './process-usage.ts';

test('CPU time is user plus system time, also after a name with spaces and brackets', () => {
  const rest = 'S 1 2 2 0 -1 4194560 100 0 0 0 250 50 7 9 20 0 11 0 100 1 2';
  expect(parseCpuMs(`42 (node) ${rest}`)).toBe(3000);
  expect(parseCpuMs(`42 (a) b (c) ${rest}`)).toBe(3000);
});

test('peak memory is read in MiB', () => {
  expect(parsePeakRssMb('Name:\tnode\nVmPeak:\t  999 kB\nVmHWM:\t  104448 kB\nVmRSS:\t   5 kB\n')).toBe(102);
});

describe('another text is refused', () => {
  test('for the CPU time', () => {
    expect(() => parseCpuMs('42 (node) S')).toThrow(TypeError);
  });

  test('for the memory', () => {
    expect(() => parsePeakRssMb('Name:\tnode\n')).toThrow(TypeError);
  });
});

test('this process can be measured', () => {
  expect(cpuMs(process.pid)).toBeGreaterThan(0);
  expect(peakRssMb(process.pid)).toBeGreaterThan(10);
});

test('a process that does not exist is an error', () => {
  expect(() => cpuMs(2 ** 22 + 1)).toThrow('ENOENT');
});

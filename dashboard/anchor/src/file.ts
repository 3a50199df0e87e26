/** What can be said about a file before it is sent. */
import { MAX_MIB } from './data';

const MIB = 1024 * 1024;

/** Why a file is not sent: "" when nothing speaks against it, or a locale key. */
export function judgeFile(file: {
  name: string;
  size: number;
}): '' | 'wrong_type' | 'empty' | 'too_big' {
  if (!/\.(xlsx|csv)$/i.test(file.name)) return 'wrong_type';
  if (file.size === 0) return 'empty';
  return file.size > largest(file.name) * MIB ? 'too_big' : '';
}

/** How large a file of this name may be, in MiB. */
export const largest = (name: string) => (/\.csv$/i.test(name) ? MAX_MIB.csv : MAX_MIB.xlsx);

/** Bytes as MiB with one decimal, rounded up so that a file over the limit looks over it. */
export const mib = (bytes: number) => (Math.ceil((bytes / MIB) * 10) / 10).toFixed(1);

/** The name of a file without what tells its type: "供应商.2026.xlsx" → "供应商.2026". */
export const stem = (name: string) => name.replace(/\.\w+$/, '');

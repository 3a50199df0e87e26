import type { IntakeRemark, RowError } from '@furrow/shared/api/types';

/** Remarks on cells such as "C7" as the table of mistakes shows them, by row and column name. */
export function rowErrors(remarks: IntakeRemark[], column: (field: string) => string): RowError[] {
  return remarks.map((r) => ({
    row: Number(/\d+$/.exec(r.cell)?.[0] ?? 0),
    cell: r.cell,
    column: column(r.column),
    value: r.args?.value ?? '',
    code: r.code,
    message: r.why,
    ...(r.args ? { args: r.args } : {}),
  }));
}

import { useSession } from '@furrow/shared/session';

/** Whether the person may change things: auditors read only. */
export function useMay(): boolean {
  return useSession().user.role === 'officer';
}

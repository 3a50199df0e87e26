/** What each kind of alert needs to be said in one sentence; the text is alerts.said.<kind>. */
const needs: Record<string, string[]> = {
  fence_exit: ['distance_m'],
  stillness: ['still_hours'],
  silence: ['last_heard'],
  gateway_silent: ['silent', 'tags'],
  impostor: ['device', 'as'],
  carrier: ['hours', 'temp_c', 'own_temp_c'],
  fever: ['rise_c', 'hours'],
  oestrus: ['active_percent'],
  idleness: ['percent_of_week'],
  two_tags: ['other', 'hours'],
  two_places: ['apart_m', 'turns'],
  count_short: ['tags', 'low', 'high'],
  store_down: [],
  endangered: ['shock', 'loss', 'cause', 'outstanding', 'hit'],
};

/** What the sentence of a kind says, so that it need not be listed again. */
const beside: Record<string, string[]> = {
  two_tags: ['other_tag', 'tag'],
  store_down: ['why'],
};

/** Whether an alert can be said in a sentence, and which of its values that takes. */
export function sayable(
  kind: string,
  evidence: Record<string, string> | null | undefined,
): { needs: string[]; left: Record<string, string> } | undefined {
  const all = needs[kind];
  if (!all?.every((k) => evidence?.[k])) return undefined;
  const said = new Set([...all, ...(beside[kind] ?? [])]);
  const left = Object.entries(evidence ?? {}).filter(([k]) => !said.has(k));
  return { needs: all, left: Object.fromEntries(left) };
}

/** The JSON of the domain values, as the Go structs write it. Money is fen. */

export type Fen = number;
/** A share of one in 1e-8 units: 4.35 % is 4350000. */
export type Rate = number;
export type Position = [number, number];
export type Rings = Position[][];
export type Severity = 'info' | 'warning' | 'critical';

export interface Page<T> {
  items: T[] | null;
  next: string;
}

export type Role = 'officer' | 'borrower' | 'anchor' | 'partner' | 'auditor' | 'operator';

export interface User {
  id: string;
  tenant: string;
  login: string;
  name: string;
  role: Role;
  firm_id?: string;
  created_at: string;
}

export interface Plot {
  id: string;
  owner_id: string;
  owner_name: string;
  name: string;
  region: string;
  polygon: Rings;
  area_m2: number;
  crop: string;
  source_crs: string;
  source: string;
  created_at: string;
}

export interface Observation {
  date: string;
  ndvi: number;
  std_dev: number;
  coverage: number;
  valid: boolean;
  reason?: string;
  scene?: string;
}

export interface SmoothPoint {
  date: string;
  ndvi: number;
  in_gap: boolean;
}

export interface Hazard {
  kind: string;
  start: string;
  end: string;
  share: number;
  confidence: number;
  evidence: Record<string, string> | null;
}

export interface Worth {
  yield_kg_per_mu: [number, number, number];
  price_fen_per_kg: Fen;
  price_date: string;
  low: Fen;
  middle: Fen;
  high: Fen;
  basis: string;
}

export type Status = 'known' | 'low_confidence' | 'unknown';

export interface CropReport {
  plot_id: string;
  season: { name: string; start: string; end: string };
  status: Status;
  reason?: string;
  area_m2: number;
  mu: number;
  crop: string;
  confidence: number;
  guesses: { crop: string; probability: number }[] | null;
  declared: string;
  vigour: number;
  phenology: {
    start?: string;
    peak?: string;
    end?: string;
    peak_ndvi: number;
    seasons: number;
  };
  observations: Observation[] | null;
  curve: SmoothPoint[] | null;
  hazards: Hazard[] | null;
  worth?: Worth;
  full_pixels: number;
  clear_dates: number;
  total_dates: number;
  last_clear?: string;
  sources: string[] | null;
  method: string;
  made_at: string;
}

export interface Overlap {
  plot_id: string;
  share: number;
  m2: number;
}

export interface Herd {
  id: string;
  owner_id: string;
  owner_name: string;
  name: string;
  species: string;
  fence: Rings;
  created_at: string;
}

export interface HerdReport {
  herd_id: string;
  status: Status;
  reason?: string;
  species: string;
  registered: number;
  verified: number;
  outside: number;
  silent: number;
  unverified: number;
  no_data: number;
  value: Fen;
  value_low: Fen;
  value_high: Fen;
  basis: string;
  last_heard?: string;
  method: string;
  made_at: string;
}

export type AnimalStatus =
  | 'inside'
  | 'outside'
  | 'never_entered'
  | 'silent'
  | 'unverified'
  | 'no_data';

export interface AnimalState {
  animal_id: string;
  code: string;
  tag_id: string;
  status: AnimalStatus;
  lon?: number;
  lat?: number;
  last_fix?: string;
  last_heard?: string;
  temp_c?: number;
  activity?: number;
  battery_v?: number;
  reason?: string;
}

export interface Device {
  id: string;
  kind: 'tag' | 'gateway';
  herd_id: string;
  revoked: boolean;
  created_at: string;
}

export interface Party {
  id: string;
  uscc: string;
  name: string;
  owner_id?: string;
  anchor: boolean;
  industry?: string;
  region?: string;
  legal_rep?: string;
  created_at: string;
}

export type DocKind = 'suppliers' | 'orders' | 'deliveries' | 'invoices' | 'payments';

export interface Document {
  id: string;
  kind: DocKind;
  number: string;
  order_no?: string;
  seller_id: string;
  buyer_id: string;
  amount: Fen;
  goods?: string;
  date: string;
  upload_id: string;
  funder?: string;
}

export interface Link {
  seller_id: string;
  buyer_id: string;
  seller: string;
  buyer: string;
  orders: number;
  invoices: number;
  payments: number;
  invoiced: Fen;
  paid: Fen;
  first_date: string;
  last_date: string;
}

export interface Finding {
  kind: string;
  severity: Severity;
  firm_ids: string[] | null;
  documents: Document[] | null;
  evidence: Record<string, string> | null;
}

export interface Standing {
  firm_id: string;
  status: Status;
  reason?: string;
  anchors:
    | {
        anchor_id: string;
        name: string;
        tier: number;
        invoiced: Fen;
        share: number;
        months: number;
      }[]
    | null;
  invoiced_12m: Fen;
  monthly: Fen[] | null;
  proven: number;
  counterparties: number;
  findings: Finding[] | null;
  confidence: number;
  method: string;
  made_at: string;
}

export interface Neighbourhood {
  nodes: { id: string; name: string; anchor: boolean; tier: number }[] | null;
  links: Link[] | null;
}

export interface RowError {
  row: number;
  column: string;
  cell: string;
  value: string;
  code: string;
  message: string;
}

export interface Upload {
  id: string;
  anchor_id: string;
  user_id: string;
  user_name: string;
  kind: DocKind;
  file_name: string;
  sha256: string;
  state: 'checked' | 'committed' | 'undone';
  rows: number;
  good: number;
  known: number;
  bad: number;
  errors: RowError[] | null;
  created_at: string;
  done_at?: string;
}

export type SubjectKind = 'plot' | 'herd' | 'firm';

export interface Subject {
  kind: SubjectKind;
  id: string;
}

export interface Evidence {
  applicant: { user_id: string; name: string; debts: Fen; worst_overdue_days: number };
  subject: Subject;
  product: string;
  asked: Fen;
  crop?: CropReport;
  herd?: HerdReport;
  standing?: Standing;
  overlaps: Overlap[] | null;
  alerts: string[] | null;
  pledged: string;
  taken_at: string;
}

export type Outcome = 'offer' | 'refer' | 'refuse';

export interface Reason {
  code: string;
  effect: 'refuse' | 'refer' | 'lower' | 'raise' | 'info';
  message: string;
  args?: Record<string, string>;
  amount: Fen;
}

export interface Decision {
  id: string;
  application_id: string;
  outcome: Outcome;
  limit: Fen;
  rate: Rate;
  term_months: number;
  score: number;
  reasons: Reason[] | null;
  evidence_hash: string;
  policy: string;
  made_at: string;
  micros: number;
}

export type ApplicationState =
  | 'submitted'
  | 'deciding'
  | 'offered'
  | 'referred'
  | 'refused'
  | 'signed'
  | 'active'
  | 'closed'
  | 'withdrawn'
  | 'expired';

export interface Application {
  id: string;
  user_id: string;
  user_name: string;
  subject: Subject;
  subject_name: string;
  product: string;
  asked: Fen;
  term_months: number;
  purpose: string;
  state: ApplicationState;
  decision_id?: string;
  loan_id?: string;
  limit: Fen;
  rate: Rate;
  created_at: string;
  updated_at: string;
}

export interface Step {
  application_id: string;
  from: ApplicationState | '';
  to: ApplicationState;
  actor: string;
  actor_name: string;
  note?: string;
  at: string;
}

export interface Contract {
  application_id: string;
  text: string;
  hash: string;
  limit: Fen;
  rate: Rate;
  term_months: number;
  method: string;
  signed_by?: string;
  signed_at?: string;
  device?: string;
}

export interface Alert {
  id: string;
  kind: string;
  severity: Severity;
  subject_kind: SubjectKind | 'loan';
  subject_id: string;
  item?: string;
  label: string;
  loan_id?: string;
  evidence: Record<string, string> | null;
  count: number;
  event_at: string;
  opened_at: string;
  updated_at: string;
  closed_at?: string;
  closed_by?: string;
  cause?: string;
}

/** Names in both languages, as catalogue entries carry them. */
export interface Named {
  code: string;
  zh: string;
  en: string;
}

/** What the live socket says. */
export type LiveMessage =
  | { type: 'alert'; alert: Alert }
  | { type: 'position'; herd_id: string; state: AnimalState }
  | { type: 'application'; application: Application }
  | { type: 'plot'; plot_id: string };

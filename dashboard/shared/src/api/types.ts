/**
 * The JSON of the API by the names of the domain, from the generated schema.
 * Money is fen, areas are m², times are RFC 3339 in UTC.
 */
export type {
  Agreement,
  Alert,
  Allowance,
  AnchorShare,
  AnchorSupplier,
  AnchorWay,
  Animal,
  AnimalPage,
  AnimalState,
  Answer,
  Application,
  AreaCheck,
  Asset as CollateralAsset,
  Asset,
  Audit,
  Batch as ProposalBatch,
  BirthInBody,
  BoundUse,
  Catalogue,
  Cause,
  Change as PolicyChange,
  Claim,
  ClaimInBody,
  ClassSum,
  Comparison as PolicyComparison,
  Consent,
  Contract,
  ContractCheck,
  CoverDay,
  CoverTerms,
  Credential,
  CropReport,
  Danger,
  DateRange,
  DayRun,
  Decision,
  Detail as ApplicationDetail,
  Device,
  Document,
  Endangered,
  Entry as LegendEntry,
  Event as ReceivableEvent,
  Evidence,
  FarmerAnimalEvent,
  FarmerPurchaseAsk,
  FarmerRepayPreview,
  Figure,
  Finding,
  FirmPlace,
  FlowShares,
  FundedLoan,
  Growth,
  Guarantor,
  Hazard,
  Headcount,
  Herd,
  HerdCount,
  HerdLine,
  HerdReport,
  Hit,
  Hop,
  Imported,
  ImportReport,
  InputDrift,
  Instalment,
  InUse as PolicyInUse,
  LedgerEntry,
  LifeEvent,
  LimitChange,
  Link,
  Loan,
  LoanCost,
  ModelMonitoring,
  Monthly as LoanStatement,
  Mount,
  MountReason,
  Move,
  Movement as LoanMovement,
  Neighbourhood,
  NodeView,
  Notice as PledgeNotice,
  Observation,
  OfficerCollateralAct,
  OfficerExposureLine,
  OfficerFactLine,
  OfficerFirmPage,
  OfficerFunderBook,
  OfficerHerdPage,
  OfficerHome,
  OfficerLoanEvent,
  OfficerLoanHappening,
  OfficerLoanPage,
  OfficerLoanPreview,
  OfficerLoanProposal,
  OfficerMergeLine,
  OfficerModelDetail,
  OfficerPairLine,
  OfficerPlotLine,
  OfficerPlotPage,
  OfficerSellerTerms,
  OfficerStrategyVersion,
  OfficerTried,
  Overlap,
  Part as ReceivablePart,
  Participant,
  Party,
  Payable,
  PayDifference,
  PayInstruction,
  Payment as LoanPayment,
  PayReport,
  Pen,
  PenCount,
  Picture,
  Plot,
  PointsBand,
  PoolEvent,
  PoolUse,
  Preview as OfferPreview,
  Product,
  Proof,
  Proposal,
  PurchaseEvent,
  PurchaseLine,
  PurchaseOffer,
  PurchaseOrder,
  PurchaseSeller,
  PurchaseShelf,
  PurchaseTrace,
  PurchaseTracePart,
  Quarantined,
  Quote as PayoffQuote,
  Reason,
  Receivable,
  ReceivableLine,
  Remark as IntakeRemark,
  ReplayResult,
  Review,
  RowError,
  Scene,
  Score,
  ScoreModel,
  Seen as SignerSaw,
  SharingAgreement,
  ShockReport,
  Signature as ContractSignature,
  Sme,
  SmeLink,
  SmePage,
  SmoothPoint,
  Source,
  Standing,
  StandingFigures,
  Step,
  Subject,
  SubsidyRow,
  Suggestion,
  Taken,
  TradeMonth,
  Transaction as LoanTransaction,
  Trial,
  TrialLine,
  Turnover,
  Upload,
  User,
  Version as PolicyVersion,
  VersionEvent,
  Way,
  Weighing,
  Word as Named,
  Wording,
  Worth,
} from './schema';

import type { Alert, AnimalState, Application, Subject } from './schema';

export type Fen = number;
/** A share of one in 1e-8 units: 4.35 % is 4350000. */
export type Rate = number;
/** Longitude, latitude in degrees, WGS84. */
export type Position = number[];
export type Rings = Position[][];

export type Role = 'officer' | 'borrower' | 'anchor' | 'partner' | 'auditor' | 'operator';
export type SubjectKind = Subject['kind'];
export type Severity = 'info' | 'warning' | 'critical';
export type Status = 'known' | 'low_confidence' | 'unknown';
export type Outcome = 'offer' | 'refer' | 'refuse';
export type DocKind =
  | 'suppliers'
  | 'contracts'
  | 'orders'
  | 'deliveries'
  | 'invoices'
  | 'payments'
  | 'confirmations';

/** One page of a list; `next` is the cursor of the next one, "" at the end. */
export interface Page<T> {
  items: T[] | null;
  next?: string;
}

/** What the live socket says. */
export type LiveMessage =
  | { type: 'alert'; alert: Alert }
  | { type: 'positions'; herd_id: string; states: AnimalState[] }
  | { type: 'application'; application: Application }
  | { type: 'plot'; plot_id: string };

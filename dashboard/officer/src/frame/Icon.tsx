const paths = {
  queue: 'M3 5h10M3 9h14M3 13h8M3 17h12',
  application: 'M5 2h7l4 4v12H5zM12 2v4h4M8 10h5M8 13h5',
  map: 'M2 5l5-2 6 2 5-2v12l-5 2-6-2-5 2zM7 3v12M13 5v12',
  herd: 'M3 7c2 0 2-2 2-3M17 7c-2 0-2-2-2-3M5 7h10l-1 6c-.6 3-2 4-4 4s-3.400-1-4-4zM8 13h4',
  firm: 'M3 17V7l7-4 7 4v10M8 17v-5h4v5M3 17h14',
  chain: 'M3 4h4v4H3zM3 12h4v4H3zM13 8h4v4h-4zM7 6h2l4 3M7 14h2l4-3',
  shock: 'M11 2L5 11h4l-1 7 7-10h-5z',
  fact: 'M5 2h7l4 4v12H5zM12 2v4h4M8 11l2 2 4-4',
  merge: 'M4 4c0 6 6 4 6 9v4M16 4c0 6-6 4-6 9M7 14l3 3 3-3',
  receivable: 'M4 3h12v14l-3-2-3 2-3-2-3 2zM7 7h6M7 11h6',
  alert: 'M10 3l8 14H2zM10 8v4M10 14.500v.5',
  loan: 'M3 6h14v9H3zM3 9h14M6 12.500h3',
  history: 'M5 3h9l5 5v13H5zM14 3v5h5M8 17v-3M12 17v-6M16 17v-4',
  proposal: 'M4 4h12v9H9l-4 4v-4H4zM7 7h6M7 10h4',
  dayend: 'M15 12a6 6 0 1 1-7-8a5 5 0 0 0 7 8M13 4h4M13 8h4',
  intake: 'M3 4h14v8M3 4v12h7M3 8h14M8 4v12M14 11v6M11.500 14.500L14 17l2.500-2.500',
  collateral: 'M10 2l7 3v5c0 4-3 7-7 8-4-1-7-4-7-8V5zM7 10l2 2 4-4',
  purchase: 'M2 3h3l2 10h9l2-7H6M8 17h.5M14 17h.5',
  payment: 'M3 7h12l-3-3M17 13H5l3 3',
  fund: 'M10 2a8 8 0 1 0 0 16a8 8 0 0 0 0-16M10 2v8l6 5',
  ledger: 'M4 3h12v14H4zM10 3v14M4 7h12',
  policy: 'M3 4h14v12H3zM3 8h14M3 12h14M8 8v8',
  model: 'M3 3v14h14M5 14c4 0 3-8 7-8h4M8 17v-2M13 17v-2',
  quarantine: 'M3 4h14v12H3zM3 11h4l1.500 2h3l1.500-2h4M10 6v3M10 9l-1.500-1.500M10 9l1.500-1.500',
  search: 'M9 3a6 6 0 1 0 0 12a6 6 0 0 0 0-12M13.500 13.500L18 18',
  menu: 'M3 5h14M3 10h14M3 15h14',
} as const;

export type IconName = keyof typeof paths;

export function Icon(props: { name: IconName }) {
  return (
    <svg className="icon" width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
      <path
        d={paths[props.name]}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}

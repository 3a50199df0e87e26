import { useFormats } from '@furrow/shared/format';
import { Link } from 'react-router';
import { Panel } from '../pieces/Page';
import { useKind } from './Books';
import { useProposals } from './data';

const MOST = 6;

/** In the work queue: what colleagues proposed and nobody has answered. */
export function WaitingPanel(props: { title: string; all: string }) {
  const f = useFormats();
  const kind = useKind();
  const list = useProposals('proposed').data ?? [];
  if (list.length === 0) return null;
  return (
    <Panel title={props.title} extra={<Link to="/proposals">{props.all}</Link>}>
      <ul className="links">
        {list.slice(0, MOST).map((p) => (
          <li key={p.id}>
            <Link to={`/loans/${p.loan_id}`}>{kind(p.event.kind)}</Link>{' '}
            {p.event.amount ? f.yuan(p.event.amount) : null} {p.by_name} <q>{p.reason}</q>{' '}
            <time dateTime={p.at}>{f.time(p.at)}</time>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

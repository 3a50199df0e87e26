import { NavLink } from 'react-router';
import './book.css';

/** The ways between pages that belong together. */
export function Sub(props: { label: string; places: { to: string; text: string }[] }) {
  return (
    <nav className="book-sub" aria-label={props.label}>
      {props.places.map((p) => (
        <NavLink key={p.to} to={p.to} end>
          {p.text}
        </NavLink>
      ))}
    </nav>
  );
}

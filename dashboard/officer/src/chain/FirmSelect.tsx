import { Select } from 'antd';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFirms } from '../data';
import { usePlace } from './data';
import './texts';

const PAUSE = 250;

/** A firm, looked for by name or credit code. */
export function FirmSelect(props: {
  label: string;
  value: string;
  onChange(id: string): void;
  /** Offers anchors before anything is typed. */
  anchorsFirst?: boolean;
}) {
  const { t } = useTranslation('chain');
  const [typed, setTyped] = useState('');
  const q = useSettled(typed.trim());
  const list = useFirms(q, !!props.anchorsFirst && q === '');
  const options = (list.data ?? []).map((p) => ({ value: p.id, label: p.name }));
  const known = options.some((o) => o.value === props.value);
  return (
    <Select
      className="firm-select"
      aria-label={props.label}
      placeholder={t('choose_firm')}
      showSearch={{ filterOption: false, onSearch: setTyped, searchValue: typed }}
      allowClear
      value={props.value || undefined}
      options={options}
      loading={list.isFetching}
      notFoundContent={list.isFetching ? null : t('no_firm')}
      labelRender={({ value, label }) =>
        known || !value ? label : <FirmName id={String(value)} />
      }
      onChange={(id?: string) => {
        setTyped('');
        props.onChange(id ?? '');
      }}
    />
  );
}

/** The name of a firm that no list on the page has. */
export function FirmName(props: { id: string }) {
  const place = usePlace(props.id);
  return <>{place.data?.name ?? props.id}</>;
}

/** A text once it has not changed for a moment, so that not every letter is looked for. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), PAUSE);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

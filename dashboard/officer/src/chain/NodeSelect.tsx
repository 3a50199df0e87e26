import { TreeSelect } from 'antd';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useIndustries } from './data';
import { local } from './local';
import './texts';

/** A direction, chain or node of the catalogue of industry chains. */
export function NodeSelect(props: { value: string; onChange(id: string): void }) {
  const { t, i18n } = useTranslation('chain');
  const { data, isPending } = useIndustries();
  const tree = useMemo(() => {
    if (!data) return [];
    const nodes = new Map(data.nodes.map((n) => [n.id, n]));
    return data.directions.map((d) => ({
      value: d.code,
      title: local(d),
      children: data.chains
        .filter((c) => c.direction === d.code)
        .map((c) => ({
          value: c.id,
          title: local(c),
          children: c.nodes.flatMap((id) => {
            const n = nodes.get(id);
            return n ? [{ value: n.id, title: `${local(n)} · ${t(`stage.${n.stage}`)}` }] : [];
          }),
        })),
    }));
  }, [data, t, i18n.language]);
  return (
    <TreeSelect
      className="node-select"
      aria-label={t('node')}
      placeholder={t('any_node')}
      allowClear
      showSearch={{ treeNodeFilterProp: 'title' }}
      loading={isPending}
      treeData={tree}
      value={props.value || undefined}
      onChange={(id?: string) => props.onChange(id ?? '')}
      listHeight={360}
      popupMatchSelectWidth={320}
    />
  );
}
